"""Every photo of the demo by its place in the data set: the part, its defect, the undamaged twin, the mask."""

import zlib
from dataclasses import dataclass, replace
from types import ModuleType

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

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


def photo(
    part: str,
    split: str,
    kind: str,
    index: int,
    *,
    seed: int = 0,
    strength: float = 1.0,
    softness: float = 0.0,
    exposures: int = 1,
) -> Photo:
    """One photo; it follows from its place and the seed alone, whatever else is drawn.

    `strength` is the share that is left of what a defect changes of the light, `softness` that of the lens in pixels,
    `exposures` how many the camera averages; with others it is the same part before the same camera.
    """
    maker = PARTS[part]
    place = (seed, *(zlib.crc32(word.encode()) for word in (part, split, kind)), index)
    with threadpool_limits(1, "blas"):  # several threads add up in another order, for other pixels
        good = maker.lay_out(np.random.default_rng(place))
        noise = good.camera.noise / np.float32(exposures**0.5)
        camera = replace(good.camera, noise=noise, softness=softness)
        light = maker.light_from(good)
        pixels = photograph(camera, light)
        if kind == "good":
            return Photo(pixels)
        damaged = maker.light_from(maker.damage(good, kind, np.random.default_rng((*place, 1))))
        if strength != 1:
            damaged = light + np.float32(strength) * (damaged - light)
        shown = photograph(camera, damaged)
        return Photo(shown, pixels, (shown != pixels).any(axis=2))
