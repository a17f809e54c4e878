"""Features by region as 16-bit codes: a file holds half as much, and a fit is made to what the file will hold."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

_STEPS = np.iinfo(np.uint16).max


@dataclass(frozen=True)
class Packed:
    """Values (n, F) as steps between each column's least and greatest one.

    Off by at most half a step, 1/131,070 of the column's range: far below what images of the same part differ by.
    """

    codes: NDArray[np.uint16]  # (n, F)
    low: NDArray[np.float32]  # (F,)
    step: NDArray[np.float32]  # (F,)

    @classmethod
    def of(cls, values: NDArray[np.float32]) -> "Packed":
        """Pack values (n, F)."""
        low = values.min(axis=0)
        step = np.asarray((values.max(axis=0).astype(np.float64) - low) / _STEPS, np.float32)
        codes = np.rint((values - low) / np.where(step > 0, step, 1.0).astype(np.float64))
        return cls(np.clip(codes, 0, _STEPS).astype(np.uint16), low, step)

    @cached_property
    def values(self) -> NDArray[np.float32]:
        """What the codes stand for (n, F)."""
        return np.asarray(self.low + self.codes * self.step, np.float32)
