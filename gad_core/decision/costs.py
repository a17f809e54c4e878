"""What a threshold means in production: parts per shift, expected cost, a review band, a check of chi-square."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from gad_core.decision.rates import Rate, rate
from gad_core.errors import GadError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Shift:
    """Expected parts per shift by what they are and what happens to them."""

    good_passed: float
    good_flagged: float
    bad_caught: float
    bad_missed: float


@dataclass(frozen=True)
class CostCurve:
    """Expected cost (t,) per shift at thresholds (t,), by rising threshold, and the threshold of the least."""

    threshold: Array
    cost: Array
    cheapest: float


@dataclass(frozen=True)
class Band:
    """A part is accepted up to one distance, rejected above another, and reviewed by a person between them."""

    accept_below: float
    reject_above: float


@dataclass(frozen=True)
class BandRates:
    """Shares accepted, reviewed and rejected; None where there are no such images."""

    good: tuple[Rate, Rate, Rate] | None
    bad: tuple[Rate, Rate, Rate] | None


def parts_per_shift(tpr: float, fpr: float, *, parts: int, defect_share: float) -> Shift:
    """Expected outcomes of `parts` parts, `defect_share` in [0, 1] of them defective, at rates in [0, 1].

    Raises `GadError` without parts or for a share outside [0, 1].
    """
    if parts < 1:
        raise GadError(f"a shift has at least 1 part, got {parts}; give the number of parts made")
    if not 0 <= defect_share <= 1:
        raise GadError(f"the share of defective parts lies between 0 and 1, got {defect_share:g}; change it")
    bad, good = parts * defect_share, parts * (1 - defect_share)
    return Shift(good * (1 - fpr), good * fpr, bad * tpr, bad * (1 - tpr))


def expected_cost(shift: Shift, *, miss: float, false_alarm: float) -> float:
    """Cost per shift, each missed defect and each flagged good part having its own."""
    return shift.bad_missed * miss + shift.good_flagged * false_alarm


def cost_curve(
    normal: Array, defects: Array, *, parts: int, defect_share: float, miss: float, false_alarm: float
) -> CostCurve:
    """Expected cost at every threshold that tells scores apart: below all, between neighbours, above all.

    `normal` (n,) and `defects` (m,) are scores; a part is flagged where its score exceeds the threshold. Of equally
    cheap thresholds the one in the widest gap is the cheapest, in log distance where no score lies below zero. Raises
    `GadError` without scores of a kind, and as `parts_per_shift`.
    """
    if not len(normal) or not len(defects):
        raise GadError(
            f"a cost needs scores of good and of defective images, got {len(normal)} and {len(defects)}; add the "
            "missing kind"
        )
    scores = np.unique(np.concatenate([normal, defects]))
    room = 0.02 * np.abs(np.where(scores[[0, -1]] == 0, 1.0, scores[[0, -1]]))  # everything can be flagged, and nothing
    edges = np.concatenate([[scores[0] - room[0]], scores, [scores[-1] + room[1]]])
    thresholds = (edges[:-1] + edges[1:]) / 2
    fpr = 1 - np.searchsorted(np.sort(normal), thresholds, side="right") / len(normal)
    tpr = 1 - np.searchsorted(np.sort(defects), thresholds, side="right") / len(defects)
    one = parts_per_shift(0, 1, parts=parts, defect_share=defect_share)  # everything wrong that can be
    cost = one.good_flagged * fpr * false_alarm + one.bad_missed * (1 - tpr) * miss
    gaps = np.diff(np.log(np.maximum(edges, np.finfo(float).tiny)) if edges[1] >= 0 else edges)
    least = np.flatnonzero(np.isclose(cost, cost.min(), rtol=1e-12, atol=0))
    return CostCurve(thresholds, cost, float(thresholds[least[gaps[least].argmax()]]))


def band_rates(scores: Array, anomalous: NDArray[np.bool_], band: Band) -> BandRates:
    """Shares of good and defective images (m,) that are accepted, reviewed and rejected."""
    if band.reject_above < band.accept_below:
        raise GadError(
            f"the distance above which parts are rejected ({band.reject_above:g}) lies below that up to which they are "
            f"accepted ({band.accept_below:g}); exchange them"
        )
    return BandRates(_three(scores[~anomalous], band), _three(scores[anomalous], band))


def qq_points(distances: Array, k: int) -> tuple[Array, Array]:
    """Chi-square quantiles with k degrees of freedom at (i - 1/2) / n, and the squared distances, both rising (n,)."""
    n = len(distances)
    return np.asarray(stats.chi2.ppf((np.arange(n) + 0.5) / n, k)), np.square(np.sort(distances))


def _three(scores: Array, band: Band) -> tuple[Rate, Rate, Rate] | None:
    if not len(scores):
        return None
    accepted = int(np.count_nonzero(scores <= band.accept_below))
    rejected = int(np.count_nonzero(scores > band.reject_above))
    counts: Sequence[int] = (accepted, len(scores) - accepted - rejected, rejected)
    one, two, three = (rate(count, len(scores)) for count in counts)
    return one, two, three
