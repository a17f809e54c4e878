"""What a demo board is built from: flat patches of colour, gloss and height, and the electronic parts made of them."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from gad_core.data.demo.surface import Field, step

Colour = tuple[float, float, float]
Box = tuple[float, float, float, float]  # left, top, right, bottom
_Place = Callable[[Sequence[float]], list[float]]  # from x, y, x, y .. on the patch to the same on a sheet

SILVER: Colour = (0.62, 0.62, 0.60)
INK: Colour = (0.70, 0.70, 0.67)
_PLASTIC: Colour = (0.035, 0.035, 0.038)
_FINE = 4  # drawing is done this much finer, against jagged edges


@dataclass(frozen=True)
class Patch:
    """A rectangle of surface, in canvas pixels, seen from above."""

    colour: Field  # (h, w, 3) linear
    cover: Field  # (h, w) 1 where it hides what lies below
    height: Field  # (h, w) canvas pixels above the board
    gloss: Field  # (h, w)


def blank(width: int, height: int) -> Patch:
    """Nothing at all, to build on."""
    plane = np.zeros((height, width), np.float32)
    return Patch(np.zeros((height, width, 3), np.float32), plane, plane, plane)


def laid(patch: Patch, shape: Field, colour: Colour, *, height: Field | float, gloss: float) -> Patch:
    """The patch with a shape (h, w) in [0, 1] laid on top."""
    rows, columns = (np.flatnonzero(shape.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return patch
    here = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    edge, tall = shape[here], np.broadcast_to(np.asarray(height, np.float32), shape.shape)
    new = Patch(patch.colour.copy(), np.maximum(patch.cover, shape), patch.height.copy(), patch.gloss.copy())
    new.colour[here] += edge[..., None] * (np.array(colour, np.float32) - new.colour[here])
    new.height[here] += edge * (tall[here] - new.height[here])
    new.gloss[here] += edge * (np.float32(gloss) - new.gloss[here])
    return new


def rectangle(patch: Patch, box: Box, *, radius: float = 0) -> Field:
    """Coverage of a rounded rectangle."""
    return _covered(patch, box, lambda draw, at: draw.rounded_rectangle(at(box), radius * _FINE, fill=255))


def ellipse(patch: Patch, box: Box) -> Field:
    """Coverage of an ellipse."""
    return _covered(patch, box, lambda draw, at: draw.ellipse(at(box), fill=255))


def lines(patch: Patch, points: list[tuple[float, float]], width: int) -> Field:
    """Coverage of a line with round corners."""
    x, y = zip(*points, strict=True)
    flat = [value for point in points for value in point]
    box = (min(x) - width, min(y) - width, max(x) + width, max(y) + width)
    return _covered(patch, box, lambda draw, at: draw.line(at(flat), fill=255, width=_FINE * width, joint="curve"))


def lettering(patch: Patch, at: tuple[float, float], text: str, size: float, *, upright: bool = True) -> Field:
    """Coverage of a text centred at a point; not upright, it reads from below."""
    height, width = patch.cover.shape
    image = Image.new("L", (width * _FINE, height * _FINE))
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size * _FINE)
    if upright:
        draw.text((at[0] * _FINE, at[1] * _FINE), text, fill=255, font=font, anchor="mm")
    else:
        strip = Image.new("L", (round(len(text) * size * _FINE), round(1.4 * size * _FINE)))
        ImageDraw.Draw(strip).text((strip.width / 2, strip.height / 2), text, fill=255, font=font, anchor="mm")
        strip = strip.rotate(90, expand=True)
        image.paste(strip, (round(at[0] * _FINE - strip.width / 2), round(at[1] * _FINE - strip.height / 2)))
    return _coverage(image)


def bevelled(patch: Patch, box: Box, *, height: float, bevel: float) -> Field:
    """Height of a block whose sides slope over `bevel` pixels."""
    rows, columns = _middles(patch)
    inside = np.minimum(np.minimum(columns - box[0], box[2] - columns), np.minimum(rows - box[1], box[3] - rows))
    return np.float32(height) * (0.45 + 0.55 * step(-0.5, bevel, inside))


def dome(patch: Patch, box: Box, *, height: float) -> Field:
    """Height of a drop that fills a box."""
    rows, columns = _middles(patch)
    x = (columns - (box[0] + box[2]) / 2) / np.float32((box[2] - box[0]) / 2)
    y = (rows - (box[1] + box[3]) / 2) / np.float32((box[3] - box[1]) / 2)
    return np.asarray(np.float32(height) * np.sqrt(np.maximum(1.05 - x * x - y * y, 0)))


def _middles(patch: Patch) -> tuple[Field, Field]:
    """Where its rows (h, 1) and columns (1, w) have their middle."""
    rows, columns = (np.arange(n, dtype=np.float32) + np.float32(0.5) for n in patch.cover.shape)
    return rows[:, None], columns[None, :]


def soldered(patch: Patch, box: Box, *, height: float = 5) -> Patch:
    """The patch with a drop of solder in a box."""
    return laid(patch, ellipse(patch, box), SILVER, height=dome(patch, box, height=height), gloss=0.9)


def _block(patch: Patch, box: Box, colour: Colour, *, height: float, bevel: float, gloss: float) -> Patch:
    relief = bevelled(patch, box, height=height, bevel=bevel)
    return laid(patch, rectangle(patch, box, radius=1.5), colour, height=relief, gloss=gloss)


@cache
def chip(kind: str) -> Patch:
    """A two-ended part: "resistor", "capacitor" or "diode" (its stripe to the left)."""
    width, height, colour, tall, gloss = {
        "resistor": (46, 24, (0.030, 0.032, 0.038), 7, 0.25),
        "capacitor": (44, 26, (0.36, 0.25, 0.15), 12, 0.15),
        "diode": (62, 34, (0.62, 0.33, 0.05), 14, 0.12),
    }[kind]
    patch = blank(width + 18, height + 8)
    left, top = 9.0, 4.0
    for x in (0, width + 4):
        patch = soldered(patch, (x, top + 1, x + 14, top + height - 1), height=0.6 * tall)
    patch = _block(patch, (left, top, left + width, top + height), SILVER, height=tall, bevel=2.5, gloss=0.7)
    end = 4 if kind == "diode" else 8
    body = (left + end, top, left + width - end, top + height)
    patch = _block(patch, body, colour, height=tall + 0.5, bevel=2.5, gloss=gloss)
    if kind == "resistor":
        patch = _printed(patch, lettering(patch, (left + width / 2, top + height / 2), "472", 13), INK)
    if kind == "diode":
        stripe = rectangle(patch, (body[0] + 2, top + 1, body[0] + 13, top + height - 1))
        patch = _printed(patch, stripe, (0.30, 0.03, 0.02))
        patch = _printed(patch, lettering(patch, (left + 38, top + height / 2), "10V", 13), (0.10, 0.05, 0.02))
    return patch


@cache
def circuit(pins: int, width: int, text: str) -> Patch:
    """An integrated circuit with gull-wing leads at 22 pixels on its two long sides, pin 1 top left."""
    half, pitch = pins // 2, 22
    tall = half * pitch + 8
    patch = blank(width + 44, tall)
    for row in range(half):
        y = 4 + pitch * (row + 0.5)
        for x in (0, width + 26):
            patch = soldered(patch, (x, y - 6, x + 18, y + 6), height=3)
        for x0, x1 in ((4, 24), (width + 20, width + 40)):
            patch = _block(patch, (x0, y - 4, x1, y + 4), SILVER, height=6, bevel=2, gloss=0.8)
    body = (22.0, 1.0, 22.0 + width, tall - 1.0)
    patch = _block(patch, body, _PLASTIC, height=22, bevel=6, gloss=0.10)
    dimple = ellipse(patch, (30, 9, 42, 21))
    patch = laid(patch, dimple, (0.02, 0.02, 0.02), height=19, gloss=0.3)
    for line, share in zip(text.split(), (0.40, 0.66), strict=True):
        letters = min(0.24 * width, 1.15 * tall / len(line))
        patch = _printed(
            patch,
            lettering(patch, (22 + share * width, tall / 2 + 6), line, letters, upright=False),
            (0.33, 0.33, 0.32),
        )
    return patch


@cache
def can() -> Patch:
    """An aluminium electrolytic capacitor on its base, its black half to the left."""
    patch = blank(112, 112)
    for box in ((-2.0, 46.0, 20.0, 66.0), (92.0, 46.0, 114.0, 66.0)):
        patch = _block(patch, box, SILVER, height=4, bevel=2, gloss=0.8)
    patch = _block(patch, (8, 8, 104, 104), (0.03, 0.03, 0.03), height=12, bevel=3, gloss=0.1)
    top = (13.0, 13.0, 99.0, 99.0)
    rim = dome(patch, top, height=1.0)
    patch = laid(patch, ellipse(patch, top), (0.55, 0.56, 0.57), height=26 + 20 * step(0.0, 0.42, rim), gloss=0.9)
    half = ellipse(patch, (19, 19, 93, 93)) * rectangle(patch, (0, 0, 40, 112))
    patch = _printed(patch, half, (0.025, 0.025, 0.03))
    for row, line in enumerate(("100", "16V")):
        patch = _printed(patch, lettering(patch, (66, 47 + 19 * row), line, 17), (0.05, 0.05, 0.06))
    return patch


@cache
def crystal() -> Patch:
    """A quartz in its rounded metal can."""
    patch = blank(140, 56)
    for x in (0, 122):
        patch = soldered(patch, (x, 18, x + 18, 38), height=4)
    patch = laid(patch, rectangle(patch, (6, 2, 134, 54), radius=26), (0.50, 0.50, 0.49), height=5, gloss=0.8)
    box = (12.0, 7.0, 128.0, 49.0)
    top = laid(patch, rectangle(patch, box, radius=21), (0.60, 0.60, 0.58), height=24, gloss=0.8)
    inner = laid(top, rectangle(patch, (16, 11, 124, 45), radius=17), (0.60, 0.60, 0.58), height=27, gloss=0.6)
    return _printed(inner, lettering(inner, (70, 28), "16.000", 19), (0.10, 0.10, 0.10))


def _printed(patch: Patch, shape: Field, colour: Colour) -> Patch:
    """The patch with ink on it, as high as what lies below."""
    return replace(laid(patch, shape, colour, height=patch.height, gloss=0.1), height=patch.height)


def _covered(patch: Patch, box: Box, paint: Callable[[ImageDraw.ImageDraw, _Place], None]) -> Field:
    """Coverage (h, w) by what is painted within a box, on a sheet no larger than that."""
    cover = np.zeros_like(patch.cover)
    left, top = max(math.floor(box[0]), 0), max(math.floor(box[1]), 0)
    width, height = min(math.ceil(box[2]) + 1, cover.shape[1]) - left, min(math.ceil(box[3]) + 1, cover.shape[0]) - top
    if width > 0 and height > 0:
        sheet = Image.new("L", (width * _FINE, height * _FINE))
        paint(ImageDraw.Draw(sheet), lambda xy: [_FINE * (v - (left, top)[i % 2]) for i, v in enumerate(xy)])
        cover[top : top + height, left : left + width] = _coverage(sheet)
    return cover


def _coverage(image: Image.Image) -> Field:
    return np.asarray(image.reduce(_FINE), np.float32) / 255
