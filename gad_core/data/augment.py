"""The augmentation pipeline of Fig. 5, drawn anew for every (image, pass) from a seed of its own.

OpenCV does the pixels: it alone has every step (CLAHE and 3 x 3 medians are missing in torchvision's v2 transforms) on
8-bit arrays as they come from the cache, without a detour through float tensors, which kornia needs. Emboss, sharpen
and motion blur are its `filter2D` with their textbook kernels. `python -m benchmarks.augmentation` measures it.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gad_core.data.augment_settings import STEPS, Augmentation, Step

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Rng = np.random.Generator

cv2.setNumThreads(0)  # images are small and the threads that hand them over are many


@dataclass(frozen=True)
class Move:
    """One drawn change of an image, by name; `pixels` does it, and `mask` does the same to a mask."""

    name: str
    numbers: tuple[float, ...]
    pixels: Callable[[Pixels], Pixels]
    mask: Callable[[Mask], Mask] | None = None  # None: the change leaves places alone


@dataclass(frozen=True)
class Pass:
    """One augmented copy of every image: the `index`-th, the same whenever and wherever it is made."""

    settings: Augmentation
    index: int
    seed: int = 0

    def key(self, digest: str) -> str:
        """Give a digest of the copy that this pass makes of the image with that digest."""
        words = json.dumps([digest, self.index, self.seed, self.settings.to_json()])
        return hashlib.sha256(words.encode()).hexdigest()

    def moves(self, digest: str) -> tuple[Move, ...]:
        """Draw what is done to the image with that digest."""
        return draw(self.settings, np.random.default_rng([int(digest[:32], 16), self.seed, self.index]))

    def __call__(self, digest: str, pixels: Pixels) -> Pixels:
        """Make the copy (S, S, 3) of an image (S, S, 3)."""
        for move in self.moves(digest):
            pixels = move.pixels(pixels)
        return pixels

    def mask(self, digest: str, mask: Mask) -> Mask:
        """Make the mask (S, S) of the copy."""
        for move in self.moves(digest):
            mask = move.mask(mask) if move.mask else mask
        return mask


def draw(settings: Augmentation, rng: Rng) -> tuple[Move, ...]:
    """Draw what is done to one sample."""
    if rng.random() >= settings.apply:
        return ()
    return tuple(_DRAWN[step](settings, rng) for step in STEPS if rng.random() < getattr(settings, step))


def _blur(_: Augmentation, rng: Rng) -> Move:
    name = str(rng.choice(["motion blur", "median blur", "box blur"], p=[0.5, 0.25, 0.25]))
    if name == "median blur":
        return Move(name, (3,), lambda pixels: _same(cv2.medianBlur(pixels, 3)))
    if name == "box blur":
        return Move(name, (3,), lambda pixels: _same(cv2.blur(pixels, (3, 3))))
    side, angle = int(rng.choice([3, 5, 7])), float(rng.uniform(0, np.pi))
    return Move(name, (side, angle), partial(_filter, kernel=_line(side, angle)))


def _tone(_: Augmentation, rng: Rng) -> Move:
    name = str(rng.choice(["CLAHE", "sharpen", "emboss", "brightness"]))
    if name == "CLAHE":
        clip = float(rng.uniform(1, 2))
        return Move(name, (clip,), partial(_equalise, clip=clip))
    if name == "brightness":
        brightness, contrast = float(rng.uniform(-0.1, 0.2)), float(rng.uniform(-0.2, 0.2))
        return Move(name, (brightness, contrast), partial(_stretch, brightness=brightness, contrast=contrast))
    alpha = float(rng.uniform(0.2, 0.5))
    strength = float(rng.uniform(0.5, 1) if name == "sharpen" else rng.uniform(0.2, 0.7))
    effect = _sharp(strength) if name == "sharpen" else _embossed(strength)
    kernel = alpha * effect
    kernel[1, 1] += 1 - alpha
    return Move(name, (alpha, strength), partial(_filter, kernel=kernel))


def _colour(_: Augmentation, rng: Rng) -> Move:
    shifts = (float(rng.uniform(-10, 10)), float(rng.uniform(-30, 30)), float(rng.uniform(-10, 20)))
    return Move("colour", shifts, partial(_shift_hsv, shifts=shifts))


def _noise(_: Augmentation, rng: Rng) -> Move:
    sigma, channels, seed = float(rng.uniform(0.01, 0.03)), int(rng.choice([1, 3])), int(rng.integers(2**32))
    return Move("noise", (sigma, channels, seed), partial(_add_noise, sigma=sigma, channels=channels, seed=seed))


def _flip(_: Augmentation, __: Rng) -> Move:
    return Move("flip", (), lambda pixels: _same(cv2.flip(pixels, 1)), lambda mask: mask[:, ::-1])


def _quarter_turn(_: Augmentation, rng: Rng) -> Move:
    k = int(rng.integers(4))
    return Move("quarter_turn", (k,), partial(_turn, k=k), lambda mask: np.rot90(mask, k))


def _turn(pixels: Pixels, *, k: int) -> Pixels:
    return np.ascontiguousarray(np.rot90(pixels, k))


def _affine(settings: Augmentation, rng: Rng) -> Move:
    right, down = (float(value) for value in rng.uniform(-settings.shift, settings.shift, 2))
    scale = float(rng.uniform(1 - settings.shrink, 1 + settings.grow))
    angle = float(rng.uniform(-settings.rotation, settings.rotation))
    numbers = (right, down, scale, angle)
    return Move("affine", numbers, partial(_warp, numbers=numbers), partial(_warp_mask, numbers=numbers))


_DRAWN: Mapping[Step, Callable[[Augmentation, Rng], Move]] = {
    "blur": _blur,
    "tone": _tone,
    "colour": _colour,
    "noise": _noise,
    "flip": _flip,
    "quarter_turn": _quarter_turn,
    "affine": _affine,
}


def _line(side: int, angle: float) -> NDArray[np.float64]:
    """Draw a line through the middle of a kernel (side, side), of sum 1."""
    kernel, middle = np.zeros((side, side)), side // 2
    along = np.array([np.cos(angle), np.sin(angle)]) * middle
    first, last = (tuple(np.rint(middle + sign * along).astype(int).tolist()) for sign in (-1, 1))
    kernel = np.asarray(cv2.line(kernel, first, last, 1.0), np.float64)
    return np.asarray(kernel / kernel.sum())


def _sharp(lightness: float) -> NDArray[np.float64]:
    kernel = np.full((3, 3), -1.0)
    kernel[1, 1] = 8 + lightness
    return kernel


def _embossed(strength: float) -> NDArray[np.float64]:
    return np.array([[-1 - strength, -strength, 0], [-strength, 1, strength], [0, strength, 1 + strength]])


def _filter(pixels: Pixels, *, kernel: NDArray[np.float64]) -> Pixels:
    return _same(cv2.filter2D(pixels, -1, kernel))


def _equalise(pixels: Pixels, *, clip: float) -> Pixels:
    lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)
    lab[..., 0] = cv2.createCLAHE(clip, (8, 8)).apply(lab[..., 0])
    return _same(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB))


def _stretch(pixels: Pixels, *, brightness: float, contrast: float) -> Pixels:
    table = np.arange(256) * (1 + contrast) + 255 * brightness
    return np.asarray(np.rint(table).clip(0, 255).astype(np.uint8)[pixels])


def _shift_hsv(pixels: Pixels, *, shifts: tuple[float, float, float]) -> Pixels:
    hsv = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV)
    levels = np.arange(256)
    hue = np.rint((levels + shifts[0]) % 180).astype(np.uint8) % 180
    tables = [hue, *(np.rint(levels + by).clip(0, 255).astype(np.uint8) for by in shifts[1:])]
    for channel, table in enumerate(tables):
        hsv[..., channel] = table[hsv[..., channel]]
    return _same(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB))


def _add_noise(pixels: Pixels, *, sigma: float, channels: int, seed: int) -> Pixels:
    noise = np.random.default_rng(seed).standard_normal((*pixels.shape[:2], channels), np.float32)
    return np.rint(pixels + 255 * sigma * noise).clip(0, 255).astype(np.uint8)


def _matrix(shape: tuple[int, ...], numbers: tuple[float, ...]) -> NDArray[np.float64]:
    right, down, scale, angle = numbers
    height, width = shape[:2]
    matrix = np.asarray(cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, scale), np.float64)
    matrix[:, 2] += np.array([right * width, down * height])
    return matrix


def _warp(pixels: Pixels, *, numbers: tuple[float, ...]) -> Pixels:
    size = (pixels.shape[1], pixels.shape[0])
    matrix = _matrix(pixels.shape, numbers)
    return _same(cv2.warpAffine(pixels, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101))


def _warp_mask(mask: Mask, *, numbers: tuple[float, ...]) -> Mask:
    return _warp(mask.astype(np.uint8) * 255, numbers=numbers) > 127


def _same(pixels: Any) -> Pixels:
    """OpenCV's own types do not know what kind of array comes out."""
    return np.asarray(pixels, np.uint8)
