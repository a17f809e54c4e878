"""How far a shift is borne, how steep its curve is, and which one a detector's success rests on."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from gad_core.data.shifts import Shift, steps
from gad_core.decision.curves import Auroc
from gad_core.decision.rates import rate
from gad_core.deployment.culprit import find_culprit
from gad_core.deployment.indifference import Indifference
from gad_core.deployment.outcomes import Outcome, Step, lost_p_value
from gad_core.deployment.tolerance import tolerance

N = 60


def area(value):
    return Auroc(value, value - 0.05, min(value + 0.05, 1), "DeLong", 40, 40)


def step(shift, flagged, *, caught=30, change=1.0, lost=1.0, left=None, p_value=1.0, likeness=0.0):
    outcome = Outcome(rate(flagged, N), None, rate(caught, 30), None)
    known = Indifference(area(left), p_value, likeness) if left is not None else None
    return Step(shift, change, outcome, (), (), lost, known)


BEFORE = step(Shift("blur", 0), 2, change=0.0)


def of(kind, flagged, **others):
    return [step(shift, count, **others) for shift, count in zip(steps(kind), flagged, strict=False)]


def test_a_step_holds_while_the_exact_interval_reaches_down_to_the_target():
    counts = (2, 7, 8, 3)
    lows = [stats.binomtest(count, N).proportion_ci(method="exact").low for count in counts]
    assert lows[1] < 0.05 < lows[2]
    found = tolerance(BEFORE, of("jpeg", counts), 0.05)
    assert (str(found.holds), str(found.breaks), found.why) == ("JPEG 85", "JPEG 70", "false alarms")


def test_all_steps_may_hold_or_none():
    assert tolerance(BEFORE, of("jpeg", (2, 2, 3)), 0.05).breaks is None
    none = tolerance(BEFORE, of("jpeg", (60, 60)), 0.05)
    assert (none.holds, str(none.breaks)) == (None, "JPEG 95")


@pytest.mark.parametrize(
    ("caught", "lost", "why"),
    [(27, 0.3, None), (26, 0.3, "missed defects"), (28, 0.02, "missed defects"), (30, 0.02, None)],
)
def test_defects_may_be_lost_neither_surely_nor_by_more_than_a_tenth(caught, lost, why):
    found = tolerance(BEFORE, [step(Shift("blur", 0.4), 2, caught=caught, lost=lost)], 0.05)
    assert found.why == why


def test_steepness_is_the_rate_gained_per_grey_level_where_it_is_most():
    curve = [
        step(Shift("blur", 0.4), 2, change=0.5),
        step(Shift("blur", 0.6), 32, change=1.0),
        step(Shift("blur", 0.8), 60, change=4.0),
    ]
    assert tolerance(BEFORE, curve, 0.05).steepness == pytest.approx(0.5)


def test_lost_defects_are_scipys_binomial_test_of_those_that_changed():
    before, after = np.array([1, 1, 1, 1, 1, 0, 1], bool), np.array([0, 0, 0, 0, 1, 1, 1], bool)
    assert lost_p_value(before, after) == pytest.approx(stats.binom.sf(3, 5, 0.5))
    assert lost_p_value(before, before) == 1
    assert lost_p_value(before[:0], after[:0]) is None


def test_the_culprit_is_the_steepest_fall_that_is_no_chance():
    blur, jpeg = Shift("blur", 0.8), Shift("jpeg", 50)
    tried = [
        step(Shift("blur", 0.4), 2, change=0.1, left=0.9, p_value=0.2),  # steeper, but may be chance
        step(Shift("blur", 0.6), 2, change=0.6, left=0.85, p_value=1e-4, likeness=0.8),  # the steepest of those sure
        step(blur, 2, change=0.9, left=0.8, p_value=1e-5, likeness=0.9),
        step(jpeg, 2, change=2.0, left=0.7, p_value=1e-6, likeness=0.3),
        step(Shift("bits", 4), 2, change=0.1, left=1.0, p_value=0.5),
    ]
    found = find_culprit(area(1.0), tried)
    assert (found.shift, found.likeness) == (blur, 0.9)
    assert found.steepness == pytest.approx(0.15 / 0.6)
    assert (found.before.value, found.after.value) == (1.0, 0.8)
    assert find_culprit(area(1.0), [replace(one, indifference=None) for one in tried]) is None
    assert find_culprit(None, tried) is None
    assert find_culprit(area(1.0), [tried[0], tried[4]]) is None
