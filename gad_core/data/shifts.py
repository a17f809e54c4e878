"""A photo as another camera, lamp or pipeline would give it: one change a shift, in steps from none to strong.

Every change is done at the photo's own resolution, before it is resized for the network. Lengths of optics are in
pixels of the network's input, so that "0.8 px of blur" takes the same from photos of any size.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np

from gad_core.data.rendering import RENDERED, Kind, Pixels
from gad_core.errors import GadError

KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Scale:
    """How strong a kind of shift may be: `none` leaves a photo as it is, and `steps` lead from there to strong."""

    name: str
    none: float
    steps: tuple[float, ...]
    strongest: float
    words: str  # with {} for the strength
    unit: str  # of an axis

    def check(self, strength: float) -> None:
        """Refuse what lies outside."""
        low, high = sorted((self.none, self.strongest))
        if not low <= strength <= high:
            raise GadError(
                f"the strength of {self.name} lies between {low:g} and {high:g}, got {strength:g}; change it"
            )


_SIZES = (100.0, (90.0, 75.0, 50.0, 33.0, 20.0), 1.0)  # in percent of the photo's width and height
SCALES: Mapping[Kind, Scale] = {
    "lens": Scale("a softer lens", 0, (0.4, 0.6, 0.8, 1.2, 2), 50, "{} px of a softer lens", "sigma, px"),
    "blur": Scale("blur", 0, (0.4, 0.6, 0.8, 1.2, 2), 50, "{} px of blur", "sigma, px"),
    "sharpening": Scale("sharpening", 0, (10, 25, 50, 100, 200), 1000, "{} % of sharpening", "unsharp mask, %"),
    "noise": Scale("sensor noise", 0, (1, 2, 4, 8, 16), 255, "sensor noise of sigma {}", "sigma, grey levels"),
    "jpeg": Scale("JPEG compression", 100, (95, 85, 70, 50, 30), 1, "JPEG {}", "quality"),
    "nearest": Scale("resizing, nearest", *_SIZES, "resizing to {} % and back (nearest)", "size, %"),
    "bilinear": Scale("resizing, bilinear", *_SIZES, "resizing to {} % and back (bilinear)", "size, %"),
    "bicubic": Scale("resizing, bicubic", *_SIZES, "resizing to {} % and back (bicubic)", "size, %"),
    "lanczos": Scale("resizing, Lanczos", *_SIZES, "resizing to {} % and back (Lanczos)", "size, %"),
    "bits": Scale("bit depth", 8, (7, 6, 5, 4, 3), 1, "{} bits a channel", "bits"),
    "white balance": Scale("white balance", 0, (1, 2, 5, 10, 20), 90, "white balance off by {} %", "off by, %"),
    "brightness": Scale("brightness", 0, (1, 2, 5, 10, 20), 90, "brightness off by {} %", "off by, %"),
    "contrast": Scale("contrast", 0, (2, 5, 10, 20, 40), 90, "contrast off by {} %", "off by, %"),
    "position": Scale("position", 0, (0.5, 1, 2, 4, 8), 50, "a position off by {} %", "off by, % of the side"),
    "rotation": Scale("rotation", 0, (0.5, 1, 2, 4, 8), 180, "a turn of {}°", "degrees"),
}


@dataclass(frozen=True)
class Shift:
    """One change of photos, the same whenever and in whatever order it is made.

    Parameters
    ----------
    kind : str
        "lens" (sigma in pixels of the network's input, before the sensor adds its noise), "blur" (the same
        after it), "sharpening" (percent of an unsharp mask of 1 such pixel), "noise" (sigma in grey levels of
        the photo), "jpeg" (quality; 100 is uncompressed), "nearest", "bilinear", "bicubic" and "lanczos"
        (percent of the size to which the photo is reduced and enlarged again), "bits" (a channel), "white
        balance" (percent by which red gains and blue loses, or the other way round), "brightness" and
        "contrast" (percent up or down), "position" (percent of the shorter side, in some direction) or
        "rotation" (degrees, either way).
    strength : float
        On that scale. Which way a photo goes is drawn by its digest.

    Raises
    ------
    GadError
        For another kind, and for a strength outside its range.

    Examples
    --------
    >>> import gad_core as gad
    >>> str(gad.Shift("blur", 0.8)), str(gad.Shift("jpeg", 70))
    ('0.8 px of blur', 'JPEG 70')
    """

    kind: Kind
    strength: float

    def __post_init__(self) -> None:
        """Refuse what cannot be done."""
        if self.kind not in SCALES:
            raise GadError(f"there is no shift {self.kind!r}; choose from {', '.join(KINDS)}")
        self.scale.check(self.strength)

    @property
    def scale(self) -> Scale:
        """How strong such a shift may be."""
        return SCALES[self.kind]

    @property
    def is_none(self) -> bool:
        """Whether photos stay as they are."""
        return self.strength == self.scale.none

    def __str__(self) -> str:
        """Say it in words."""
        return self.scale.words.format(f"{self.strength:g}")

    def __call__(self, digest: str, pixels: Pixels, *, input_size: int) -> Pixels:
        """Make of a photo (H, W, 3) with that digest one of the same size; without a change it is the photo itself."""
        if self.is_none:
            return pixels
        rng = np.random.default_rng([int(digest[:32], 16), *self.kind.encode()])
        return RENDERED[self.kind](pixels, self.strength, rng, min(pixels.shape[:2]) / input_size)

    def to_json(self) -> dict[str, Any]:
        """Give plain values, as JSON holds them."""
        return {"kind": self.kind, "strength": self.strength}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Shift":
        """Read them back."""
        return cls(values["kind"], values["strength"])


def steps(kind: Kind) -> tuple[Shift, ...]:
    """Shifts of a kind from weak to strong, none left out."""
    return tuple(Shift(kind, strength) for strength in SCALES[kind].steps)
