"""Studies in sentences: what holds, what the success rests on, which remedy helps and what it costs."""

from dataclasses import replace

import pytest

from gad_core.data.shifts import Shift, steps
from gad_core.decision.curves import Auroc
from gad_core.decision.rates import rate
from gad_core.deployment.indifference import Indifference
from gad_core.deployment.outcomes import Outcome, Step
from gad_core.deployment.remedies import Remedies, Remedy
from gad_core.deployment.results import DeploymentShift
from gad_core.deployment.settings import ShiftSettings
from gad_core.deployment.words import borne, holds, remedies_sentence, remedy_name, sentence
from gad_core.gaussian.reduction import NPCA_1, NPCA_5
from gad_core.gaussian.tuning import Tuning, WorkingPoint

TUNING = Tuning((6, 7), NPCA_5)
POINT = WorkingPoint("cross-conformal", 0.05, 2.0, 60, "by hand")


def area(value):
    return Auroc(value, value - 0.05, min(value + 0.05, 1.0), "DeLong", 40, 40)


def outcome(flagged, caught=30, auroc=0.9):
    return Outcome(rate(flagged, 60), None, rate(caught, 30), area(auroc))


def study(counts, *, left=1.0, p_value=1.0):
    """Every kind with how many left-out parts each of its steps flags."""
    found = [
        Step(shift, 0.5 + place, outcome(count), (), (), 1.0, Indifference(area(left), p_value, 0.9))
        for kind, flagged in counts.items()
        for place, (shift, count) in enumerate(zip(steps(kind), flagged, strict=True))
    ]
    unshifted = Step(Shift("blur", 0), 0.0, outcome(2), (), ())
    return DeploymentShift(ShiftSettings(kinds=tuple(counts)), TUNING, POINT, unshifted, tuple(found), area(1.0))


MIXED = {"blur": (2, 3, 60, 60, 60), "jpeg": (60, 60, 60, 60, 60), "bits": (2, 2, 2, 2, 2)}


def test_what_holds_and_what_does_not_is_named_by_its_last_and_first_step():
    said = sentence(study(MIXED))
    assert said.startswith("Holds up to 0.6 px of blur and 3 bits a channel, and does not bear even JPEG 95.")
    assert said.endswith(
        "Its success rests on none of them: indifferent to any, its AUROC stays at 100.0 % or above "
        "(100.0 % as it is; whole images, levels 6-7)."
    )
    assert holds(study({"bits": (2,) * 5}).tolerances) == "Holds under all that was tried, up to 3 bits a channel."
    assert holds(study({"jpeg": (60,) * 5}).tolerances) == "Does not bear even JPEG 95."


def test_a_culprit_is_named_with_what_is_left():
    assert (
        "Its success rests on blur: indifferent to 0.4 px of blur, its AUROC falls from 100.0 % to 80.0 %"
        in sentence(study({"blur": MIXED["blur"]}, left=0.8, p_value=1e-6))
    )
    assert "AUROC" not in sentence(replace(study(MIXED), area=None))


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("blur", "Holds up to 0.6 px of blur; 0.8 px of blur brings more false alarms than the target."),
        ("jpeg", "Does not hold: JPEG 95 brings more false alarms than the target."),
        ("bits", "Holds up to 3 bits a channel, the strongest tried."),
    ],
)
def test_each_kind_has_its_sentence(kind, words):
    (tolerance,) = [one for one in study(MIXED).tolerances if one.kind == kind]
    assert borne(tolerance) == words


def test_remedies_are_named_by_what_was_done_and_the_best_comes_with_its_price():
    as_it_is = Remedy(TUNING, (), 2.0, outcome(2, 30, 1.0), outcome(58))
    level = Remedy(replace(TUNING, levels=(7,)), (), 2.0, outcome(2), outcome(50))
    cut = Remedy(replace(TUNING, reduction=NPCA_1), (), 2.0, outcome(2), outcome(55))
    copies = Remedy(TUNING, (Shift("blur", 0.6), Shift("blur", 0.8)), 2.0, outcome(2, 21, 0.94), outcome(0))
    tried = (level, cut, copies)
    assert [remedy_name(one, TUNING) for one in (as_it_is, *tried)] == [
        "As it is",
        "Without level 6",
        "Reduction: NPCA 1 %",
        "Copies merged into the fit: 0.6 and 0.8 px of blur",
    ]
    said = remedies_sentence(Remedies(Shift("blur", 0.8), POINT, as_it_is, tried))
    assert said.startswith("Under 0.8 px of blur, 96.7 % [88.5, 99.6] of the good parts are flagged as it is (n = 60)")
    assert "copies merged into the fit: 0.6 and 0.8 px of blur, 0.0 % [0.0, 6.0]." in said
    assert said.endswith(
        "takes the AUROC from 100.0 % to 94.0 %, and the defects caught from 100.0 % to 70.0 % (n = 30)."
    )
    worse = Remedies(Shift("blur", 0.8), POINT, as_it_is, (replace(level, shifted=outcome(60)),))
    assert remedies_sentence(worse).endswith("none of what was tried brings that down.")
