"""Shewhart's and the EWMA control chart of normal scores, their means by lot, and since when they are shifted.

Source: Montgomery, Introduction to Statistical Quality Control, 7th ed., Ch. 6 and Sec. 9.2.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal

Array = NDArray[np.float64]

#: Standard deviations at which an individual score, and the mean of a lot, is out of limits: one in 370 in control.
LIMIT = 3.0
#: Weight of the newest score, and the limits that give the EWMA the same in-control run length of 370 parts.
EWMA_WEIGHT, EWMA_LIMIT = 0.2, 2.86


@dataclass(frozen=True)
class LotMean:
    """The mean normal score of the `n` good-looking parts of a lot, which lie from place `first` to place `last`."""

    name: str
    n: int
    mean: float
    first: int
    last: int

    @property
    def limit(self) -> float:
        """What the mean's absolute value stays below, 3 / sqrt(n)."""
        return LIMIT / math.sqrt(self.n)

    @property
    def outside(self) -> bool:
        """Whether the lot is out of limits."""
        return abs(self.mean) > self.limit


def ewma(z: Array) -> Array:
    """w_t = 0.2 z_t + 0.8 w_(t-1) along the last axis, from w_0 = 0, the mean in control."""
    return np.asarray(signal.lfilter([EWMA_WEIGHT], [1, EWMA_WEIGHT - 1], z))


def ewma_limits(m: int) -> Array:
    """What the EWMA's absolute value stays below after each of m parts, by its exact variance."""
    gone = (1 - EWMA_WEIGHT) ** (2 * np.arange(1, m + 1))
    return np.asarray(EWMA_LIMIT * np.sqrt(EWMA_WEIGHT / (2 - EWMA_WEIGHT) * (1 - gone)))


def lot_means(z: Array, lots: Sequence[str | None], places: NDArray[np.intp]) -> tuple[LotMean, ...]:
    """Means of normal scores (k,) by lot (k,), in the order in which lots first appear; `places` (k,) are the parts'.

    A part without a lot belongs to none.
    """
    names = np.array(lots, object)
    members = {name: np.flatnonzero(names == name) for name in dict.fromkeys(lots) if name is not None}
    return tuple(
        LotMean(name, len(own), float(z[own].mean()), int(places[own[0]]), int(places[own[-1]]))
        for name, own in members.items()
    )


def change_point(z: Array) -> int:
    """The place from which a lasting shift of unit-variance scores (m,) most likely began.

    It maximises S^2 / (m - t) with S the sum from t on. Source: Samuel, Pignatiello & Calvin 1998, Quality Engineering
    10, Identifying the time of a step change with X-bar control charts.
    """
    sums = np.cumsum(z[::-1])[::-1]
    return int(np.argmax(np.square(sums) / np.arange(len(z), 0, -1)))
