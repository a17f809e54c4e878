"""What is known of a threshold on the line, from what people said of its parts."""

from datetime import date

import numpy as np
import pytest
from scipy import stats

from gad_core.decision.achieved import achieved


def test_of_parts_that_were_all_judged_the_rate_is_that_of_the_good_ones():
    flagged = [True] * 9 + [True] * 3 + [False] * 400
    found = achieved(flagged, [False] * 9 + [True] * 3 + [False] * 400)
    exact = stats.binomtest(9, 409).proportion_ci(method="exact")
    assert found.false_alarms is not None
    assert (found.false_alarms.count, found.false_alarms.n, found.caught) == (9, 409, 3)
    assert (found.false_alarms.low, found.false_alarms.high) == pytest.approx((exact.low, exact.high))
    assert found.sentence(date(2026, 3, 3)) == (
        "of 412 parts judged since 3 March 2026, 9 were false alarms: 2.2 % [1.0, 4.1] of the good ones"
    )


def test_flagged_parts_that_nobody_judged_bound_the_rate_from_above():
    found = achieved([True] * 5 + [False] * 95, [False, False, True, None, None] + [None] * 95)
    assert found.false_alarms is not None
    assert (found.false_alarms.count, found.false_alarms.n, found.open) == (2, 97, 2)
    assert found.at_most == 4 / 99
    assert "2 flagged ones are not judged yet, so it may be up to 4.0 %" in found.sentence()


def test_judging_flagged_parts_first_does_not_move_the_rate():
    # Judged parts alone would say 100 %: whoever looks at alarms only sees alarms.
    found = achieved([True] * 4 + [False] * 96, [False] * 4 + [None] * 96)
    assert found.false_alarms is not None
    assert found.false_alarms.value == 0.04
    assert found.missed is None


def test_missed_defects_are_told_of_passed_parts_that_were_judged():
    found = achieved([False] * 10, [True, False, False, False] + [None] * 6)
    assert found.missed is not None
    assert (found.missed.count, found.missed.n) == (1, 4)
    assert "1 of 4 that passed and were judged are defective" in found.sentence()


def test_without_a_good_part_there_is_no_rate():
    found = achieved([True, True], [True, None])
    assert found.false_alarms is None
    assert found.sentence() == "of 2 parts inspected none is known to be good: judge some of them"


def test_the_rate_is_right_on_average_whatever_is_judged():
    rng = np.random.default_rng(5)
    seen = []
    for _ in range(400):
        flagged = rng.random(200) < 0.1  # good parts all, of which flagged ones are judged
        found = achieved(flagged, [False if one else None for one in flagged])
        assert found.false_alarms is not None
        seen.append(found.false_alarms.low <= 0.1 <= found.false_alarms.high)
    assert np.mean(seen) > 0.93
