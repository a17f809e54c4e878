"""Random fields and soft shapes from which every demo surface is made, on the supersampled canvas."""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

Field = NDArray[np.floating[Any]]  # float32 in practice, which is twice as fast
Rng = np.random.Generator

SIZE = 256  #: side of a photo, in pixels
SCALE = 2  #: canvas pixels per photo pixel
CANVAS = SIZE * SCALE


@cache
def axes() -> tuple[Field, Field]:
    """Canvas coordinates x (1, CANVAS) and y (CANVAS, 1), in canvas pixels from the centre."""
    line = np.arange(CANVAS, dtype=np.float32) - (CANVAS - 1) / 2
    return line[None, :], line[:, None]


def cloud(rng: Rng, cells: int, *, size: int = CANVAS) -> Field:
    """Smooth noise (size, size) of about unit variance, with about `cells` bumps across."""
    coarse = rng.standard_normal((cells + 3, cells + 3), dtype=np.float32)
    return _stretched(coarse, size)


def grain(rng: Rng, *, length: int) -> Field:
    """Fine noise (CANVAS, CANVAS) of unit variance, drawn out to `length` pixels down the columns."""
    noise = rng.integers(0, 256, (CANVAS, CANVAS), dtype=np.uint8).astype(np.float32)  # the mean makes it normal
    noise = ndimage.uniform_filter1d(noise, length, axis=0, mode="wrap")
    return np.asarray((noise - np.float32(127.5)) * np.float32((12 * length) ** 0.5 / 256))


def reduced(field: Field) -> Field:
    """Canvas field (CANVAS, CANVAS) averaged down to the photo (SIZE, SIZE)."""
    return (field[0::2, 0::2] + field[1::2, 0::2] + field[0::2, 1::2] + field[1::2, 1::2]) * np.float32(0.25)


def step(low: float, high: float, x: Field) -> Field:
    """0 below `low`, 1 above `high`, smooth between (Hermite); falls where `low` > `high`."""
    t = np.clip((x - np.float32(low)) / np.float32(high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def slopes(height: Field) -> tuple[Field, Field]:
    """Central differences (d/dx, d/dy) of a height field."""
    dx, dy = np.zeros_like(height), np.zeros_like(height)
    dx[:, 1:-1] = (height[:, 2:] - height[:, :-2]) / 2
    dy[1:-1] = (height[2:] - height[:-2]) / 2
    return dx, dy


def blurred(field: Field, sigma: float) -> Field:
    """Gaussian blur; a wide one is made at a quarter of the resolution, where it costs a twentieth."""
    if sigma < 4:
        return np.asarray(ndimage.gaussian_filter(field, sigma))
    side = field.shape[0] // 4
    small = field.reshape(side, 4, side, 4).mean(axis=(1, 3))
    return _stretched(ndimage.gaussian_filter(small, sigma / 4), field.shape[0], margin=0)


def blob(rng: Rng, centre: tuple[float, float], radius: float, *, ragged: float = 0.25, aspect: float = 1.0) -> Field:
    """Signed distance, in radii, into a ragged ellipse at a random angle: positive inside, at most 1."""
    x, y = axes()
    angle = rng.uniform(0, np.pi)
    along = (x - centre[0]) * np.float32(np.cos(angle)) + (y - centre[1]) * np.float32(np.sin(angle))
    across = (y - centre[1]) * np.float32(np.cos(angle)) - (x - centre[0]) * np.float32(np.sin(angle))
    distance = np.hypot(along / np.float32(radius * aspect**0.5), across * np.float32(aspect**0.5 / radius))
    roughness = cloud(rng, int(CANVAS / radius)) + 0.5 * cloud(rng, int(3 * CANVAS / radius))
    return 1 - distance + np.float32(ragged) * roughness


def curve(
    rng: Rng, start: tuple[float, float], angle: float, length: float, *, bend: float
) -> list[tuple[float, float]]:
    """Points of a wandering line, in canvas pixels from the centre; `bend` is the turn in radians over its length."""
    n = max(int(length / 4), 3)
    turns = angle + np.cumsum(bend * (0.6 + rng.normal(0, 0.8, n)) / n)
    x = start[0] + np.cumsum(np.cos(turns)) * length / n
    y = start[1] + np.cumsum(np.sin(turns)) * length / n
    return list(zip(x.tolist(), y.tolist(), strict=True))


def drawn(lines: list[list[tuple[float, float]]], width: float) -> Field:
    """Coverage (CANVAS, CANVAS) in [0, 1] of lines given in canvas pixels from the centre."""
    image = Image.new("L", (CANVAS, CANVAS))
    draw = ImageDraw.Draw(image)
    for line in lines:
        draw.line(
            [(x + CANVAS / 2, y + CANVAS / 2) for x, y in line], fill=255, width=max(round(width), 1), joint="curve"
        )
    return np.asarray(image, np.float32) / 255


def _stretched(coarse: Field, size: int, *, margin: float = 1.5) -> Field:
    side = coarse.shape[0]
    box = (margin, margin, side - margin, side - margin)
    return np.array(Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC, box=box))
