"""Features of all augmented passes on disk while a detector is fitted to them: memory does not grow with the passes."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gad_core.gaussian.copies import Copies, Here

_ROWS = 4096  # that are read at once


class Spool:
    """One file a pass in `folder`, each with the features (n, sum C) of the same n images in the same order."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, features: NDArray[np.float32]) -> None:
        """Append a pass."""
        np.save(self._path(self._count), features)
        self._count += 1

    def batches(self, part: slice, rows: NDArray[np.intp]) -> Iterator[NDArray[np.float32]]:
        """The features of one level, of some of the images, pass by pass: (m, D) each."""
        for index in range(self._count):
            features = np.load(self._path(index), mmap_mode="r")
            for start in range(0, len(rows), _ROWS):
                yield np.array(features[rows[start : start + _ROWS], part])

    def _path(self, index: int) -> Path:
        return self._folder / f"{index}.npy"


@dataclass(frozen=True)
class _Block:
    """All images as one block, their copies on disk."""

    features: NDArray[np.float32]
    spool: Spool

    def samples(self, rows: NDArray[np.intp], part: slice) -> Iterator[NDArray[np.float32]]:
        return self.spool.batches(part, rows)


def spooled(features: NDArray[np.float32], spool: Spool) -> Copies:
    """The copies in a spool of images with features (n, sum C), to be fitted in this process."""
    return Copies([_Block(features, spool)], [np.arange(len(features), dtype=np.intp)], Here(), level_by_level=True)
