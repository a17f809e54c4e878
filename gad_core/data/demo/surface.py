"""Random fields and soft shapes from which every demo surface is made; coordinates are pixels from the centre."""

import math
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

Field = NDArray[np.floating[Any]]  # float32 in practice, which is twice as fast
Rng = np.random.Generator
Point = tuple[float, float]

SIZE = 256  #: side of a photo, in pixels
CANVAS = 2 * SIZE  #: side of the canvas that is averaged down to it


@cache
def axes(size: int) -> tuple[Field, Field]:
    """Coordinates x (1, size) and y (size, 1)."""
    line = np.arange(size, dtype=np.float32) - (size - 1) / 2
    return line[None, :], line[:, None]


def cloud(rng: Rng, cells: int, *, size: int) -> Field:
    """Smooth noise (size, size) of about unit variance, with about `cells` bumps across."""
    return _stretched(rng.standard_normal((cells + 3, cells + 3), dtype=np.float32), size, margin=1.5)


def grain(rng: Rng, *, length: int, size: int) -> Field:
    """Fine noise (size, size) of unit variance, drawn out to `length` pixels down the columns."""
    noise = rng.integers(0, 256, (size, size), dtype=np.uint8).astype(np.float32)  # the mean makes it normal
    noise = ndimage.uniform_filter1d(noise, length, axis=0, mode="wrap")
    return np.asarray((noise - np.float32(127.5)) * np.float32((12 * length) ** 0.5 / 256))


def reduced(field: Field) -> Field:
    """A field averaged down to half its sides."""
    return (field[0::2, 0::2] + field[1::2, 0::2] + field[0::2, 1::2] + field[1::2, 1::2]) * np.float32(0.25)


def step(low: float, high: float, x: Field) -> Field:
    """0 below `low`, 1 above `high`, smooth between; falls where `low` > `high`."""
    t = np.clip((x - np.float32(low)) * np.float32(1 / (high - low)), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def slopes(height: Field) -> tuple[Field, Field]:
    """Central differences (d/dx, d/dy) of a height field."""
    dx, dy = np.zeros_like(height), np.zeros_like(height)
    dx[:, 1:-1] = (height[:, 2:] - height[:, :-2]) * np.float32(0.5)
    dy[1:-1] = (height[2:] - height[:-2]) * np.float32(0.5)
    return dx, dy


def blurred(field: Field, sigma: float) -> Field:
    """Gaussian blur; a wide one is made at a quarter of the resolution, where it costs a twentieth."""
    if sigma < 4:
        return np.asarray(ndimage.gaussian_filter(field, sigma))
    side = field.shape[0] // 4
    small = field.reshape(side, 4, side, 4).mean(axis=(1, 3))
    return _stretched(ndimage.gaussian_filter(small, sigma / 4), field.shape[0], margin=0)


def blob(rng: Rng, at: Point, radius: float, *, size: int, ragged: float, aspect: float = 1.0) -> Field:
    """Depth (size, size) into a ragged ellipse at a random angle: 1 in the middle, 0 at the rim, then negative."""
    x, y = axes(size)
    x, y, angle = x - np.float32(at[0]), y - np.float32(at[1]), rng.uniform(0, math.pi)
    along, across = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
    distance = np.hypot(along * np.float32(aspect**-0.5 / radius), across * np.float32(aspect**0.5 / radius))
    roughness = cloud(rng, int(size / radius), size=size) + 0.5 * cloud(rng, int(3 * size / radius), size=size)
    return 1 - distance + np.float32(ragged) * roughness


def curve(rng: Rng, start: Point, angle: float, length: float, *, bend: float) -> list[Point]:
    """Points of a wandering line that turns by about `bend` radians over its length."""
    n = max(int(length / 4), 3)
    turns = angle + np.cumsum(bend * (0.6 + rng.normal(0, 0.8, n)) / n)
    x = start[0] + np.cumsum(np.cos(turns)) * length / n
    y = start[1] + np.cumsum(np.sin(turns)) * length / n
    return list(zip(x.tolist(), y.tolist(), strict=True))


def drawn(lines: list[list[Point]], width: int, *, size: int) -> Field:
    """Coverage (size, size) by lines."""
    image = Image.new("L", (size, size))
    draw = ImageDraw.Draw(image)
    for line in lines:
        draw.line([(x + size / 2, y + size / 2) for x, y in line], fill=255, width=width, joint="curve")
    return np.asarray(image, np.float32) / 255


def _stretched(coarse: Field, size: int, *, margin: float) -> Field:
    weights = _bicubic(len(coarse), size, margin)
    return weights @ coarse @ weights.T


@cache
def _bicubic(side: int, size: int, margin: float) -> Field:
    """Weights (size, side) that stretch a line of `side` values, less a margin at both ends, to `size` values."""
    box = (0, margin, side, side - margin)
    identity = Image.fromarray(np.eye(side, dtype=np.float32))
    return np.array(identity.resize((side, size), Image.Resampling.BICUBIC, box=box))
