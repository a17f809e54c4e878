"""Pictures that hold themselves: one that the server keeps is gone, and asked for in vain, once its page is left."""

import base64
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def url(pixels: NDArray[np.uint8]) -> str:
    """Pixels (H, W, 3) as the URL of a JPEG."""
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=88)
    return f"data:image/jpeg;base64,{base64.b64encode(stream.getvalue()).decode()}"
