"""Mergeable sums from which mean, covariance and Ledoit-Wolf shrinkage follow without keeping the features."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gad_core.errors import GadError

Array = NDArray[np.float64]

_ROWS = 2048  # summed at a time: they stay in the processor's cache from sum to sum, and no second copy of X is made
_PARTS = 4  # that many rows are summed in, side by side; as many on every machine, so that sums are the same everywhere
_MANY = 4 * _ROWS  # rows that are worth it


@dataclass(frozen=True)
class Moments:
    """Sums over n feature vectors y = x - shift; two of them about one shift add up exactly to those of all vectors.

    `first` is sum y (D,), `second` sum y y' (D, D), `third` sum |y|^2 y (D,), `fourth` sum |y|^4. The third and the
    fourth are what Ledoit-Wolf needs beyond the covariance.
    """

    n: int
    shift: Array
    first: Array
    second: Array
    third: Array
    fourth: float

    @classmethod
    def of(cls, X: NDArray[np.floating], *, shift: Array) -> "Moments":
        """Moments of the rows of X (n, D) about `shift` (D,), which should lie near the mean for full precision."""
        shift = np.asarray(shift, np.float64)
        if len(X) < _MANY:
            return cls._of(X, shift)
        # One BLAS thread a part: a symmetric product shares its work badly among threads, the other sums not at all.
        with threadpool_limits(1, "blas"), ThreadPoolExecutor(min(_PARTS, os.cpu_count() or 1)) as pool:
            return reduce(add, pool.map(lambda part: cls._of(part, shift), np.array_split(X, _PARTS)))

    @classmethod
    def _of(cls, X: NDArray[np.floating], shift: Array) -> "Moments":
        n, dimension = X.shape
        rows, product = np.empty((min(n, _ROWS), dimension)), np.empty((dimension, dimension))
        first, second, third, fourth = np.zeros(dimension), np.zeros_like(product), np.zeros(dimension), 0.0
        for start in range(0, n, _ROWS):
            part = X[start : start + _ROWS]
            Y = np.subtract(part, shift, out=rows[: len(part)])
            energy = np.einsum("ij,ij->i", Y, Y)
            first += Y.sum(0)
            second += np.matmul(Y.T, Y, out=product)
            third += energy @ Y
            fourth += float(energy @ energy)
        return cls(n, shift, first, second, third, fourth)

    def __add__(self, other: "Moments") -> "Moments":
        return self._combine(other, 1)

    def __sub__(self, other: "Moments") -> "Moments":
        """Take images out again; `other` must be the moments of images that `self` holds."""
        return self._combine(other, -1)

    def _combine(self, other: "Moments", sign: int) -> "Moments":
        if not np.array_equal(self.shift, other.shift):
            raise GadError("these moments were summed about different shifts; sum both about the same one")
        if self.n + sign * other.n < 0:
            raise GadError(f"cannot remove {other.n} images from {self.n}; remove only images that were added")
        return Moments(
            self.n + sign * other.n,
            self.shift,
            self.first + sign * other.first,
            self.second + sign * other.second,
            self.third + sign * other.third,
            self.fourth + sign * other.fourth,
        )

    @property
    def mean(self) -> Array:
        """Mean of x (D,)."""
        return self.shift + self.first / self.n

    @property
    def covariance(self) -> Array:
        """Maximum-likelihood covariance (D, D), divided by n as scikit-learn does."""
        d = self.first / self.n
        return self.second / self.n - np.outer(d, d)

    @property
    def fourth_about_mean(self) -> float:
        """Sum of |x - mean|^4, expanded about the shift."""
        d = self.first / self.n
        dd = float(d @ d)
        return (
            self.fourth
            + 4 * float(d @ self.second @ d)
            + self.n * dd**2
            - 4 * float(d @ self.third)
            + 2 * dd * float(np.trace(self.second))
            - 4 * dd * float(d @ self.first)
        )

    @property
    def shrinkage(self) -> float:
        """Ledoit-Wolf shrinkage of the covariance in the whole R^D, in [0, 1]."""
        covariance = self.covariance
        trace, trace2 = float(np.trace(covariance)), float(np.vdot(covariance, covariance))
        return float(ledoit_wolf(self.fourth_about_mean, trace, trace2, n=self.n, dimension=len(self.shift)))


def ledoit_wolf(
    fourth: float | Array, trace: float | Array, trace2: float | Array, *, n: int, dimension: int | NDArray[np.intp]
) -> Array:
    """Ledoit-Wolf shrinkage from sums; arrays give the shrinkage of many subspaces at once.

    Parameters
    ----------
    fourth : sum over the n images of |x - mean|^4 within the subspace.
    trace : trace of the 1/n covariance there, the sum of its eigenvalues.
    trace2 : trace of the squared covariance, the sum of its squared eigenvalues.
    n : number of images.
    dimension : dimension of the subspace.

    Returns
    -------
    Shrinkage in [0, 1]; 0 where the covariance already is a multiple of the identity, since any value gives the same
    matrix there. Source: Ledoit & Wolf 2004, as scikit-learn's `ledoit_wolf_shrinkage` computes it.
    """
    spread = np.asarray(trace2 - trace * trace / dimension)  # squared distance of the covariance to mu I
    noise = np.asarray(fourth / n - trace2) / n
    safe = np.where(spread > 0, spread, 1.0)
    return np.asarray(np.where(spread > 0, np.clip(noise / safe, 0.0, 1.0), 0.0))
