"""From the regions of an image to its score: each region against its own left-out normals, then one number of all."""

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gad_core.errors import GadError

Array = NDArray[np.float64]
Kind = Literal["top", "power", "mean", "max"]

_REMEDY = 'write "top:0.1" (mean of the highest tenth), "power:8" (power mean), "mean" or "max"'
#: Of the left-out normals of a region: what becomes 0, and what becomes 1.
_ZERO, _ONE = 0.5, 0.9


@dataclass(frozen=True)
class Pool:
    """How the standardised distances of an image's regions become its score.

    Parameters
    ----------
    kind : {"top", "power", "mean", "max"}
        Mean of the highest share, power mean, mean, or maximum.
    value : float, optional
        The share in (0, 1] for "top", the exponent from 1 on for "power".

    Raises
    ------
    GadError
        For a value outside its range.

    Examples
    --------
    >>> import gad_core as gad
    >>> gad.Pool.parse("top:0.1") == gad.Pool("top", 0.1)
    True
    >>> str(gad.Pool("max"))
    'max'
    """

    kind: Kind = "top"
    value: float | None = None

    def __post_init__(self) -> None:
        """Refuse values outside their ranges."""
        fits = {
            "top": self.value is not None and 0 < self.value <= 1,
            "power": self.value is not None and 1 <= self.value <= 64,
        }
        if not fits.get(self.kind, self.value is None):
            raise GadError(f"{self} is no way to pool regions; {_REMEDY}")

    @classmethod
    def parse(cls, text: str) -> "Pool":
        """Read `top:S`, `power:P`, `mean` or `max`; raise `GadError` for anything else."""
        match = re.fullmatch(r"(top|power):([0-9.eE+-]+)|(mean|max)", text.strip().lower())
        try:
            if match:
                return cls(match[1] or match[3], float(match[2]) if match[2] else None)  # type: ignore[arg-type]  # matched
        except ValueError:
            pass
        raise GadError(f"{text!r} does not say how to pool regions; {_REMEDY}")

    def __str__(self) -> str:
        """Write it as `parse` reads it."""
        return self.kind if self.value is None else f"{self.kind}:{self.value:g}"

    def count(self, n_regions: int) -> int:
        """How many of the regions "top" takes."""
        return max(1, round((self.value or 1.0) * n_regions))

    def __call__(self, standardised: Array) -> Array:
        """Scores (n,) from the standardised distances of all regions (n, R).

        The power mean takes what lies below a region's median for nothing, for it has no sign.
        """
        if self.kind == "mean":
            return np.asarray(standardised.mean(axis=1))
        if self.kind == "max":
            return np.asarray(standardised.max(axis=1))
        if self.kind == "power":
            power = self.value or 1.0
            above = np.maximum(standardised, 0.0)
            return np.asarray(np.mean(above**power, axis=1) ** (1 / power))
        n, count = standardised.shape[1], self.count(standardised.shape[1])
        return np.asarray(np.partition(standardised, n - count, axis=1)[:, n - count :].mean(axis=1))


@dataclass(frozen=True)
class Standard:
    """Each region's scale: the median of its left-out normals, and how far above it their 90th percentile lies."""

    zero: Array  # (R,)
    one: Array  # (R,) above zero

    @classmethod
    def of(cls, left_out: Array) -> "Standard":
        """From the distances of left-out normals (n, R)."""
        zero, high = np.quantile(left_out, (_ZERO, _ONE), axis=0)
        return cls(zero, np.maximum(high - zero, np.finfo(np.float32).eps * np.maximum(high, 1.0)))

    def __call__(self, distances: Array) -> Array:
        """Standardised distances (n, R)."""
        return np.asarray((distances - self.zero) / self.one)


#: What is recommended with regions.
TOP_TENTH = Pool("top", 0.1)
