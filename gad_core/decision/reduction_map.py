"""Every level at every reduction: how well it discriminates, how well it generalises, what choosing the best costs.

The paper's Table V on the user's own images (Sec. IV-B).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gad_core.decision.evaluation import Projected
from gad_core.errors import GadError
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.levels import sum_levels
from gad_core.gaussian.reduction import REDUCTIONS, Reduction
from gad_core.gaussian.spectrum import Coordinates
from gad_core.gaussian.tuning import Distance, Tuning

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

_SPLITS = 20


@dataclass(frozen=True)
class Choice:
    """The cell with the best AUROC on all test images, and what such a choice is worth on other images."""

    level: int  # 1-based
    reduction: Reduction
    area: float  # on the images it was chosen on, in [0, 1]
    split_half: float  # mean AUROC on the other half of the images, the cell being chosen on one half


@dataclass(frozen=True)
class ReductionMap:
    """AUROC in [0, 1] by level and reduction (L, len(REDUCTIONS)), and the best cell."""

    areas: Array
    best: Choice


def distance_cube(
    coordinates: Sequence[Coordinates],
    detector: Detector,
    *,
    distance: Distance = "mahalanobis",
    reductions: Sequence[Reduction] = REDUCTIONS,
) -> Array:
    """Distances of m images at every level and reduction: (m, L, len(reductions))."""
    gaussians = zip(detector.gaussians, coordinates, strict=True)
    return np.stack([g.spectrum.distance_table(c, reductions, distance=distance) for g, c in gaussians], axis=1)


def area_table(scores: Array, anomalous: Flags) -> Array:
    """Area under the ROC of every column of scores (m, ..), anomalous (m,): (..)."""
    flat, n_good = scores.reshape(len(scores), -1), int(np.count_nonzero(~anomalous))
    areas = [_area(*_below(column[anomalous], np.sort(column[~anomalous])), n=n_good) for column in flat.T]
    return np.array(areas).reshape(scores.shape[1:])


def reduction_map(
    projected: Projected, anomalous: Flags, *, distance: Distance = "mahalanobis", seed: int = 0
) -> ReductionMap:
    """All cells on test images labelled `anomalous` (m,), and the split-half estimate of what choosing one costs.

    Half of the normal and half of the defective images choose a cell, the others score it; 20 random splits, both
    ways. Raises `GadError` with fewer than two images of a kind.
    """
    n_bad = int(np.count_nonzero(anomalous))
    if min(n_bad, len(anomalous) - n_bad) < 2:
        raise GadError(
            f"a map of AUROC needs at least 2 normal and 2 defective test images, got {len(anomalous) - n_bad} and "
            f"{n_bad}; add the missing kind"
        )
    cube = distance_cube(projected.test, projected.detector, distance=distance)
    shape = cube.shape[1:]
    bad, good = _halves(n_bad, seed), _halves(len(anomalous) - n_bad, seed + 1)
    areas, halves = np.empty(shape), np.empty((len(bad), *shape))
    below = np.zeros((len(good), good.shape[1] + 1))  # weight of the normal images below each rank
    for cell in np.ndindex(*shape):
        scores = cube[:, *cell]
        normal = scores[~anomalous]
        order = normal.argsort()
        low, high = _below(scores[anomalous], normal[order])
        areas[cell] = _area(low, high, n=len(normal))
        np.cumsum(good[:, order], axis=1, out=below[:, 1:])
        halves[:, *cell] = np.einsum("sp,sp->s", bad, below[:, low] + below[:, high]) / 2
    flat = halves.reshape(len(bad), -1)
    other = flat[np.arange(len(bad)) ^ 1]  # halves come in pairs
    split_half = np.take_along_axis(other, flat.argmax(axis=1)[:, None], axis=1).mean()
    level, column = np.unravel_index(areas.argmax(), shape)
    return ReductionMap(areas, Choice(int(level) + 1, REDUCTIONS[column], float(areas.max()), float(split_half)))


def inflation(detector: Detector, *, distance: Distance = "mahalanobis") -> Array:
    """By level and reduction (L, len(REDUCTIONS)): median distance of left-out images over that of fitted ones.

    1 where a Gaussian fits new good parts as well as its own, more where it is overfitted.
    """
    own = np.median(
        distance_cube(detector.coordinates(detector.training.features), detector, distance=distance), axis=0
    )
    return np.asarray(np.median(detector.left_out_tables(REDUCTIONS, distance=distance), axis=0) / own)


def sum_areas(projected: Projected, anomalous: Flags, tuning: Tuning) -> Array:
    """AUROC of a tuning's own score, the sum over its levels or its regions, at every reduction: (len(REDUCTIONS),)."""
    if tuning.pool:
        tables = projected.detector.pooled_tables(projected.features, tuning)
        sums = [tables[reduction] for reduction in REDUCTIONS]
    else:
        cube = distance_cube(projected.test, projected.detector, distance=tuning.distance)
        sums = [sum_levels(cube[..., column], tuning.levels) for column in range(len(REDUCTIONS))]
    return area_table(np.stack(sums, axis=1), anomalous)


def whitened_energy(detector: Detector, level: int, coordinates: Coordinates) -> Array:
    """Mean squared coordinate over its variance, by component (r,): about 1 for images like the fitted ones."""
    return np.asarray(coordinates.z2.mean(axis=0) / detector.gaussians[level - 1].spectrum.eigenvalues)


def _below(bad: Array, normal: Array) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """How many of the normal images' rising scores lie below each defective image's, and how many not above it.

    Pair by pair, 20,000 images took minutes and 300 MB a cell.
    """
    return np.searchsorted(normal, bad, "left"), np.searchsorted(normal, bad, "right")


def _area(low: NDArray[np.intp], high: NDArray[np.intp], *, n: int) -> float:
    """Share of pairs in which the defective image scores higher than one of n normal ones; a tie is half."""
    return float((low + high).mean() / (2 * n))


def _halves(n: int, seed: int) -> Array:
    """Weights (2 x splits, n) that average over one half of n images; rows 2 i and 2 i + 1 are complements."""
    rng = np.random.default_rng(seed)
    weights = np.zeros((2 * _SPLITS, n))
    for split in range(_SPLITS):
        order = rng.permutation(n)
        for side, rows in enumerate((order[: n // 2], order[n // 2 :])):
            weights[2 * split + side, rows] = 1 / len(rows)
    return weights
