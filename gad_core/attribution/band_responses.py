"""Which defects a band of the spectrum responds to: its share of their distances, and how well it finds them alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gad_core.decision.curves import auroc
from gad_core.errors import GadError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class BandResponse:
    """What the B bands of a level have to do with one type of defect."""

    defect: str
    n: int  # defective images of the type
    shares: Array  # (B,) mean share of the squared distance
    areas: Array  # (B,) AUROC of the distance within the band alone against the normal images, in [0, 1]


@dataclass(frozen=True)
class BandResponses:
    """The same of all types, and what the bands have of normal images."""

    n_normal: int
    normal_shares: Array  # (B,)
    types: tuple[BandResponse, ...]  # in the order in which they first appear

    def best(self, place: int) -> tuple[BandResponse, ...]:
        """The types by falling AUROC of one band."""
        return tuple(sorted(self.types, key=lambda one: -one.areas[place]))


def shares(squares: Array) -> Array:
    """Of each image's squared distance, what each band has: (m, B) from (m, B); equal shares of none."""
    total = squares.sum(axis=1, keepdims=True)
    return np.asarray(np.where(total > 0, squares / np.where(total > 0, total, 1.0), 1 / squares.shape[1]))


def band_responses(squares: Array, defects: Sequence[str | None]) -> BandResponses:
    """Hold squared distances by band (m, B) of each type of defect against those of normal images, whose type is None.

    Raises `GadError` without a normal image.
    """
    names = np.array([name or "" for name in defects])
    normal = np.array([name is None for name in defects], bool)
    if not normal.any():
        raise GadError("what a band responds to is told against normal images; add good test images")
    parts = shares(squares)
    found = []
    for defect in dict.fromkeys(name for name in defects if name is not None):
        own = (names == defect) & ~normal
        either = own | normal
        areas = [auroc(column[either], own[either]).value for column in squares.T]
        found.append(BandResponse(defect, int(own.sum()), parts[own].mean(axis=0), np.array(areas)))
    return BandResponses(int(normal.sum()), parts[normal].mean(axis=0), tuple(found))
