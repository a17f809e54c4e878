"""Pictures that hold themselves: one that the server keeps is gone, and asked for in vain, once its page is left."""

import base64
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def url(pixels: NDArray[np.uint8]) -> str:
    """Pixels (H, W, 3) as the URL of a JPEG, or (H, W, 4), of which some are seen through, as that of a PNG."""
    kind = "JPEG" if pixels.shape[2] == 3 else "PNG"
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, kind, quality=88)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(stream.getvalue()).decode()}"
