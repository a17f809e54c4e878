"""A picture that several modules store in many ways."""

import numpy as np
import pytest


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    """A smooth coloured pattern (60, 80, 3), as different from its mirror images as a photograph."""
    y, x = np.mgrid[:60, :80]
    return np.stack([x * 3, y * 4, (x + y) * 255 / 138], axis=-1).astype(np.uint8)
