"""Gaussians of all levels with what the left-out folds say of them: distances and scores at every tuning."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gad_core.gaussian.reduction import Reduction
from gad_core.gaussian.spectrum import Array, Coordinates, Gaussian, Spectrum
from gad_core.gaussian.tuning import Distance, Tuning

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class LeftOut:
    """One fold at one level: the spectrum fitted without the fold's images, and their coordinates in that fit."""

    spectrum: Spectrum
    coordinates: Coordinates


@dataclass(frozen=True, kw_only=True)
class LevelsFit:
    """Gaussians of all levels, and what the left-out folds say at every reduction, without a new fit."""

    slices: tuple[slice, ...]  # of each level in the feature vector
    gaussians: tuple[Gaussian, ...]  # by level
    folds: Rows  # (n,) the fold in which each image was left out
    left_out: tuple[tuple[LeftOut, ...], ...]  # [level][fold]

    @property
    def n_train(self) -> int:
        """Number of normal images behind the fit."""
        return self.n_left_out

    @property
    def n_left_out(self) -> int:
        """Number of those that were scored left out."""
        return len(self.folds)

    @property
    def n_levels(self) -> int:
        """Number of levels."""
        return len(self.gaussians)

    @property
    def n_folds(self) -> int:
        """Number of left-out folds."""
        return int(self.folds.max()) + 1

    def coordinates(self, features: NDArray[np.float32]) -> tuple[Coordinates, ...]:
        """Coordinates of feature vectors (n, sum of channels) at every level; compute once, score at any reduction."""
        return tuple(g.coordinates(features[:, part]) for g, part in zip(self.gaussians, self.slices, strict=True))

    def distances(
        self, coordinates: Sequence[Coordinates], reduction: Reduction, *, distance: Distance = "mahalanobis"
    ) -> Array:
        """Distance of every image at every level after a reduction: (n, L)."""
        pairs = zip(self.gaussians, coordinates, strict=True)
        return np.stack([g.spectrum.distances(c, reduction, distance=distance) for g, c in pairs], axis=1)

    def left_out_distances(self, reduction: Reduction, *, distance: Distance = "mahalanobis") -> Array:
        """Distance of every left-out image from the Gaussian of the folds without it: (n, L)."""
        return self.left_out_tables([reduction], distance=distance)[..., 0]

    def left_out_tables(self, reductions: Sequence[Reduction], *, distance: Distance = "mahalanobis") -> Array:
        """The same at many reductions: (n, L, len(reductions)), in the full fit's number of dimensions.

        Where images are fewer than features, a fold has fewer components to keep than the full fit: its squared
        distances, about one per dimension, are stretched by k / k_fold. L2 keeps a share of the variance instead.
        """
        table = np.empty((self.n_left_out, self.n_levels, len(reductions)))
        for level, by_fold in enumerate(self.left_out):
            whole = self.gaussians[level].spectrum
            for rows, fold in zip(fold_rows(self.folds), by_fold, strict=True):
                table[rows, level] = fold.spectrum.distance_table(fold.coordinates, reductions, distance=distance)
                if distance != "l2":
                    stretch = [whole.dimension(kept) / fold.spectrum.dimension(kept) for kept in reductions]
                    table[rows, level] *= np.sqrt(stretch)
        return table

    def scores_at(self, features: NDArray[np.float32], tuning: Tuning) -> Array:
        """Anomaly score (n,) at a tuning: the sum over its levels (eq. 4)."""
        by_level = self.distances(self.coordinates(features), tuning.reduction, distance=tuning.distance)
        return sum_levels(by_level, tuning.levels)

    def left_out_scores(self, tuning: Tuning) -> Array:
        """Score of every training image from the Gaussians of the folds without it (n,)."""
        return sum_levels(self.left_out_distances(tuning.reduction, distance=tuning.distance), tuning.levels)


def sum_levels(distances: Array, levels: Sequence[int]) -> Array:
    """Sum the distances (n, L) over 1-based `levels` (eq. 4): (n,)."""
    return np.asarray(distances[:, np.asarray(levels) - 1].sum(axis=1))


def fold_rows(folds: Rows) -> list[Rows]:
    """Rows of each fold, by fold id."""
    return [np.flatnonzero(folds == fold) for fold in range(int(folds.max()) + 1)]
