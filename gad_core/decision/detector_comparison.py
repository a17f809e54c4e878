"""Scores of several detectors on the same test images held against each other; what gave them does not matter."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gad_core.decision.curves import Array, Auroc, AurocDifference, Flags, auroc, auroc_difference, rank_area
from gad_core.decision.rates import CONFIDENCE, Rate, rate

#: The fixed false-positive rate at which defects caught are counted, and the share of defects to be caught.
FIXED_FPR, FIXED_TPR = 0.05, 0.95
_DRAWS = 2000


@dataclass(frozen=True)
class Compared:
    """One detector on the test images."""

    name: str
    area: Auroc
    tpr: Rate  # defects above all but the highest `FIXED_FPR` of the good images
    fpr: Rate  # good images above the highest score that `FIXED_TPR` of the defects reach


def compare(scores: Mapping[str, Array], anomalous: Flags) -> tuple[Compared, ...]:
    """Hold detectors (m,) against the labels; raises `GadError` where a kind of images is missing.

    The rates' intervals take the threshold for given; it comes from the same images.
    """
    return tuple(
        Compared(name, auroc(own, anomalous), *_fixed(own[~anomalous], own[anomalous])) for name, own in scores.items()
    )


def _fixed(normal: Array, defects: Array) -> tuple[Rate, Rate]:
    allowed = int(FIXED_FPR * len(normal) + 1e-9)
    above = np.sort(normal)[::-1][allowed]
    needed = int(np.ceil(FIXED_TPR * len(defects) - 1e-9))
    reached = np.sort(defects)[::-1][needed - 1]
    return (
        rate(int(np.count_nonzero(defects > above)), len(defects)),
        rate(int(np.count_nonzero(normal >= reached)), len(normal)),
    )


def winner(compared: tuple[Compared, ...]) -> Compared | None:
    """The best by AUROC, where its interval lies above those of all others; None where they overlap."""
    best = max(compared, key=lambda one: one.area.value)
    others = [one for one in compared if one is not best]
    return best if others and all(best.area.low > other.area.high for other in others) else None


@dataclass(frozen=True)
class Pair:
    """Two detectors on the same images: the difference of their areas by DeLong and by resampling the images."""

    delong: AurocDifference
    bootstrap: AurocDifference


def compare_pair(first: Array, second: Array, anomalous: Flags, *, seed: int = 0) -> Pair:
    """By how much the area of `first` (m,) exceeds that of `second`."""
    return Pair(auroc_difference(first, second, anomalous), bootstrap_difference(first, second, anomalous, seed=seed))


def bootstrap_difference(
    first: Array, second: Array, anomalous: Flags, *, draws: int = _DRAWS, seed: int = 0
) -> AurocDifference:
    """The same difference with a percentile interval from images drawn anew within each kind, the pairs kept.

    The p-value is twice the share of draws on the other side of zero, ties half, and never below 1 / draws. Source:
    Efron and Tibshirani 1993, An introduction to the bootstrap.
    """
    rng = np.random.default_rng(seed)
    defects, normals = np.flatnonzero(anomalous), np.flatnonzero(~anomalous)
    found = np.empty(draws)
    for draw in range(draws):
        d, n = rng.choice(defects, len(defects)), rng.choice(normals, len(normals))
        found[draw] = rank_area(first[d], first[n]) - rank_area(second[d], second[n])
    low, high = np.quantile(found, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    value = rank_area(first[defects], first[normals]) - rank_area(second[defects], second[normals])
    below = np.mean(found < 0) + 0.5 * np.mean(found == 0)
    p_value = max(2 * min(below, 1 - below), 1 / draws)
    return AurocDifference(float(value), float(low), float(high), float(min(p_value, 1.0)))


def places(scores: Array, anomalous: Flags) -> Array:
    """Where each image stands among the good ones (m,): the share of good images that score lower, ties half."""
    normal = np.sort(scores[~anomalous])
    below, upto = np.searchsorted(normal, scores, "left"), np.searchsorted(normal, scores, "right")
    return np.asarray((below + upto) / (2 * len(normal)))


def disagreements(first: Array, second: Array, anomalous: Flags) -> tuple[NDArray[np.intp], Array]:
    """Images from the one on which two detectors disagree most, and by how much their places differ (m,).

    Positive where `first` finds the image stranger.
    """
    difference = places(first, anomalous) - places(second, anomalous)
    return np.argsort(-np.abs(difference), kind="stable"), difference
