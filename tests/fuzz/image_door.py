"""Images and masks, with a smaller limit than that of people's images, so that no attempt takes long."""

from contextlib import suppress

import numpy as np

from gad_core.data.images import decode, decode_mask, image_size
from gad_core.errors import ImageRefused

_MAX_PIXELS = 1 << 18


def attempt(data: bytes) -> None:
    """Decode; what is taken has the size that its header says, turned or not."""
    with suppress(ImageRefused):
        size = image_size(data, max_pixels=_MAX_PIXELS)
        pixels = decode(data, max_pixels=_MAX_PIXELS)
        assert pixels.dtype == np.uint8
        assert sorted(pixels.shape) == sorted((*size, 3))
        assert sorted(decode_mask(data).shape) == sorted(size)
