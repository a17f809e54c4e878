"""Thresholds from an acceptable false-positive rate; each says how it was made and from how many images."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from gad_core.decision.assurance import assured_ranks, needed_for_assurance
from gad_core.decision.chi_law import Law
from gad_core.decision.ranks import (
    DIGITS,
    Groups,
    left_out_counts,
    n_groups,
    needed_units,
    one_a_group,
    rank_thresholds,
)
from gad_core.decision.rates import Rate, exceedance, rate
from gad_core.errors import GadError, SampleTooSmall
from gad_core.gaussian.tuning import WorkingPoint

Array = NDArray[np.float64]

METHODS = (
    "chi2",
    "hotelling",
    "cross-conformal",
    "cross-confident",
    "cross-simultaneous",
    "split-conformal",
    "split-confident",
    "split-simultaneous",
    "pareto",
)
#: How methods end that promise a rate of at most the target.
BOUNDS = ("-confident", "-simultaneous")


def conformal_rank(n: int, target_fpr: float) -> int:
    """The number, rising from 1, of the score that is the conformal threshold: above n, there is none."""
    return math.ceil(round((n + 1) * (1 - target_fpr), DIGITS))


def sigma_fpr(n: float) -> float:
    """The false-positive rate of an n-sigma target: 1 - erf(n / sqrt 2) (Sec. V-C)."""
    return float(special.erfc(n / math.sqrt(2)))


def needed_normals(target_fpr: float) -> int:
    """Normal images from which a conformal threshold for the target can be had: n >= 1 / FPR - 1."""
    _check(target_fpr)
    return int(needed_units(np.array(target_fpr)))


def chi2(target_fpr: float, *, law: Law, n_train: int) -> WorkingPoint:
    """What chi-square predicts: t = sqrt(F^-1(1 - FPR)) at one level (eq. 6), the quantile of coupled laws beyond.

    It takes mean and covariance for known, which `n_train` images do not give. Raises `SampleTooSmall` as the law does.
    """
    _check(target_fpr)
    how = f"{law.how}, as if mean and covariance were known; {n_train} images gave them"
    return WorkingPoint("chi2", target_fpr, law.threshold(target_fpr), n_train, how)


def hotelling(target_fpr: float, *, k: int, n_train: int) -> WorkingPoint:
    """The threshold for a new image when mean and 1/n covariance were estimated from n images: an F law.

    For Gaussian features and no shrinkage, M^2 (n - k) / (k (n + 1)) follows F(k, n - k). Raises `SampleTooSmall`
    unless n > k. Source: Hotelling 1931; Anderson, An Introduction to Multivariate Statistical Analysis, Sec. 5.2.
    """
    _check(target_fpr)
    if n_train <= k:
        raise SampleTooSmall(
            f"Hotelling's law needs more normal images than the {k} dimensions kept, got {n_train}; add "
            f"{k + 1 - n_train} images or keep fewer components",
            needed=k + 1,
            n=n_train,
        )
    d2 = k * (n_train + 1) / (n_train - k) * stats.f.isf(target_fpr, k, n_train - k)
    how = f"Hotelling's F law for {k} dimensions estimated from {n_train} images; it ignores the shrinkage"
    return WorkingPoint("hotelling", target_fpr, float(np.sqrt(d2)), n_train, how)


def cross_conformal(left_out: Array, target_fpr: float) -> WorkingPoint:
    """The ceil((n + 1) (1 - FPR))-th smallest of the n left-out scores, for the full fit's score.

    Close to its target on real data sets and on simulated features (`benchmarks/coverage.py`), without a worst-case
    theorem. Raises `SampleTooSmall` below 1 / FPR - 1 images.
    """
    n = len(left_out)
    threshold = _quantile("cross-conformal", left_out, target_fpr, "left-out normal images")
    how = f"quantile of the scores of {n} normal images, each from a fit without its fold"
    return WorkingPoint("cross-conformal", target_fpr, threshold, n, how)


def split_conformal(calibration: Array, target_fpr: float, *, groups: Groups | None = None) -> WorkingPoint:
    """The same quantile of separate normal images: a new normal image exceeds it with chance FPR at most.

    With groups (lots, sessions) every group carries the same mass, spread over its images, so that the promise holds
    for an image of a new group; an image without a group is a group of its own. Raises `SampleTooSmall`. Sources:
    Vovk et al. 2005; Lee, Barber & Willett 2023, Distribution-free inference with hierarchical data.
    """
    n = len(calibration)
    threshold = _quantile("split-conformal", calibration, target_fpr, "calibration images", groups)
    of_groups = f" in {n_groups(groups)} groups" if groups else ""
    how = f"quantile of the scores of {n} separate normal images{of_groups}, with a finite-sample guarantee"
    return WorkingPoint("split-conformal", target_fpr, threshold, n, how)


def confident(
    scores: Array, target_fpr: float, *, split: bool, simultaneous: bool = False, groups: Groups | None = None
) -> WorkingPoint:
    """At most the target with 95 % confidence: the smallest score above which Beta(n + 1 - k, k) says so.

    A conformal threshold keeps its target on the mean over calibrations, this one in 95 of 100; with `simultaneous`
    the thresholds of all targets keep theirs together, which a person needs who slides and looks. Exact for separate
    normal images (`split`), about so for left-out ones. Of every group (lot, session) one image counts, drawn with a
    fixed seed, so that the promise is for an image of a new group. Raises `SampleTooSmall`.
    """
    _check(target_fpr)
    kept = scores[one_a_group(groups)] if groups else scores
    what = "calibration images" if split else "left-out normal images"
    units = f"groups of {what}" if groups else what
    n = len(kept)
    rank = int(assured_ranks(n, np.array([target_fpr]), simultaneous=simultaneous)[0])
    at_once = " at every target at once" if simultaneous else ""
    if not rank:
        needed = needed_for_assurance(target_fpr, simultaneous=simultaneous)
        raise SampleTooSmall(
            f"95 % confidence in a false-positive rate of at most {100 * target_fpr:.3g} %{at_once} needs at least "
            f"{needed:,} {units}, got {n}; add {needed - n:,} or choose a higher rate",
            needed=needed,
            n=n,
        )
    surely = "with 95 % confidence" if split else "with about 95 % confidence"
    how = f"{surely}{at_once} at most {100 * target_fpr:.3g} %: number {rank} of the scores of {n} {units}, rising"
    method = f"{'split' if split else 'cross'}-{'simultaneous' if simultaneous else 'confident'}"
    return WorkingPoint(method, target_fpr, float(np.partition(kept, rank - 1)[rank - 1]), n, how)


def remake(method: str, scores: Array, target_fpr: float, *, groups: Groups | None = None) -> WorkingPoint:
    """Make a threshold from scores of normal images by one of the methods that go by ranks; raises `SampleTooSmall`."""
    split, kind = method.startswith("split"), method.partition("-")[2]
    if kind == "conformal":
        return split_conformal(scores, target_fpr, groups=groups) if split else cross_conformal(scores, target_fpr)
    return confident(scores, target_fpr, split=split, simultaneous=kind == "simultaneous", groups=groups)


def left_out_rate(
    point: WorkingPoint, left_out: Array, folds: NDArray[np.intp], *, groups: Groups | None = None
) -> Rate | None:
    """The share of left-out normal images (n,) that the threshold flags.

    One that was made from these very scores is judged fold by fold, against that of the other folds instead; None
    where those are too few for the target, and for an extrapolated one, which none of them can judge.
    """
    if point.method == "pareto":
        return None
    if not point.method.startswith("cross"):
        return exceedance(left_out, point.threshold)
    targets = np.array([point.target_fpr])
    flagged = int(left_out_counts(point.method, left_out, folds, targets, groups=groups)[0])
    return rate(flagged, len(left_out)) if flagged >= 0 else None


def conformal_p_values(scores: Array, normal: Array) -> Array:
    """For each score (1 + number of normal scores at or above) / (n + 1): small where an image is unlike normal."""
    at_or_above = len(normal) - np.searchsorted(np.sort(normal), scores, side="left")
    return np.asarray((1 + at_or_above) / (len(normal) + 1))


def hotelling_p_values(distances: Array, *, k: int, n_train: int) -> Array:
    """The same with mean and covariance estimated from n images; raises `SampleTooSmall` unless n > k."""
    hotelling(0.5, k=k, n_train=n_train)
    return np.asarray(stats.f.sf(np.square(distances) * (n_train - k) / (k * (n_train + 1)), k, n_train - k))


def _quantile(method: str, scores: Array, target_fpr: float, what: str, groups: Groups | None = None) -> float:
    """The conformal threshold; raises `SampleTooSmall`."""
    _check(target_fpr)
    n = n_groups(groups) if groups else len(scores)
    needed = needed_normals(target_fpr)
    if n < needed:
        units = f"groups of {what}" if groups else what
        raise SampleTooSmall(
            f"a false-positive rate of {100 * target_fpr:.3g} % needs at least {needed} {units}, got {n}; add "
            f"{needed - n} or choose a higher rate",
            needed=needed,
            n=n,
        )
    return float(rank_thresholds(method, scores, np.array([target_fpr]), groups=groups)[0])


def _check(target_fpr: float) -> None:
    if not 0 < target_fpr < 1:
        raise GadError(f"a target false-positive rate lies between 0 and 1 (0.05 is 5 %), got {target_fpr:g}")
