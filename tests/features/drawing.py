"""Images that no data set is needed for."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def draw(n: int, size: int, seed: int = 0) -> NDArray[np.uint8]:
    """Images (n, size, size, 3) of many scales: coloured clouds, finer and fainter ones over them, and noise."""
    rng = np.random.default_rng(seed)
    images = rng.normal(128, 4, (n, size, size, 3))
    for index in range(n):
        for cells in (2, 5, 11, 23, 47):
            cloud = Image.fromarray(rng.integers(0, 256, (cells, cells, 3), np.uint8)).resize((size, size))
            images[index] += (np.asarray(cloud, float) - 128) / np.sqrt(cells)
    return np.clip(images, 0, 255).astype(np.uint8)
