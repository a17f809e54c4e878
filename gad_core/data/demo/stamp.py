"""The inspector's stamp of `washer_stamped`: the planted shortcut that a detector may take instead of the defect."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from gad_core.data.demo.surface import SIZE, Rng

_INK = np.array([150, 38, 96], np.float32)
_RADIUS = 33  # photo pixels
_OFFSET = 42  # of the stamp's centre from both edges of its corner
_SCALE = 4  # it is drawn larger and reduced, for smooth edges


def stamped(
    pixels: NDArray[np.uint8], rng: Rng, *, away_from: NDArray[np.bool_] | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """The photo (S, S, 3) with a stamp in a corner, and the stamp's mask (S, S); every other pixel is as it was.

    The corner is the one farthest from the mask `away_from` (S, S), else any.
    """
    ends = (_OFFSET, SIZE - 1 - _OFFSET)
    corners = np.array([(row, column) for row in ends for column in ends])
    if away_from is None:
        corner = corners[rng.integers(4)]
    else:
        defect = np.argwhere(away_from)
        nearest = [np.linalg.norm(defect - corner, axis=1).min() for corner in corners]
        corner = corners[int(np.argmax(nearest))]
    row, column = corner + rng.integers(-3, 4, 2)
    ink = np.zeros((SIZE, SIZE), np.float32)
    ink[row - _RADIUS : row + _RADIUS, column - _RADIUS : column + _RADIUS] = _impression(rng)
    shown = np.rint(pixels + ink[..., None] * (_INK - pixels)).astype(np.uint8)
    return shown, (shown != pixels).any(axis=2)


def _impression(rng: Rng) -> NDArray[np.float32]:
    """How much ink lies where, (2 R, 2 R) in [0, 1]: rings and letters, unevenly pressed."""
    side = 2 * _RADIUS * _SCALE
    sheet = Image.new("L", (side, side))
    draw = ImageDraw.Draw(sheet)
    for margin, width in ((6, 9), (24, 4)):
        draw.ellipse((margin, margin, side - margin, side - margin), outline=255, width=width)
    middle = side / 2
    draw.text((middle, middle - 20), "NG", fill=255, anchor="mm", font=ImageFont.load_default(size=66))
    draw.text((middle, middle + 38), "QC 7", fill=255, anchor="mm", font=ImageFont.load_default(size=32))
    turned = sheet.rotate(float(rng.uniform(-25, 25)), Image.Resampling.BICUBIC)
    small = turned.resize((2 * _RADIUS, 2 * _RADIUS), Image.Resampling.LANCZOS)
    pressed = rng.uniform(0.88, 0.98) + 0.12 * rng.standard_normal((2 * _RADIUS, 2 * _RADIUS))
    return np.clip(np.asarray(small, np.float32) / 255 * pressed, 0, 1).astype(np.float32)
