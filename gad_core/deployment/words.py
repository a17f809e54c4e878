"""A study of deployment shift, and remedies, in sentences."""

from collections.abc import Sequence

from gad_core import wording
from gad_core.data.rendering import Kind
from gad_core.data.shifts import SCALES, Shift
from gad_core.deployment.remedies import Remedies, Remedy
from gad_core.deployment.results import DeploymentShift
from gad_core.deployment.tolerance import Tolerance
from gad_core.gaussian.tuning import Tuning

_NAMED = 3  # kinds that a sentence names of each sort


def name_of(kind: Kind) -> str:
    """A kind as a title: `Sensor noise`, `JPEG compression`."""
    name = SCALES[kind].name
    return name[0].upper() + name[1:]


def sentence(found: DeploymentShift) -> str:
    """What is borne and what is not, the steepest first, and what the success rests on."""
    return " ".join(filter(None, (holds(found.tolerances), rests_on(found))))


def holds(tolerances: Sequence[Tolerance]) -> str:
    """What is borne: `Holds up to 0.6 px of blur and JPEG 70, and does not bear 7 bits a channel.`."""
    known = [str(one.holds) for one in tolerances if one.holds]
    none = [str(one.breaks) for one in tolerances if not one.holds]
    if not none and all(one.breaks is None for one in tolerances):
        return f"Holds under all that was tried, up to {wording.listed(known[:_NAMED])}."
    parts = []
    if known:
        parts.append(f"holds up to {wording.listed(known[:_NAMED])}")
    if none:
        parts.append(f"does not bear even {wording.listed(none[:_NAMED])}")
    words = ", and ".join(parts)
    return f"{words[0].upper()}{words[1:]}."


def rests_on(found: DeploymentShift) -> str:
    """Whether the success rests on how images were taken; empty without labelled images."""
    if found.area is None:
        return ""
    whole = f"whole images, {wording.levels(_tuned(found).levels)}"
    if culprit := found.culprit:
        return (
            f"Its success rests on {culprit.shift.scale.name}: indifferent to {culprit.shift}, its AUROC falls from "
            f"{_area(culprit.before.value)} to {_area(culprit.after.value)} ({whole})."
        )
    left = min(step.indifference.area.value for step in found.steps if step.indifference)
    return (
        f"Its success rests on none of them: indifferent to any, its AUROC stays at {_area(left)} or above "
        f"({_area(found.area.value)} as it is; {whole})."
    )


def borne(tolerance: Tolerance) -> str:
    """One kind in a sentence."""
    if tolerance.breaks is None:
        return f"Holds up to {tolerance.holds}, the strongest tried."
    broken = f"{tolerance.breaks} brings {_why(tolerance)}"
    return f"Holds up to {tolerance.holds}; {broken}." if tolerance.holds else f"Does not hold: {broken}."


def remedy_name(remedy: Remedy, as_it_is: Tuning) -> str:
    """What was done: `Without level 6`, `NPCA 1 %`, `Copies merged: 0.6 and 0.8 px of blur`."""
    if remedy.copies:
        return f"Copies merged into the fit: {_strengths(remedy.copies)}"
    if remedy.tuning == as_it_is:
        return "As it is"
    if remedy.tuning.levels != as_it_is.levels:
        return f"Without {wording.levels(sorted(set(as_it_is.levels) - set(remedy.tuning.levels)))}"
    return f"Reduction: {wording.reduction(remedy.tuning.reduction)}"


def remedies_sentence(found: Remedies) -> str:
    """The remedy after which fewest good parts are flagged under the shift, and its price."""
    before = found.as_it_is
    best = min(found.tried, key=lambda one: one.shifted.left_out.value)
    flagged = (
        f"Under {found.shift}, {wording.rate(before.shifted.left_out)} of the good parts are flagged as it is (n = "
        f"{before.shifted.left_out.n})"
    )
    if best.shifted.left_out.value >= before.shifted.left_out.value:
        return f"{flagged}; none of what was tried brings that down."
    name = remedy_name(best, before.tuning)
    mended = f"{name[0].lower()}{name[1:]}, {wording.rate(best.shifted.left_out)}"
    if not (before.clean.area and best.clean.area and before.clean.caught and best.clean.caught):
        return f"{flagged}; {mended}."
    price = (
        f"On images as they are that takes the AUROC from {_area(before.clean.area.value)} to "
        f"{_area(best.clean.area.value)}, and the defects caught from {wording.percent(before.clean.caught.value)} to "
        f"{wording.percent(best.clean.caught.value)} (n = {before.clean.caught.n})."
    )
    return f"{flagged}; {mended}. {price}"


def _tuned(found: DeploymentShift) -> Tuning:
    level = found.point.level
    return found.tuning if level == "sum" else Tuning((int(level),))


def _why(tolerance: Tolerance) -> str:
    return "more false alarms than the target" if tolerance.why == "false alarms" else "missed defects"


def _strengths(shifts: Sequence[Shift]) -> str:
    """Shifts of one kind: `0.6, 0.8 and 1.2 px of blur`."""
    strengths = wording.listed([f"{shift.strength:g}" for shift in shifts])
    return shifts[0].scale.words.format(strengths)


def _area(value: float) -> str:
    return f"{100 * value:.1f} %"
