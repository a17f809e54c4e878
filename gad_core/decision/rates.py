"""Counted rates with exact intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from gad_core.errors import GadError

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Rate:
    """`count` of `n`, with an interval [low, high] that covers the true rate with 95 % confidence at least."""

    count: int
    n: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The share count / n in [0, 1]."""
        return self.count / self.n


def rate(count: int, n: int, *, confidence: float = CONFIDENCE) -> Rate:
    """A rate with its Clopper-Pearson interval; raises `GadError` unless 0 <= count <= n and n >= 1."""
    if not 0 <= count <= n or n < 1:
        raise GadError(f"a rate needs a count between 0 and n with n >= 1, got {count} of {n}")
    low, high = clopper_pearson(np.asarray(count), n, confidence=confidence)
    return Rate(int(count), int(n), float(low), float(high))


def clopper_pearson(
    counts: NDArray[np.integer], n: int, *, confidence: float = CONFIDENCE
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Exact bounds of the rates behind `counts` of n. Source: Clopper & Pearson 1934, Biometrika 26."""
    tail = (1 - confidence) / 2
    low = np.where(counts > 0, special.betaincinv(np.maximum(counts, 1), n - counts + 1, tail), 0.0)
    high = np.where(counts < n, special.betaincinv(counts + 1, np.maximum(n - counts, 1), 1 - tail), 1.0)
    return low, high


def rates(counts: NDArray[np.integer], n: int) -> list[Rate]:
    """The same of many counts (T,) of n, each worked out once."""
    different, places = np.unique(counts, return_inverse=True)
    low, high = clopper_pearson(different, n)
    found = [
        Rate(*values) for values in zip(different.tolist(), [n] * len(low), low.tolist(), high.tolist(), strict=True)
    ]
    return [found[place] for place in places]


def exceedance(scores: NDArray[np.float64], threshold: float) -> Rate:
    """The share of scores (n,) that are flagged: those strictly above the threshold."""
    return rate(int(np.count_nonzero(scores > threshold)), len(scores))


def rates_by_type(scores: NDArray[np.float64], defects: Sequence[str], threshold: float) -> dict[str, Rate]:
    """Share flagged of the images (n,) of each defect type, in the order in which the types first appear."""
    types = np.asarray(defects)
    return {defect: exceedance(scores[types == defect], threshold) for defect in dict.fromkeys(defects)}
