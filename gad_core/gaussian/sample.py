"""A seeded sample of the fitted images: where there are too many to keep them all, these alone are scored left out."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gad_core.gaussian.levels import Rows


@dataclass(frozen=True)
class SampleOf:
    """All images behind a fit, of which a detector keeps a sample."""

    n: int
    sha256: str  # over the digests of all of them, in order

    @classmethod
    def of(cls, digests: Sequence[str]) -> "SampleOf":
        """Say which images these are."""
        return cls(len(digests), hashlib.sha256("\n".join(digests).encode()).hexdigest())


def sample_rows(folds: Rows, size: int, *, seed: int) -> NDArray[np.bool_]:
    """Draw `size` of the images whose folds these are (n,), and one of every fold that would have none."""
    order = np.random.default_rng(seed).permutation(len(folds))
    chosen = np.zeros(len(folds), bool)
    chosen[order[:size]] = True
    chosen[order[np.unique(folds[order], return_index=True)[1]]] = True
    return chosen
