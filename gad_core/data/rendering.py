"""What each kind of shift does to the pixels of a photo.

Pillow compresses and resizes. OpenCV filters and turns, as in `augment`: Pillow rounds between the passes of its
filters and turns black corners into the picture.
"""

from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import fft, special

Pixels = NDArray[np.uint8]
Rng = np.random.Generator
Kind = Literal[
    "lens",
    "blur",
    "sharpening",
    "noise",
    "jpeg",
    "nearest",
    "bilinear",
    "bicubic",
    "lanczos",
    "bits",
    "white balance",
    "brightness",
    "contrast",
    "position",
    "rotation",
]

_TAILS = 6  # standard deviations to which a kernel reaches, and as many pixels: beyond lies less than a grey level
_FOCUS = 1.0  # px of the network's input: the blur that an unsharp mask takes away


def _soften(pixels: Pixels, sigma: float, rng: Rng, pitch: float) -> Pixels:
    """Blur what came through the lens, and leave the sensor's noise as it is.

    The photo is blurred, noise and all, and what this took of the noise is drawn anew: with the transfer function K of
    the blur, noise whose spectrum is 1 - K². A photo that was blurred afterwards has less noise, which a detector sees.
    """
    transfer = [np.exp((sigma * pitch) ** 2 * (np.cos(2 * np.pi * at) - 1)) for at in _frequencies(pixels)]
    taken = np.sqrt(np.maximum(1 - np.square(np.outer(*transfer)), 0))[..., None].astype(np.float32)
    white = rng.standard_normal(pixels.shape, np.float32) * _noise_level(pixels)
    spectrum = fft.rfft2(white, axes=(0, 1)) * taken
    return _rounded(blurred(pixels, sigma * pitch) + fft.irfft2(spectrum, pixels.shape[:2], axes=(0, 1)))


def _frequencies(pixels: Pixels) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    height, width = pixels.shape[:2]
    return fft.fftfreq(height), fft.rfftfreq(width)


def _noise_level(pixels: Pixels) -> NDArray[np.float32]:
    """Standard deviation of the noise in each channel (3,), in grey levels.

    From the finest diagonal details, of which edges are few: their median size over that of a unit normal. Source:
    Donoho & Johnstone 1994, Ideal spatial adaptation by wavelet shrinkage, Biometrika 81.
    """
    x = pixels.astype(np.float32)
    fine = (x[:-1:2, :-1:2] - x[1::2, :-1:2] - x[:-1:2, 1::2] + x[1::2, 1::2]) / 2
    size = np.median(np.abs(fine), axis=(0, 1)) if fine.size else np.zeros(3)
    return np.asarray(size / special.ndtri(0.75), np.float32)


def _blur(pixels: Pixels, sigma: float, _: Rng, pitch: float) -> Pixels:
    return _rounded(blurred(pixels, sigma * pitch))


def _sharpen(pixels: Pixels, percent: float, _: Rng, pitch: float) -> Pixels:
    return _rounded(pixels + percent / 100 * (pixels - blurred(pixels, _FOCUS * pitch)))


def blurred(pixels: Pixels, sigma: float) -> NDArray[np.float32]:
    """Convolve with the discrete Gaussian, whose variance is sigma² however small sigma is.

    A sampled one of 0.3 pixels would blur by a tenth of what it says. Source: Lindeberg 1990, Scale-space for discrete
    signals, IEEE TPAMI 12.
    """
    reach = int(_TAILS * sigma) + _TAILS
    kernel = special.ive(np.arange(-reach, reach + 1), sigma**2)
    kernel /= kernel.sum()
    return np.asarray(cv2.sepFilter2D(pixels, cv2.CV_32F, kernel, kernel, borderType=cv2.BORDER_REFLECT_101))


def _noise(pixels: Pixels, sigma: float, rng: Rng, _: float) -> Pixels:
    return _rounded(pixels + np.float32(sigma) * rng.standard_normal(pixels.shape, np.float32))


def _jpeg(pixels: Pixels, quality: float, _: Rng, __: float) -> Pixels:
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=round(quality))
    return np.asarray(Image.open(stream))


def _resize(kernel: Image.Resampling) -> Callable[[Pixels, float, Rng, float], Pixels]:
    def resize(pixels: Pixels, percent: float, _: Rng, __: float) -> Pixels:
        image = Image.fromarray(pixels)
        width, height = (max(1, round(side * percent / 100)) for side in image.size)
        return np.asarray(image.resize((width, height), kernel).resize(image.size, kernel))

    return resize


def _bits(pixels: Pixels, bits: float, _: Rng, __: float) -> Pixels:
    top = 2 ** round(bits) - 1
    return _rounded(np.rint(np.arange(256) * top / 255) * 255 / top)[pixels]


def _white_balance(pixels: Pixels, percent: float, rng: Rng, _: float) -> Pixels:
    warmer = _way(rng) * percent / 100
    return _rounded(pixels * np.array([1 + warmer, 1, 1 - warmer], np.float32))


def _brightness(pixels: Pixels, percent: float, rng: Rng, _: float) -> Pixels:
    return _rounded(np.arange(256) * (1 + _way(rng) * percent / 100))[pixels]


def _contrast(pixels: Pixels, percent: float, rng: Rng, _: float) -> Pixels:
    mean = pixels.mean()
    return _rounded(mean + (np.arange(256) - mean) * (1 + _way(rng) * percent / 100))[pixels]


def _move(pixels: Pixels, percent: float, rng: Rng, _: float) -> Pixels:
    """Move by whole pixels, mirrored at the border: between two pixels a shift would be a blur as well."""
    angle, length = rng.uniform(0, 2 * np.pi), percent / 100 * min(pixels.shape[:2])
    across, down = round(length * np.cos(angle)), round(length * np.sin(angle))
    height, width = pixels.shape[:2]
    reach = max(abs(across), abs(down))
    wide = np.pad(pixels, ((reach, reach), (reach, reach), (0, 0)), "reflect")
    return wide[reach - down : reach - down + height, reach - across : reach - across + width].copy()


def _turn(pixels: Pixels, degrees: float, rng: Rng, _: float) -> Pixels:
    height, width = pixels.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), _way(rng) * degrees, 1.0)
    turned = cv2.warpAffine(
        pixels, matrix, (width, height), flags=cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(turned, np.uint8)


def _way(rng: Rng) -> float:
    """Up or down."""
    return float(rng.choice((-1.0, 1.0)))


def _rounded(values: NDArray[Any]) -> Pixels:
    return np.asarray(np.rint(values).clip(0, 255), np.uint8)


#: Each takes pixels (H, W, 3), a strength, a generator for this photo, and how many pixels of the photo make one of the
#: network's input, and gives pixels of the same shape.
RENDERED: Mapping[Kind, Callable[[Pixels, float, Rng, float], Pixels]] = {
    "lens": _soften,
    "blur": _blur,
    "sharpening": _sharpen,
    "noise": _noise,
    "jpeg": _jpeg,
    "nearest": _resize(Image.Resampling.NEAREST),
    "bilinear": _resize(Image.Resampling.BILINEAR),
    "bicubic": _resize(Image.Resampling.BICUBIC),
    "lanczos": _resize(Image.Resampling.LANCZOS),
    "bits": _bits,
    "white balance": _white_balance,
    "brightness": _brightness,
    "contrast": _contrast,
    "position": _move,
    "rotation": _turn,
}
