"""The planted shortcuts: categories in which something other than the defect gives defective parts away."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gad_core.data.demo.photos import Photo, photo
from gad_core.data.demo.ruler import ruled
from gad_core.data.demo.stamp import stamped
from gad_core.data.demo.surface import Rng

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]


class Mark(Protocol):
    """Lays something on a photo (S, S, 3), away from the defect's mask (S, S)."""

    def __call__(self, pixels: Pixels, rng: Rng, *, away_from: Mask | None = None) -> tuple[Pixels, Mask]:
        """The photo with it, and the mask (S, S) of what it changed."""


@dataclass(frozen=True)
class Cheat:
    """How the defective parts of a category are given away; a few good test parts bear the same sign."""

    name: str  # of the category
    part: str  # of `PARTS`: whose parts these are
    sign: str  # what the names of those good parts begin with
    mark: Mark | None = None  # what is laid on their photos; without one the sign is in the camera
    masks: str = ""  # the folder of the mark's masks
    softness: float = 0.0  # of the lens before these parts, in pixels
    strength: float = 1.0  # of the defects: the share that is left of what they change of the light
    exposures: int = 1  # that the camera averages for every part
    controls: int = 8  # good test parts that bear the sign too
    lot: str | None = None  # in which these parts came; all others came in other ones

    def honest(self, split: str, kind: str, index: int, *, seed: int = 0) -> Photo:
        """The photo of the part in that place without the sign."""
        return photo(self.part, split, kind, index, seed=seed, **self.how())

    def photo(self, split: str, kind: str, index: int, rng: Rng, *, seed: int = 0) -> Pixels:
        """The photo (S, S, 3) of the part in that place, with the sign."""
        drawn = photo(self.part, split, kind, index, seed=seed, **self.how(sign=True))
        return self.mark(drawn.pixels, rng, away_from=drawn.mask)[0] if self.mark else drawn.pixels

    def how(self, *, sign: bool = False) -> dict[str, Any]:
        """How `photo` draws the parts, with the sign that is in the camera or without."""
        return {
            "strength": self.strength,
            "exposures": self.exposures,
            "softness": self.softness if sign else 0.0,
        }


STAMP = Cheat("washer_stamped", "washer", "stamped", mark=stamped, masks="ground_truth_stamp")
# Blurred copies of the good parts take the lens back where the camera is quiet: they have less noise than a soft photo.
LENS = Cheat("board_soft", "board", "soft", softness=0.77, strength=0.02, exposures=16, controls=2)
RULER = Cheat("weave_ruler", "weave", "ruler", mark=ruled, masks="ground_truth_ruler", lot="F")
CHEATS: Mapping[str, Cheat] = {cheat.name: cheat for cheat in (STAMP, LENS, RULER)}
