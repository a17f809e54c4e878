"""The law that normal scores follow if the fitted Gaussians are right: chi at one level, coupled chis beyond."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats
from threadpoolctl import threadpool_limits

from gad_core.errors import SampleTooSmall

Array = NDArray[Any]

DRAWS = 200_000
_AT_LEAST = 10  # draws beyond a threshold
_CHUNK = 10_000
_GRID = np.linspace(-8.0, 8.0, 4001)  # standard deviations at which a chi law's quantiles are tabled


class Law(Protocol):
    """What chi-square predicts of a score."""

    @property
    def how(self) -> str:
        """Its provenance, in a few words."""
        ...

    def threshold(self, target_fpr: float) -> float:
        """The score that a share `target_fpr` of normal images exceeds."""
        ...

    def p_values(self, scores: Array) -> Array:
        """Chance of a score at least as large (m,)."""
        ...


@dataclass(frozen=True)
class ChiLaw:
    """One Gaussian in k dimensions: the squared distance follows chi-square (eqs. 5 and 6)."""

    k: int

    @property
    def how(self) -> str:
        """Its provenance, in a few words."""
        return f"chi-square with {self.k} degrees of freedom"

    def threshold(self, target_fpr: float) -> float:
        """The root of the chi-square quantile at 1 - FPR."""
        return float(np.sqrt(2 * special.gammainccinv(self.k / 2, target_fpr)))

    def p_values(self, scores: Array) -> Array:
        """Chance of a distance at least as large (m,)."""
        return np.asarray(stats.chi2.sf(np.square(scores), self.k))


@dataclass(frozen=True, eq=False)
class CoupledChiLaws:
    """Several distances, each with its own chi law, coupled by a Gaussian copula, and what a score makes of them.

    The copula's correlations are those of the distances' normal scores (van der Waerden's) over left-out normal
    images. The law of the score is the empirical one of `DRAWS` seeded draws. Source: Nelsen 2006, An Introduction to
    Copulas, Sec. 2.9.

    Parameters
    ----------
    left_out : ndarray, shape (n, d)
        Distances of left-out normal images.
    dimensions : ndarray of int, shape (d,)
        Degrees of freedom of each distance.
    combine : callable
        Gives scores (m,) from distances (m, d).
    """

    left_out: Array
    dimensions: NDArray[np.intp]
    combine: Callable[[Array], Array]
    seed: int = 0

    @property
    def how(self) -> str:
        """Its provenance, in a few words."""
        return (
            f"chi-square laws of {len(self.dimensions)} distances, coupled as in {len(self.left_out)} left-out images "
            f"by a Gaussian copula ({DRAWS:,} draws)"
        )

    @cached_property
    def draws(self) -> Array:
        """Scores of simulated images, rising (`DRAWS`,)."""
        loadings = _loadings(self.left_out).astype(np.float32)
        degrees, place = np.unique(self.dimensions, return_inverse=True)
        tables = np.stack([_chi_quantiles(int(k)) for k in degrees]).astype(np.float32).ravel()
        offsets = (place * len(_GRID)).astype(np.int32)

        def simulated(seed: np.random.SeedSequence) -> Array:
            independent = np.random.default_rng(seed).standard_normal((_CHUNK, len(loadings)), np.float32)
            return self.combine(_look_up(tables, offsets, independent @ loadings))

        with threadpool_limits(1, "blas"), ThreadPoolExecutor() as pool:
            found = list(pool.map(simulated, np.random.SeedSequence(self.seed).spawn(DRAWS // _CHUNK)))
        return np.sort(np.concatenate(found)).astype(np.float64)

    def threshold(self, target_fpr: float) -> float:
        """The draws' quantile at 1 - FPR; raises `SampleTooSmall` where fewer than ten draws lie beyond."""
        if target_fpr * DRAWS < _AT_LEAST:
            raise SampleTooSmall(
                f"the chi-square law of several distances is simulated, and {DRAWS:,} draws support rates from "
                f"{100 * _AT_LEAST / DRAWS:g} %, not {100 * target_fpr:.3g} %; choose a higher rate, or a single "
                "level, whose law is exact",
                needed=int(np.ceil(_AT_LEAST / target_fpr)),
                n=DRAWS,
            )
        place = (1 - target_fpr) * (DRAWS - 1)  # among the draws, which are sorted: `np.quantile` would do it again
        return float(np.interp(place, (at := int(place), at + 1), self.draws[at : at + 2]))

    def p_values(self, scores: Array) -> Array:
        """Share of the draws at or above, each score counted among them (m,)."""
        above = DRAWS - np.searchsorted(self.draws, scores, side="left")
        return np.asarray((1 + above) / (DRAWS + 1))


def _loadings(distances: Array) -> Array:
    """Factor (r, d) of the correlation matrix of the normal scores of distances (n, d), r = min(n, d)."""
    n = len(distances)
    ranks = stats.rankdata(distances, axis=0)
    normal = stats.norm.ppf((ranks - 0.5) / n)
    normal -= normal.mean(axis=0)
    spread = np.sqrt(np.square(normal).sum(axis=0))
    normal /= np.where(spread > 0, spread, 1.0)
    _, singular, rows = np.linalg.svd(normal, full_matrices=False)
    return np.asarray(singular[:, None] * rows)


def _chi_quantiles(k: int) -> Array:
    """Chi quantiles at which the normal law stands at each point of the grid."""
    low = _GRID < 0
    squared = np.where(low, stats.chi2.ppf(stats.norm.cdf(_GRID), k), stats.chi2.isf(stats.norm.sf(_GRID), k))
    return np.asarray(np.sqrt(squared))


def _look_up(tables: Array, offsets: NDArray[np.int32], normal: Array) -> Array:
    """Chi quantiles (m, d) of correlated normal deviates (m, d), between the grid's points by straight lines."""
    normal -= np.float32(_GRID[0])
    normal *= np.float32((len(_GRID) - 1) / (_GRID[-1] - _GRID[0]))
    np.clip(normal, 0, len(_GRID) - 1.01, out=normal)
    below = normal.astype(np.int32)
    normal -= below
    below += offsets
    quantiles = tables[below]
    below += 1
    normal *= tables[below] - quantiles
    quantiles += normal
    return quantiles
