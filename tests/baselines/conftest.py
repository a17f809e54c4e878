"""Features and images small enough to be understood."""

import numpy as np
import pytest

from gad_core.baselines.training import Samples


@pytest.fixture
def features():
    """Normal images' and further ones' features of two levels, of which the last ten lie far away."""
    rng = np.random.default_rng(0)
    normal = rng.normal(size=(40, 7)).astype(np.float32)
    test = np.concatenate([rng.normal(size=(10, 7)), rng.normal(size=(10, 7)) + 6]).astype(np.float32)
    return normal, test, (slice(0, 3), slice(3, 7))


@pytest.fixture(scope="session")
def dots():
    """Grey noise (20, 64, 64, 3), with a bright dot in every second image."""
    rng = np.random.default_rng(1)
    pixels = rng.integers(90, 130, (20, 64, 64, 3)).astype(np.uint8)
    targets = np.arange(20, dtype=np.float32) % 2
    for image in pixels[1::2]:
        row, column = rng.integers(10, 44, 2)
        image[row : row + 10, column : column + 10] = 255
    return Samples(pixels, tuple(f"{i:064x}" for i in range(20)), targets)
