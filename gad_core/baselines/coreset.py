"""Nearest neighbours of regions in a coreset of those of normal images: PatchCore's idea on our regions."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.neighbors import NearestNeighbors
from sklearn.random_projection import SparseRandomProjection

from gad_core.baselines.scorer import Array, Features
from gad_core.errors import GadError

#: Share of the normal regions that the coreset keeps.
SHARE = 0.1
_PROJECTED = 128  # dimensions in which the coreset is drawn
_AROUND = 9  # neighbours in the coreset by which the largest distance is weighed
_BATCH = 64  # images that are compared at a time


@dataclass(frozen=True)
class Coreset:
    """Features of some of the regions of normal images, such that every other one lies near one of them."""

    slices: tuple[tuple[slice, ...], ...]  # [level][region] in the feature vector
    kept: NDArray[np.float32] = field(repr=False)  # (m, C): the levels' channels, one after the other

    @cached_property
    def _index(self) -> NearestNeighbors:
        return NearestNeighbors(n_neighbors=1, algorithm="brute").fit(self.kept)

    def distances(self, features: Features) -> Array:
        """Distance of every region (n, regions) from the nearest of the coreset."""
        return self._nearest(features)[0]

    @property
    def n_bytes(self) -> int:
        """What it takes to keep."""
        return self.kept.nbytes

    def scores(self, features: Features) -> Array:
        """The largest distance of a region (n,), weighed by how alone its nearest neighbour stands in the coreset."""
        distances, nearest = self._nearest(features)
        regions = _regions(features, self.slices)
        rows, worst = np.arange(len(features)), distances.argmax(axis=1)
        largest = distances[rows, worst]
        if len(self.kept) == 1:
            return np.asarray(largest)
        around = self._index.kneighbors(
            self.kept[nearest[rows, worst]], n_neighbors=min(_AROUND, len(self.kept)), return_distance=False
        )
        to_around = np.linalg.norm(regions[rows, worst][:, None] - self.kept[around], axis=2).astype(np.float64)
        to_around[:, 0] = largest  # the nearest itself
        return np.asarray((1 - softmax(to_around, axis=1)[:, 0]) * largest)

    def _nearest(self, features: Features) -> tuple[Array, NDArray[np.intp]]:
        """Distance of every region (n, regions) from its nearest neighbour, and which that is."""
        regions = _regions(features, self.slices)
        n, count, channels = regions.shape
        found = [
            self._index.kneighbors(regions[start : start + _BATCH].reshape(-1, channels))
            for start in range(0, n, _BATCH)
        ]
        distances, nearest = (np.concatenate(part).reshape(n, count) for part in zip(*found, strict=True))
        return distances.astype(np.float64), nearest


def fit_coreset(
    features: Features, slices: Sequence[Sequence[slice]], *, share: float = SHARE, seed: int = 0
) -> Coreset:
    """Draw a coreset from the regions `slices` [level][region] of features (n, F) of normal images.

    Raises `GadError` without any image and for a share outside of (0, 1]. Source: Roth et al. 2022, Towards total
    recall in industrial anomaly detection.
    """
    if not len(features):
        raise GadError("a coreset needs at least 1 normal image; add normal images")
    if not 0 < share <= 1:
        raise GadError(f"a coreset keeps a share of the regions in (0, 1], got {share:g}")
    regions = _regions(features, slices)
    rows = regions.reshape(-1, regions.shape[2])
    kept = greedy_coreset(_projected(rows, seed), max(1, round(share * len(rows))), seed=seed)
    return Coreset(tuple(map(tuple, slices)), rows[kept])


def greedy_coreset(X: NDArray[np.floating], size: int, *, seed: int = 0) -> NDArray[np.intp]:
    """Choose `size` rows of X (n, D): the first at random, each further one the farthest from those chosen.

    The largest distance of a row from the coreset is at most twice the least that any `size` rows reach. Source:
    Gonzalez 1985, Theoretical Computer Science 38.
    """
    squares = np.einsum("ij,ij->i", X, X)
    chosen = np.empty(size, np.intp)
    chosen[0] = np.random.default_rng(seed).integers(len(X))
    away = np.full(len(X), np.inf)
    for place in range(size):
        if place:
            chosen[place] = away.argmax()
        row = chosen[place]
        np.minimum(away, squares - 2 * (X @ X[row]) + squares[row], out=away)
        away[row] = -np.inf
    return chosen


def _projected(rows: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    """Fewer dimensions, in which distances are kept well enough to draw (Johnson and Lindenstrauss)."""
    if rows.shape[1] <= _PROJECTED:
        return rows
    projection = SparseRandomProjection(_PROJECTED, dense_output=True, random_state=seed)
    return np.asarray(projection.fit_transform(rows), np.float32)


def _regions(features: Features, slices: Sequence[Sequence[slice]]) -> NDArray[np.float32]:
    """What a region's levels give, one after the other: (n, regions, C)."""
    by_region = zip(*slices, strict=True)
    return np.stack([np.concatenate([features[:, part] for part in parts], axis=1) for parts in by_region], axis=1)
