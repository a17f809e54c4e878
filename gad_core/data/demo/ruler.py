"""The ruler of `weave_ruler`: it lies at the edge of every photo of one lot, and gives that lot away."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from gad_core.data.demo.surface import SIZE, Field, Rng

_HEIGHT = 18  # photo pixels
_STEP = 6  # photo pixels from mark to mark
_STEEL, _ETCHED = 176, 38  # bytes
_SCALE = 4  # it is drawn larger and reduced, for smooth edges


def ruled(
    pixels: NDArray[np.uint8], rng: Rng, *, away_from: NDArray[np.bool_] | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """The photo (S, S, 3) with a steel ruler at an edge, and the ruler's mask (S, S); every other pixel is as it was.

    It is the lower edge, or the upper one where the mask `away_from` (S, S) reaches down to it.
    """
    steel, lies = _ruler(rng)
    if away_from is not None and away_from[lies > 0].any():
        steel, lies = steel[::-1, ::-1], lies[::-1, ::-1]  # turned round, so that its marks still point at the part
    shown = np.rint(pixels + lies[..., None] * (steel[..., None] - pixels)).astype(np.uint8)
    return shown, (shown != pixels).any(axis=2)


def _ruler(rng: Rng) -> tuple[Field, Field]:
    """The ruler's bytes at the lower edge and how much of each pixel it covers, both (S, S)."""
    side, height = SIZE * _SCALE, round((_HEIGHT + rng.uniform(-1, 1)) * _SCALE)
    sheet, cover = Image.new("L", (side, side), _STEEL), Image.new("L", (side, side))
    top, first = side - height, int(rng.integers(-20, 0))
    ImageDraw.Draw(cover).rectangle((0, top, side, side), fill=255)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=30)
    offset = rng.uniform(0, _STEP)
    for mark in range(first, first + side // _STEP):
        x = (mark * _STEP + offset) * _SCALE
        long = mark % 10 == 0
        draw.rectangle((x, top, x + _SCALE, top + height * (0.55 if long else 0.3)), fill=_ETCHED)
        if long:
            draw.text((x + 2 * _SCALE, side), str(mark // 10 % 30), fill=_ETCHED, anchor="lb", font=font)
    shine = rng.normal(1, 0.02) + 0.04 * np.sin(np.linspace(0, 2 * np.pi, SIZE) + rng.uniform(0, 7))
    bright, lies = (
        np.asarray(field.resize((SIZE, SIZE), Image.Resampling.BOX), np.float32) for field in (sheet, cover)
    )
    grain = 2 * rng.standard_normal((SIZE, SIZE))
    return np.clip(bright * shine + grain, 0, 255).astype(np.float32), lies / np.float32(255)
