"""Every photo of the demo by its place in the data set: the part, its defect, the undamaged twin, the mask."""

import zlib
from dataclasses import dataclass
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from gad_core.data.demo import board, washer, weave
from gad_core.data.demo.camera import photograph

PARTS: dict[str, ModuleType] = {"weave": weave, "washer": washer, "board": board}
N_TRAIN, N_GOOD, N_TYPE = 120, 40, 15

Place = tuple[str, str, int]  #: split, kind ("good" or a defect type) and number of a photo


@dataclass(frozen=True)
class Photo:
    """A photo (S, S, 3); a defective one with its undamaged twin and the mask (S, S) of what the defect changed."""

    pixels: NDArray[np.uint8]
    twin: NDArray[np.uint8] | None = None
    mask: NDArray[np.bool_] | None = None


def places(part: str) -> list[Place]:
    """Every photo of a part."""
    counts = [("train", "good", N_TRAIN), ("test", "good", N_GOOD)]
    counts += [("test", defect, N_TYPE) for defect in PARTS[part].DEFECTS]
    return [(split, kind, index) for split, kind, n in counts for index in range(n)]


def photo(part: str, split: str, kind: str, index: int, *, seed: int = 0) -> Photo:
    """One photo; it follows from its place and the seed alone, whatever else is drawn."""
    maker = PARTS[part]
    place = (seed, *(zlib.crc32(word.encode()) for word in (part, split, kind)), index)
    good = maker.lay_out(np.random.default_rng(place))
    pixels = photograph(good.camera, maker.light_from(good))
    if kind == "good":
        return Photo(pixels)
    damaged = maker.damage(good, kind, np.random.default_rng((*place, 1)))
    shown = photograph(damaged.camera, maker.light_from(damaged))
    return Photo(shown, pixels, (shown != pixels).any(axis=2))
