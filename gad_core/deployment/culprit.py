"""The shift that a detector's success rests on, if there is one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gad_core.data.shifts import Shift
from gad_core.decision.curves import Auroc
from gad_core.deployment.outcomes import Step

#: Of finding a culprit where there is none, over all kinds (Bonferroni): the steps of a kind ask one question.
SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Culprit:
    """The kind whose curve of the area under the ROC falls most steeply once the detector is indifferent to it."""

    shift: Shift  # the step of that kind at which least is left
    before: Auroc  # by whole images at the tuned levels
    after: Auroc  # once indifferent to the shift
    steepness: float  # area lost per grey level that pixels change, at its steepest step
    likeness: float  # cosine of the way of the shift with that from normal images to defects


def find_culprit(before: Auroc | None, steps: Sequence[Step]) -> Culprit | None:
    """The kind of the steepest of the steps whose loss is no chance; None where there is none, or without labels."""
    tried = [step for step in steps if step.indifference]
    limit = SIGNIFICANT / max(len({step.shift.kind for step in tried}), 1)
    found = [
        Culprit(step.shift, before, known.area, loss / step.change, known.likeness)
        for step in tried
        if (known := step.indifference)
        and before
        and step.change > 0
        and (loss := before.value - known.area.value) > 0
        and known.p_value < limit
    ]
    if not found:
        return None
    steepest = max(found, key=lambda one: one.steepness)
    of_kind = [one for one in found if one.shift.kind == steepest.shift.kind]
    return replace(min(of_kind, key=lambda one: one.after.value), steepness=steepest.steepness)
