"""The camera that takes every demo part: lens, exposure, sensor noise, tone."""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from gad_core.data.demo.surface import SIZE, Field, Rng

_FULL_WELL = 9_000  # electrons at white: a small industrial sensor
_READ_NOISE = 0.0025  # of white
_TONES = 4096  # steps of linear light to white in the tone table


@dataclass(frozen=True)
class Camera:
    """What changes from one exposure to the next."""

    gains: tuple[float, float, float]  # of red, green, blue
    vignette: float  # loss of light in the corners
    blur: float  # share of a pixel's light that falls on each neighbour along an axis
    noise: Field  # (SIZE, SIZE, 3) unit normal
    softness: float = 0.0  # of the lens, pixels: light is spread by a Gaussian of this deviation before the sensor


def set_up(rng: Rng) -> Camera:
    """A camera as it happens to stand before one part."""
    exposure = math.exp(rng.normal(0, 0.025))
    return Camera(
        gains=(exposure * (1 + rng.normal(0, 0.008)), exposure, exposure * (1 + rng.normal(0, 0.010))),
        vignette=rng.uniform(0.18, 0.26),
        blur=rng.uniform(0.06, 0.14),
        noise=rng.standard_normal((SIZE, SIZE, 3), dtype=np.float32),
    )


def photograph(camera: Camera, light: Field) -> NDArray[np.uint8]:
    """Linear light (SIZE, SIZE, 3), 1 at white, to the bytes of a photo."""
    if camera.softness:
        light = ndimage.gaussian_filter(light, (camera.softness, camera.softness, 0), mode="nearest")
    line = np.linspace(-1, 1, SIZE, dtype=np.float32) ** 2
    falloff = 1 - np.float32(camera.vignette / 2) * (line[:, None] + line[None, :])
    exposed = light * (falloff[..., None] * np.array(camera.gains, np.float32))
    exposed += camera.noise * np.sqrt(np.maximum(exposed, 0) * np.float32(1 / _FULL_WELL) + np.float32(_READ_NOISE**2))
    for axis in (0, 1):
        exposed = _blurred(exposed, axis, np.float32(camera.blur))
    steps = np.clip(exposed * np.float32(_TONES), 0, 4 * _TONES - 1).astype(np.uint16)
    return np.take(_tones(), steps)


def _blurred(exposed: Field, axis: int, share: np.float32) -> Field:
    """Every pixel after each neighbour along an axis got a share of its light."""
    lines = np.moveaxis(exposed, axis, 0)
    out = lines * (1 - 2 * share)
    out[1:] += share * lines[:-1]
    out[:-1] += share * lines[1:]
    out[0] += share * lines[0]  # beyond the edge it looks as on it
    out[-1] += share * lines[-1]
    return np.moveaxis(out, 0, axis)


@cache
def _tones() -> NDArray[np.uint8]:
    """Bytes by linear light up to four times white: gamma, with a shoulder in which highlights roll off."""
    light = (np.arange(4 * _TONES) + 0.5) / _TONES
    rolled = np.where(light > 0.7, 1 - 0.3 * np.exp((0.7 - light) / 0.3), light)
    return np.rint(255 * rolled ** (1 / 2.2)).astype(np.uint8)
