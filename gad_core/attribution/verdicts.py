"""What a check on a map comes to: it passes, is doubtful, or fails, and why, in a sentence.

Every limit has a name and its reason; what lies between two limits is doubtful.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from gad_core.attribution.counterfactuals import Counterfactuals, Deletion
from gad_core.attribution.explanation import Explanation
from gad_core.attribution.max_sensitivity import MaxSensitivity

Outcome = Literal["passes", "doubtful", "fails"]

#: Of the distance above a normal part, what goes with the defect: more than half, and the defect is the main cause;
#: less than a fifth, and something else is.
MAIN_CAUSE, MINOR_CAUSE = 0.5, 0.2
#: By how much, in parts of its fall, the score must fall faster than by chance. Three random orders together differ by
#: about 0.03 among themselves.
FASTER = 0.1
#: Rank correlation over 14 x 14 blocks. Maps that have nothing to do with each other reach 0.14 in one of 20 cases, and
#: more where neighbouring blocks are alike; two that share half of their ranks' variance have 0.7.
UNRELATED, ALIKE = 0.2, 0.7
#: Another method has other rules: it need not rank every block the same, but should share the gist.
SHARED_GIST = 0.4
#: Infidelity: an empty map has 1.
EMPTY_MAP, FAITHFUL = 1.0, 0.6
#: Max-sensitivity: maps of one length whose cosine is 0.7 lie sqrt(2 - 2 * 0.7) lengths apart; at 1 the change is as
#: large as the map.
STEADY, AS_LARGE = 0.77, 1.0
#: From such a change of the score on, in parts of it, maps under noise explain something else.
OTHER_SCORE = 0.2

_THOUSAND = 1000


@dataclass(frozen=True)
class Finding:
    """What a check comes to, and the sentence that says why."""

    outcome: Outcome
    reason: str


def of_exchange(made: Counterfactuals) -> Finding:
    """Judge what goes with the defect once a normal part takes its place."""
    part = made.share_of_defect
    if part is None or made.score <= made.normal_score:
        return Finding(
            "doubtful",
            f"The image's distance, {_number(made.score)}, is not above that of the normal part, "
            f"{_number(made.normal_score)}: there is nothing to explain.",
        )
    goes = (
        f"With the defect goes {100 * part:.0f} % of what the distance has above the normal part "
        f"({_number(made.score)} falls to {_number(made.score_without_defect)})"
    )
    if part >= MAIN_CAUSE:
        return Finding("passes", f"{goes}: the defect is the main cause.")
    if part < MINOR_CAUSE:
        return Finding("fails", f"{goes}: the distance comes from something else.")
    return Finding("doubtful", f"{goes}: less than half of it.")


def of_mask(found: Explanation) -> Finding:
    """Judge a map against a mask by two questions: where is it dense, and where does most of it lie?

    The score answers the first, its chance level is that of the mask anywhere else; the share answers the second, its
    chance level is the mask's area.
    """
    above = found.score > found.null_high
    dense = (
        f"Is the attribution denser in the mask than outside? {'Yes' if above else 'No'}: explanation score "
        f"{found.score:.1f}, by chance {found.null_mean:.1f} [{found.null_low:.1f}, {found.null_high:.1f}]."
    )
    if found.share is None:
        return Finding(
            "doubtful", f"{dense} Does most of it lie there? The map's sum is not positive, so none can say."
        )
    most = (
        f"Does most of it lie there? {'Yes' if found.share >= MAIN_CAUSE else 'No'}: {100 * found.share:.0f} % of the "
        f"map's sum, by chance {100 * found.area:.1f} % (the mask's area)."
    )
    if not above or found.share <= found.area:
        return Finding("fails", f"{dense} {most} The map does not point to the defect.")
    if found.share < MAIN_CAUSE:
        rest = f"the other {100 * (1 - found.share):.0f} % lie elsewhere"
        return Finding("doubtful", f"{dense} {most} The defect stands out, yet {rest}.")
    return Finding("passes", f"{dense} {most} The map points to the defect.")


def of_deletion(made: Deletion) -> Finding:
    """Judge whether the score falls faster by falling attribution than by chance."""
    first, last = float(made.by_chance[0]), float(made.by_chance[-1])
    if first <= last:
        return Finding(
            "doubtful",
            f"The normal part's distance, {_number(last)}, is not below the image's, {_number(first)}: there is no "
            "fall to compare.",
        )
    gain = f"{100 * abs(made.gain):.0f} % of its fall"
    if made.gain >= FASTER:
        return Finding("passes", f"Highest attribution first, the distance lies {gain} below chance on average.")
    if made.gain > 0:
        return Finding(
            "doubtful",
            f"Highest attribution first, the distance lies only {gain} below chance on average: within what random "
            "orders differ.",
        )
    rises = " and even rises above where it began" if made.by_attribution.max() > first * (1 + FASTER) else ""
    return Finding(
        "fails",
        f"Highest attribution first, the distance falls no faster than by chance: it lies {gain} above it on average"
        f"{rises}. The blocks that the map names are not those whose exchange makes the image normal.",
    )


def of_stability(mean: float, least: float) -> Finding:
    """Judge the agreement of maps from several draws of references."""
    words = f"Maps from other references agree by {mean:.2f} on average, {least:.2f} at least (1: the same map)"
    if mean >= ALIKE:
        return Finding("passes", f"{words}: the choice of references matters little.")
    if mean < UNRELATED:
        return Finding("fails", f"{words}: the map tells of the references, not of the image.")
    return Finding("doubtful", f"{words}: take more references before reading details.")


def of_randomisation(agreement: float) -> Finding:
    """Judge the agreement with the map of a network whose weights were shuffled."""
    words = f"The shuffled network's map agrees by {agreement:.2f} with this one (1: the same map)"
    if abs(agreement) < SHARED_GIST:
        return Finding("passes", f"{words}: the map tells of what the network has learned.")
    if abs(agreement) >= ALIKE:
        return Finding("fails", f"{words}: the map shows the image's edges rather than what the network has learned.")
    return Finding("doubtful", f"{words}: a part of it does not depend on what the network has learned.")


def of_infidelity(value: float) -> Finding:
    """Judge how well the map foretells what an exchange does to the score; 1 is an empty map's."""
    words = f"Infidelity is {value:.2f} (0: the map foretells what every exchanged square changes; 1: an empty map)"
    if value <= FAITHFUL:
        return Finding("passes", f"{words}.")
    if value >= EMPTY_MAP:
        return Finding("fails", f"{words}: the map foretells no more than no map at all.")
    return Finding("doubtful", f"{words}: little better than no map.")


def of_max_sensitivity(made: MaxSensitivity) -> Finding:
    """Judge by how much of itself a map changes where the image hardly does."""
    words = f"Under small noise the map changes by at most {made.value:.2f} of itself (0: it stays; 1: by all of it)"
    if made.value <= STEADY:
        return Finding("passes", f"{words}: its details can be read.")
    if made.moved >= OTHER_SCORE:
        return Finding(
            "doubtful",
            f"{words}, but the noise itself is unusual to the detector: the distance goes from {_number(made.score)} "
            f"to {_number(made.noisy_score)}, so that the maps explain different distances.",
        )
    if made.value >= AS_LARGE:
        return Finding("fails", f"{words}: read none of its pixels alone, only what larger parts of it add up to.")
    return Finding("doubtful", f"{words}: its gist stays, its details do not.")


def of_opinion(name: str, agreement: float) -> Finding:
    """Judge the agreement with another method's map."""
    words = f"The map by {name} agrees by {agreement:.2f} with this one (rank correlation over blocks)"
    if agreement >= SHARED_GIST:
        return Finding("passes", f"{words}: both point to the same places.")
    if agreement < UNRELATED:
        return Finding("fails", f"{words}: no more than unrelated maps do.")
    return Finding("doubtful", f"{words}: they share little more than the gist.")


def summary(findings: Mapping[str, Finding], *, offered: int) -> str:
    """How many checks are done and what they come to, in a sentence."""
    if not findings:
        return f"None of {offered} checks done yet; each says whether the map can be relied on."
    parts = []
    outcomes: tuple[Outcome, ...] = ("passes", "doubtful", "fails")
    for outcome in outcomes:
        names = [name for name, finding in findings.items() if finding.outcome == outcome]
        if names:
            verb = {"passes": "passed", "doubtful": "doubtful", "fails": "failed"}[outcome]
            parts.append(f"{len(names)} {verb} ({', '.join(names)})")
    return f"{len(findings)} of {offered} checks done: {', '.join(parts)}."


def _number(value: float) -> str:
    """Three significant digits."""
    return f"{value:.3g}" if abs(value) < _THOUSAND else f"{value:,.0f}"
