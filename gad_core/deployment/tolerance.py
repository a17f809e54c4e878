"""How far each kind of shift is borne, and how steeply its curve rises."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gad_core.data.rendering import Kind
from gad_core.data.shifts import Shift
from gad_core.deployment.outcomes import Step

#: A larger share of the defects may not be lost, whether or not so many are enough to be sure.
MOST_LOST = 0.1
SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Tolerance:
    """What is borne of one kind of shift.

    A step holds as long as the left-out false-positive rate may be the target by its exact interval (the lower end lies
    at or below it), and the defects caught are not fewer by a tenth of them or significantly (McNemar, 5 %).
    """

    kind: Kind
    holds: Shift | None  # the last of the steps that hold one after the other; None: not even the first
    breaks: Shift | None  # the first that does not hold; None: all hold
    why: Literal["false alarms", "missed defects"] | None
    steepness: float  # false-positive rate gained per grey level that pixels change, where that is most


def tolerance(unshifted: Step, steps: Sequence[Step], target_fpr: float) -> Tolerance:
    """Judge the steps of one kind, from weak to strong."""
    holds, breaks, why = None, None, None
    for step in steps:
        why = _why(unshifted, step, target_fpr)
        if why:
            breaks = step.shift
            break
        holds = step.shift
    return Tolerance(steps[0].shift.kind, holds, breaks, why, steepness(unshifted, steps))


def steepness(unshifted: Step, steps: Sequence[Step]) -> float:
    """How much the left-out false-positive rate rises per grey level of mean change, at the step where it is most.

    Strengths of different kinds have no common measure; how far they change the pixels has.
    """
    before = unshifted.whole.left_out.value
    return max((step.whole.left_out.value - before) / step.change for step in steps if step.change > 0)


def _why(unshifted: Step, step: Step, target_fpr: float) -> Literal["false alarms", "missed defects"] | None:
    if step.whole.left_out.low > target_fpr:
        return "false alarms"
    before, after = unshifted.whole.caught, step.whole.caught
    if before and after and step.lost_p_value is not None:
        fewer = before.value - after.value
        if fewer > MOST_LOST or (fewer > 0 and step.lost_p_value < SIGNIFICANT):
            return "missed defects"
    return None
