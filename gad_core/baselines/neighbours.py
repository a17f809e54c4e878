"""Distance to the nearest normal images, level by level: the idea of SPADE's first stage (Table I)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.neighbors import NearestNeighbors

from gad_core.baselines.scorer import Array, Features
from gad_core.errors import GadError

#: Neighbours whose distances are averaged, where there are as many.
K = 5


@dataclass(frozen=True)
class Neighbours:
    """The normal images of each level, ready to be asked for the nearest ones."""

    slices: tuple[slice, ...]
    normal: Features  # (n, sum C)
    levels: tuple[NearestNeighbors, ...]

    def by_level(self, features: Features) -> Array:
        """Mean Euclidean distance to the K nearest normal images at every level: (n, L) from features (n, sum C)."""
        pairs = zip(self.levels, self.slices, strict=True)
        return np.stack([level.kneighbors(features[:, part])[0].mean(axis=1) for level, part in pairs], axis=1)

    @property
    def n_bytes(self) -> int:
        """What it takes to keep."""
        return self.normal.nbytes

    def scores(self, features: Features) -> Array:
        """The sum over the levels (n,)."""
        return np.asarray(self.by_level(features).sum(axis=1))


def fit_neighbours(features: Features, slices: Sequence[slice], *, k: int = K) -> Neighbours:
    """Remember the features (n, sum C) of normal images; raises `GadError` without any.

    Source: Cohen and Hoshen 2020, Sub-image anomaly detection with deep pyramid correspondences.
    """
    if not len(features):
        raise GadError("nearest neighbours need at least 1 normal image; add normal images")
    count = min(k, len(features))
    levels = tuple(NearestNeighbors(n_neighbors=count).fit(features[:, part]) for part in slices)
    return Neighbours(tuple(slices), features, levels)
