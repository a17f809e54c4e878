"""The resize inside an exported graph is Pillow's, to the last bit."""

import numpy as np
import pytest
import torch

from gad_core.data import images
from gad_core.export.pillow_resize import resize

SIZES = (64, 224)
SHAPES = ((1, 1), (64, 64), (224, 224), (300, 300), (300, 224), (224, 500), (517, 733), (100, 90), (1000, 33))
RANDOM = tuple(map(tuple, np.exp(np.random.default_rng(0).uniform(2, 6.5, (20, 2))).astype(int).tolist()))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("shape", SHAPES + RANDOM, ids=str)
def test_every_pixel_is_pillows(shape, size):
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3)).astype(np.uint8)
    ours = resize(torch.from_numpy(pixels[None]), size)[0].permute(1, 2, 0).numpy()
    np.testing.assert_array_equal(ours, images.resize(pixels, size))
