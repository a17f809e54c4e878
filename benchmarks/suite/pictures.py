"""Images to measure with: photos of the demo's parts in many sizes, and small ones in any number."""

from pathlib import Path

import numpy as np
from PIL import Image

from gad_core.data.demo import photo

_SIDES = (256, 900)  # pixels, the shortest and the longest
_POSES = 8  # a square's turns and mirror images, which make as many images of one photo


def write_parts(folder: Path, *, train: int, test: int) -> None:
    """PNG files of 256 to 900 pixels a side in MVTec layout: good washers, and test images half of which are bad."""
    rng = np.random.default_rng(0)
    for split, kind, n in (("train", "good", train), ("test", "good", test // 2), ("test", "bite", test - test // 2)):
        place = folder / split / kind
        place.mkdir(parents=True)
        for index in range(n):
            number, pose = divmod(index, _POSES)
            pixels = photo("washer", split, kind, number).pixels
            turned = np.rot90(pixels[:, ::-1] if pose >= 4 else pixels, pose % 4)
            size = tuple(rng.integers(_SIDES[0], _SIDES[1] + 1, 2).tolist())
            Image.fromarray(np.ascontiguousarray(turned)).resize(size).save(place / f"{index:03}.png")


def write_small(folder: Path, n: int) -> Path:
    """A folder of n images of 64 pixels a side, all different."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (4, 4, 3), np.uint8)
    scene = np.asarray(Image.fromarray(coarse).resize((64, 64)), np.int16)
    for index in range(n):
        noisy = scene + rng.integers(-20, 21, scene.shape, np.int16)
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(folder / f"{index:05}.png", compress_level=1)
    return folder
