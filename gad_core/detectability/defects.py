"""Synthetic defects of known size and contrast, drawn on images of good parts: none of them is a real one.

The size is the diameter of a circle of the defect's area, in percent of the image's shorter side, so that every kind
and every mask of a real defect is measured alike. The contrast says how far the defect goes: for a spot and a scratch
by how much of the full range of grey they are darker (on what is bright) or brighter than what they lie on, for a
colour by how much of half the range red rises and blue falls, and for the others how far pixels go from what they are
to what the kind makes of them: the colour behind the part, a blur, a patch of another image.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from gad_core.errors import GadError

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Field = NDArray[np.float64]
Rng = np.random.Generator

Kind = Literal["spot", "scratch", "missing", "blur", "colour", "patch"]
KINDS: tuple[Kind, ...] = get_args(Kind)
WORDS: dict[Kind, str] = {
    "spot": "spot",
    "scratch": "scratch",
    "missing": "missing material",
    "blur": "blur",
    "colour": "colour",
    "patch": "misplaced patch",
}

_SOFT = 0.12  # of the diameter: how wide the edge is
_LONG = 12.0  # times its width a scratch is long
_LOBES = 4  # of an outline that is no circle
_RAGGED = 0.12  # of the radius, by lobe
_SMEARED = 0.35  # of the diameter: the standard deviation of the blur
_MIDDLE, _FAINT = 127.5, 1e-9  # of the range of grey; a weight that leaves none without


@dataclass(frozen=True)
class Defect:
    """A kind of defect, its size in percent of the image's shorter side, and its contrast in (0, 1].

    Raises `GadError` for values outside.
    """

    kind: Kind
    size: float
    contrast: float

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        if self.kind not in KINDS:
            raise GadError(f"{self.kind!r} is no kind of defect; choose one of {', '.join(KINDS)}")
        if not 0 < self.size <= 50:
            raise GadError(f"a defect's size lies above 0 and up to 50 % of the image's side, got {self.size:g}")
        if not 0 < self.contrast <= 1:
            raise GadError(f"a defect's contrast lies above 0 and up to 1, got {self.contrast:g}")

    def diameter(self, shape: tuple[int, ...]) -> float:
        """In pixels of an image (H, W, ...)."""
        return self.size / 100 * min(shape[:2])


@dataclass(frozen=True)
class Drawn:
    """An image with a defect: pixels (H, W, 3), and the mask (H, W) of what is more defect than image."""

    pixels: Pixels
    mask: Mask


def draw_defect(
    pixels: Pixels, defect: Defect, centre: tuple[float, float], rng: Rng, *, other: Pixels | None = None
) -> Drawn:
    """Draw a defect on an image (H, W, 3) about `centre` (x, y), in shares of width and height; blended at its edge.

    It is moved inward as far as it takes to lie in the image whole. `other` is the image that a misplaced patch is
    taken from. Shape and place of the patch are drawn from `rng`.
    """
    height, width = pixels.shape[:2]
    diameter = defect.diameter(pixels.shape)
    outline = _outline(defect.kind, diameter, rng)
    x, y = (_inside(share * side, outline.reach, side) for share, side in zip(centre, (width, height), strict=True))
    reach = math.ceil(outline.reach + diameter) + 2
    rows, columns = (
        slice(max(0, math.floor(at) - reach), min(side, math.ceil(at) + reach + 1))
        for at, side in ((y, height), (x, width))
    )
    grid_y, grid_x = np.mgrid[rows, columns]
    weight = np.clip(0.5 - outline.beyond(grid_x - x, grid_y - y) / max(1.0, _SOFT * outline.width), 0, 1)
    part = pixels[rows, columns].astype(np.float64)
    changed = _effect(defect, part, weight, rng, pixels, other)
    drawn, mask = pixels.copy(), np.zeros((height, width), bool)
    drawn[rows, columns] = np.rint(part + weight[..., None] * (changed - part)).clip(0, 255)
    mask[rows, columns] = weight >= 0.5
    return Drawn(drawn, mask)


def equivalent_size(mask: Mask) -> float:
    """The size of what a mask (H, W) covers, in the unit of synthetic defects."""
    return 100 * math.sqrt(4 * int(mask.sum()) / math.pi) / int(min(mask.shape))


@dataclass(frozen=True)
class _Outline:
    """A shape about the origin: how far a point lies outside (negative: inside), in pixels."""

    beyond: Callable[[Field, Field], Field]
    reach: float  # the farthest point from the centre
    width: float  # the narrowest extent


def _outline(kind: Kind, diameter: float, rng: Rng) -> _Outline:
    """The outline of a kind whose area is that of a circle of the diameter."""
    angle = rng.uniform(0, 2 * math.pi)
    if kind == "scratch":
        length = diameter * math.sqrt(math.pi * _LONG / 4)
        return _Outline(_box(length, length / _LONG, angle), length / 2, length / _LONG)
    if kind == "patch":
        side = diameter * math.sqrt(math.pi) / 2
        return _Outline(_box(side, side, angle), side / math.sqrt(2), side)
    if kind == "missing":
        return _ragged(diameter / 2, rng)
    return _Outline(lambda x, y: np.hypot(x, y) - diameter / 2, diameter / 2, diameter)


def _box(length: float, width: float, angle: float) -> Callable[[Field, Field], Field]:
    """A turned rectangle."""
    cos, sin = math.cos(angle), math.sin(angle)

    def beyond(x: Field, y: Field) -> Field:
        return np.maximum(np.abs(cos * x + sin * y) - length / 2, np.abs(cos * y - sin * x) - width / 2)

    return beyond


def _ragged(radius: float, rng: Rng) -> _Outline:
    """A circle with lobes, of the circle's area: the mean square of its radius is kept."""
    heights = _RAGGED * rng.normal(size=_LOBES) / np.arange(1, _LOBES + 1)
    turns = rng.uniform(0, 2 * math.pi, _LOBES)
    mean = radius / math.sqrt(1 + np.square(heights).sum() / 2)

    def beyond(x: Field, y: Field) -> Field:
        angles = np.arctan2(y, x)[..., None] * np.arange(2, _LOBES + 2)
        return np.asarray(np.hypot(x, y) - mean * (1 + (heights * np.cos(angles + turns)).sum(axis=-1)))

    return _Outline(beyond, mean * (1 + float(np.abs(heights).sum())), 2 * mean)


def _inside(at: float, reach: float, side: int) -> float:
    """A centre from which a shape of that reach stays inside; the middle where it does not fit."""
    low, high = reach, side - 1 - reach
    return min(max(at, low), high) if low < high else (side - 1) / 2


def _effect(defect: Defect, part: Field, weight: Field, rng: Rng, pixels: Pixels, other: Pixels | None) -> Field:
    """What the part (h, w, 3) of an image becomes where the defect covers it whole."""
    if defect.kind in ("spot", "scratch"):
        bright = np.average(part.mean(axis=2), weights=weight + _FAINT) > _MIDDLE
        return part + 255 * defect.contrast * (-1.0 if bright else 1.0)
    if defect.kind == "colour":
        return part + _MIDDLE * defect.contrast * np.array([1.0, 0.0, -1.0])
    if defect.kind == "missing":
        made = _behind(pixels)
    elif defect.kind == "blur":
        sigma = _SMEARED * defect.diameter(pixels.shape)
        made = ndimage.gaussian_filter(part, (sigma, sigma, 0), mode="nearest")
    else:
        made = _cut_out(part.shape, rng, pixels if other is None else other)
    return np.asarray(part + defect.contrast * (made - part))


def _behind(pixels: Pixels) -> Field:
    """The median colour (3,) along the image's edge, which stands for what lies behind the part."""
    return np.asarray(np.median(np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]]), axis=0))


def _cut_out(shape: tuple[int, ...], rng: Rng, other: Pixels) -> Field:
    """As much (h, w, 3) of another image, from anywhere in it; one that is smaller is repeated."""
    rows, columns = (
        (int(rng.integers(0, max(1, have - need + 1))) + np.arange(need)) % have
        for have, need in zip(other.shape[:2], shape[:2], strict=True)
    )
    return np.asarray(other[np.ix_(rows, columns)], np.float64)
