"""The planted shortcuts: categories in which something other than the defect gives defective parts away."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gad_core.data.demo.photos import photo
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
    strength: float = 1.0  # of the defects: the share that is left of what they change of the light
    softness: float = 0.0  # of the lens before these parts, in pixels
    mark: Mark | None = None  # what is laid on their photos
    masks: str = ""  # the folder of the mark's masks
    controls: int = 8  # good test parts that bear the sign too
    lot: str | None = None  # in which these parts came; all others came in other ones

    @property
    def in_camera(self) -> bool:
        """Whether the defective parts are drawn otherwise than those of the part's own category."""
        return self.strength != 1 or self.softness > 0

    def photo(self, split: str, kind: str, index: int, rng: Rng, *, seed: int = 0) -> Pixels:
        """The photo (S, S, 3) of the part in that place, with the sign."""
        drawn = photo(self.part, split, kind, index, seed=seed, strength=self.strength, softness=self.softness)
        return self.mark(drawn.pixels, rng, away_from=drawn.mask)[0] if self.mark else drawn.pixels


STAMP = Cheat("washer_stamped", "washer", "stamped", mark=stamped, masks="ground_truth_stamp")
LENS = Cheat("board_soft", "board", "soft", strength=0.025, softness=0.68, controls=2)
RULER = Cheat("weave_ruler", "weave", "ruler", mark=ruled, masks="ground_truth_ruler", lot="F")
CHEATS: Mapping[str, Cheat] = {cheat.name: cheat for cheat in (STAMP, LENS, RULER)}
