"""How many normal images a detector needs: what fewer of them would have given, and how many certify a rate."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import special
from threadpoolctl import threadpool_limits

from gad_core.data.groups import default_folds
from gad_core.decision.assurance import certifiable, check_share
from gad_core.decision.curves import auroc
from gad_core.decision.rates import CONFIDENCE, exceedance
from gad_core.decision.working_point import cross_conformal
from gad_core.errors import GadError, SampleTooSmall
from gad_core.features.regions import Regions
from gad_core.gaussian.by_region import RegionsFit, fit_regions
from gad_core.gaussian.levels import LevelsFit
from gad_core.gaussian.levels_fit import fit_levels
from gad_core.gaussian.reduction import Reduction
from gad_core.gaussian.spectrum import Gaussian
from gad_core.gaussian.tuning import Tuning
from gad_core.progress import Progress

Features = NDArray[np.float32]
Flags = NDArray[np.bool_]

#: Ten images to fit and two to leave out.
MIN_IMAGES = 12
_SMALLEST, _POINTS = 10, 6  # of the sizes tried by default
_FEWEST = 5  # images of a subset
_REGION_FOLDS = 5  # of a subset, where each fold is a Gaussian for every region
_SEARCHED = 10**5  # images; beyond, nobody collects them
#: Quotients are rounded before they are cut to whole images, so that 0.29 * 100 is 29 and not a little less.
_DIGITS = 9


@dataclass(frozen=True)
class Size:
    """What `n` normal images give: one value a repetition, each of another random subset."""

    n: int
    auroc: tuple[float, ...] | None  # in [0, 1], of the summed distance; None without both kinds of test images
    left_out_fpr: tuple[float, ...]  # share of the images not drawn that are flagged; nan where it cannot be known
    shrinkage: tuple[float, ...]  # Ledoit-Wolf's, in [0, 1], mean over the tuned levels


def learning_curve(
    training_features: Features,
    slices: Sequence[slice],
    tuning: Tuning,
    *,
    regions: Regions | None = None,
    test_features: Features | None = None,
    anomalous: Flags | None = None,
    target_fpr: float = 0.05,
    sizes: Sequence[int] | None = None,
    repeats: int = 5,
    seed: int = 0,
    progress: Progress | None = None,
) -> tuple[Size, ...]:
    """Fit the tuned levels again to random subsets of the normal images (n, sum of channels), by rising size.

    A tuning that pools `regions` takes features with those by region behind the others, and fits the regions.

    Within a repetition every size holds the smaller ones, so that the steps of the curve are not those of the draw.
    `anomalous` (m,) labels `test_features` (m, sum of channels). The threshold is cross-conformal over as many folds
    as a fit of that size has; its rate is nan where the subset is too small for `target_fpr` or holds all images.
    Raises `GadError` below 12 images, for a size outside 5..n and for no repetition.
    """
    n = len(training_features)
    if n < MIN_IMAGES:
        raise GadError(f"need at least {MIN_IMAGES} normal images for a learning curve, got {n}; add normal images")
    tried = _default_sizes(n) if sizes is None else sorted(set(sizes))
    wrong = [size for size in tried if not _FEWEST <= size <= n]
    if wrong:
        raise GadError(f"a learning curve of {n} images needs sizes from {_FEWEST} to {n}, got {wrong[0]}; change it")
    if repeats < 1:
        raise GadError(f"need at least 1 repetition of a learning curve, got {repeats}; ask for more")
    chosen, fitted = _chosen(slices, tuning, regions)
    inner = replace(tuning, levels=tuple(range(1, len(tuning.levels) + 1)))  # counted among the chosen ones
    orders = [np.random.default_rng((seed, repetition)).permutation(n) for repetition in range(repeats)]
    normal = _columns(training_features, chosen)
    labels = np.zeros(0, bool) if test_features is None or anomalous is None else anomalous
    test = _columns(test_features, chosen) if test_features is not None and labels.any() and not labels.all() else None
    found: list[Size] = []
    for size in tried:
        areas, rates, shrinkages = [], [], []
        for repetition, order in enumerate(orders):
            with threadpool_limits(1, "blas"):  # as in `fit_levels`, for the scores too
                fit = fitted(normal[order[:size]])
                rates.append(_left_out_fpr(fit, normal[order[size:]], inner, target_fpr))
                if test is not None:
                    areas.append(auroc(fit.scores_at(test, inner), labels).value)
            shrinkages.append(float(np.mean([g.spectrum.shrinkage(tuning.reduction) for g in fit.fitted])))
            if progress:
                progress(len(found) * repeats + repetition + 1, len(tried) * repeats)
        found.append(Size(size, tuple(areas) or None, tuple(rates), tuple(shrinkages)))
    return tuple(found)


def certifiable_with(target_fpr: float, share: float, confidence: float = CONFIDENCE) -> int:
    """The same where floor(share n) of n are flagged: the smallest n whose one-sided upper bound is the target at most.

    The bound is Clopper and Pearson's (1934, Biometrika 26). A few images more can undo it, where they make room for
    one more flagged image. Raises `GadError` unless 0 <= share < target, and where over 100,000 images are needed.
    """
    check_share(target_fpr, confidence)
    if not 0 <= share < target_fpr:
        raise GadError(
            f"a rate of {100 * target_fpr:.3g} % can be certified only where fewer are flagged, got a share of "
            f"{100 * share:.3g} %; choose a higher rate"
        )
    start = certifiable(target_fpr, confidence)
    while start <= _SEARCHED:
        n = np.arange(start, 2 * start)
        flagged = np.floor(np.round(share * n, _DIGITS))
        enough = special.betainc(n - flagged, flagged + 1, 1 - target_fpr) <= (1 - confidence) * (1 + 10**-_DIGITS)
        if enough.any():
            return int(n[enough.argmax()])
        start *= 2
    raise GadError(
        f"{100 * share:.3g} % flagged lie so near to the target of {100 * target_fpr:.3g} % that over 100,000 images "
        "could not tell them apart; choose a higher rate"
    )


def _default_sizes(n: int) -> list[int]:
    sizes = np.geomspace(_SMALLEST, 9 * n // 10, _POINTS).round().astype(int)
    return sorted(set(sizes.tolist()))


def _columns(features: Features, parts: Sequence[slice]) -> Features:
    return np.concatenate([features[:, part] for part in parts], axis=1)


class _Fit(Protocol):
    """What a curve asks of a fit."""

    @property
    def fitted(self) -> Sequence[Gaussian]: ...

    def scores_at(self, features: Features, tuning: Tuning) -> NDArray[np.float64]: ...

    def left_out_scores(self, tuning: Tuning) -> NDArray[np.float64]: ...


def _chosen(
    slices: Sequence[slice], tuning: Tuning, regions: Regions | None
) -> tuple[list[slice], Callable[[Features], _Fit]]:
    """The columns that the tuned levels need, and the fit of an array that has these alone, in that order."""
    levels = [slices[level - 1] for level in tuning.levels]
    own = _side_by_side(levels)
    if tuning.pool is None:
        return levels, lambda normal: _Whole.of(normal, own)
    if regions is None:
        raise GadError("this tuning pools regions, and none were named; name those of the fit")
    by_region = regions.slices(slices)
    kept = [part for level in tuning.levels for part in by_region[regions.levels.index(level)]]
    inner = replace(regions, levels=tuple(range(1, len(levels) + 1)))
    return [*levels, *kept], lambda normal: _ByRegion.of(normal, inner, own, tuning.reduction)


@dataclass(frozen=True)
class _Whole:
    fit: LevelsFit

    @classmethod
    def of(cls, normal: Features, slices: Sequence[slice]) -> "_Whole":
        """The tuned levels alone; the images come in random order, so folds may go by turns."""
        return cls(fit_levels(normal, slices, np.arange(len(normal)) % default_folds(len(normal))))

    @property
    def fitted(self) -> Sequence[Gaussian]:
        return self.fit.gaussians

    def scores_at(self, features: Features, tuning: Tuning) -> NDArray[np.float64]:
        return self.fit.scores_at(features, tuning)

    def left_out_scores(self, tuning: Tuning) -> NDArray[np.float64]:
        return self.fit.left_out_scores(tuning)


@dataclass(frozen=True)
class _ByRegion:
    fit: RegionsFit
    folds: NDArray[np.intp]

    @classmethod
    def of(cls, normal: Features, regions: Regions, slices: Sequence[slice], reduction: Reduction) -> "_ByRegion":
        """The regions of the tuned levels at one cut."""
        folds = np.arange(len(normal)) % min(_REGION_FOLDS, default_folds(len(normal)))
        return cls(fit_regions(normal, regions, slices, folds, reduction=reduction, usual=()), folds)

    @property
    def fitted(self) -> Sequence[Gaussian]:
        return [gaussian for level in self.fit.gaussians for gaussian in level]

    def scores_at(self, features: Features, tuning: Tuning) -> NDArray[np.float64]:
        return self.fit.scores(features, tuning)

    def left_out_scores(self, tuning: Tuning) -> NDArray[np.float64]:
        return self.fit.left_out_scores(tuning, self.folds)


def _side_by_side(parts: Sequence[slice]) -> list[slice]:
    ends = np.cumsum([0, *(part.stop - part.start for part in parts)]).tolist()
    return [slice(start, end) for start, end in pairwise(ends)]


def _left_out_fpr(fit: _Fit, rest: Features, tuning: Tuning, target_fpr: float) -> float:
    try:
        point = cross_conformal(fit.left_out_scores(tuning), target_fpr)
    except SampleTooSmall:
        return math.nan
    return exceedance(fit.scores_at(rest, tuning), point.threshold).value if len(rest) else math.nan
