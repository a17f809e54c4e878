"""ROC and precision-recall curves, and the area under the ROC with an interval."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special, stats

from gad_core.decision.rates import CONFIDENCE, clopper_pearson
from gad_core.errors import GadError

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Curve:
    """Points (p,) of a curve, and the threshold at each: an image is flagged where its score is at least that."""

    x: Array
    y: Array
    thresholds: Array


@dataclass(frozen=True)
class Auroc:
    """Area under the ROC in [0, 1] with a 95 % interval, and the name of the method that gave the interval."""

    value: float
    low: float
    high: float
    interval: str
    n_normal: int
    n_anomalous: int


@dataclass(frozen=True)
class AurocDifference:
    """One area less another on the same images, with a 95 % interval, and the two-sided p-value of no difference."""

    value: float
    low: float
    high: float
    p_value: float

    @property
    def by_chance(self) -> bool:
        """Whether no difference lies inside the interval."""
        return self.low <= 0 <= self.high


def roc(scores: Array, anomalous: Flags) -> Curve:
    """False-positive rate (x) against true-positive rate (y), from (0, 0) to (1, 1); tied scores move together."""
    thresholds, flagged, caught = _cumulate(scores, anomalous)
    false = flagged - caught
    origin = np.zeros(1)
    return Curve(
        np.concatenate([origin, false / false[-1]]),
        np.concatenate([origin, caught / caught[-1]]),
        np.concatenate([[np.inf], thresholds]),
    )


def roc_band(curve: Curve, *, n_normal: int, n_anomalous: int) -> tuple[Curve, Curve]:
    """Lower and upper band of a ROC: at every threshold, both rates lie between the two with 95 % confidence at least.

    Each rate has its exact interval at confidence sqrt(0.95), for the two are independent; the band runs through the
    corners of those rectangles. A bootstrap band would have no width where the classes are separated. Source: Hilgers
    1991, Methods of Information in Medicine 30.
    """
    (x_low, x_high), (y_low, y_high) = (
        clopper_pearson(np.rint(share * n).astype(np.intp), n, confidence=CONFIDENCE**0.5)
        for share, n in ((curve.x, n_normal), (curve.y, n_anomalous))
    )
    return Curve(x_high, y_low, curve.thresholds), Curve(x_low, y_high, curve.thresholds)


def precision_recall(scores: Array, anomalous: Flags) -> Curve:
    """Recall (x) against precision (y), from the highest threshold down."""
    thresholds, flagged, caught = _cumulate(scores, anomalous)
    return Curve(caught / caught[-1], caught / flagged, thresholds)


def auroc(scores: Array, anomalous: Flags) -> Auroc:
    """Area under the ROC: the chance that an anomalous image scores above a normal one, ties counting half.

    The interval is DeLong's on the logit scale, which keeps it inside [0, 1]. Where DeLong's variance is zero (perfect
    separation) or unknown (one image in a class) it is Newcombe's, from the Hanley-McNeil variance at the bound itself.
    Sources: DeLong et al. 1988, Biometrics 44; Newcombe 2006, Statistics in Medicine 25, method 5.
    """
    _check(scores, anomalous)
    positive, negative = scores[anomalous], scores[~anomalous]
    m, n = len(positive), len(negative)
    beaten, lost = _placements(positive, negative)
    area = float(beaten.mean())
    variance = beaten.var(ddof=1) / m + lost.var(ddof=1) / n if min(m, n) > 1 else 0.0
    if variance > 0 and 0 < area < 1:
        step = _z() * np.sqrt(variance) / (area * (1 - area))
        low, high = special.expit(special.logit(area) + np.array([-step, step]))
        return Auroc(area, float(low), float(high), "DeLong", n, m)
    return Auroc(area, *_newcombe(area, m, n), "Newcombe", n, m)


def auroc_difference(first: Array, second: Array, anomalous: Flags) -> AurocDifference:
    """How much larger the area of `first` is than that of `second`, both scores (m,) of the same images.

    Interval and p-value are DeLong's for correlated areas. Where no difference varies (one image in a class, or the
    same order in both), nothing can be said: the interval is all of [-1, 1] and p is 1, unless both scores place every
    image alike. Source: DeLong et al. 1988, Biometrics 44.
    """
    _check(first, anomalous)
    _check(second, anomalous)
    (beaten, lost), (beaten_2, lost_2) = (_placements(one[anomalous], one[~anomalous]) for one in (first, second))
    by_defect, by_normal = beaten - beaten_2, lost - lost_2
    value = float(beaten.mean() - beaten_2.mean())
    if not by_defect.any() and not by_normal.any():
        return AurocDifference(0.0, 0.0, 0.0, 1.0)
    m, n = len(by_defect), len(by_normal)
    variance = by_defect.var(ddof=1) / m + by_normal.var(ddof=1) / n if min(m, n) > 1 else 0.0
    if variance <= 0:
        return AurocDifference(value, -1.0, 1.0, 1.0)
    error = float(np.sqrt(variance))
    step = _z() * error
    p_value = float(2 * special.ndtr(-abs(value) / error))
    return AurocDifference(value, max(value - step, -1.0), min(value + step, 1.0), p_value)


def rank_area(positive: Array, negative: Array) -> float:
    """The area alone: the chance that a positive scores above a negative, ties counting half."""
    m, n = len(positive), len(negative)
    ranks = stats.rankdata(np.concatenate([positive, negative]))[:m]
    return float((ranks.sum() - m * (m + 1) / 2) / (m * n))


def _placements(positive: Array, negative: Array) -> tuple[Array, Array]:
    """The share of the other class that each positive beats (m,), and that each negative loses to (n,); ties are half.

    From midranks among all less midranks within the own class.
    """
    m, n = len(positive), len(negative)
    ranks = stats.rankdata(np.concatenate([positive, negative]))
    beaten = (ranks[:m] - stats.rankdata(positive)) / n
    lost = 1 - (ranks[m:] - stats.rankdata(negative)) / m
    return beaten, lost


def _cumulate(scores: Array, anomalous: Flags) -> tuple[Array, NDArray[np.intp], NDArray[np.intp]]:
    """Distinct scores by falling value; images at or above each, and anomalous ones among them."""
    _check(scores, anomalous)
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)  # of each run of ties
    return scores[order][last], last + 1, np.cumsum(anomalous[order])[last]


def _newcombe(area: float, m: int, n: int) -> tuple[float, float]:
    """Bounds theta with |area - theta| = z sqrt(V(theta)), V being the Hanley-McNeil variance."""
    extra = (m + n) / 2 - 1

    def excess(theta: float) -> float:
        spread = 1 + extra * ((1 - theta) / (2 - theta) + theta / (1 + theta))
        return (area - theta) ** 2 - _z() ** 2 * theta * (1 - theta) * spread / (m * n)

    # excess is positive at 0 and 1 and negative next to the area.
    tiny = 1e-12
    low = float(optimize.brentq(excess, 0.0, min(area, 1 - tiny))) if area > 0 else 0.0
    high = float(optimize.brentq(excess, max(area, tiny), 1.0)) if area < 1 else 1.0
    return low, high


def _z() -> float:
    return float(special.ndtri((1 + CONFIDENCE) / 2))


def _check(scores: Array, anomalous: Flags) -> None:
    n_anomalous = int(np.count_nonzero(anomalous))
    if not 0 < n_anomalous < len(scores):
        raise GadError(
            f"a ROC needs normal and anomalous test images, got {len(scores) - n_anomalous} normal and "
            f"{n_anomalous} anomalous; add the missing kind"
        )
    if not np.isfinite(scores).all():
        raise GadError("the scores hold values that are not finite; check the images and the fit")
