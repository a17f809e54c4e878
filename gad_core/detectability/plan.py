"""Which defects are drawn where: every kind, contrast and size once in every cell of a grid over the image."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gad_core.detectability.defects import KINDS, Defect, Kind
from gad_core.errors import GadError
from gad_core.features.region_of_interest import SIDE, RegionOfInterest

#: Rows and columns of the grid of places, so that all places have seen the same defects.
GRID = 7
#: In percent of the shorter side, a factor of 1.7 apart.
SIZES = (0.4, 0.7, 1.2, 2.0, 3.5, 6.0, 10.0, 18.0)
CONTRASTS = (0.1, 0.2, 0.4)


@dataclass(frozen=True, kw_only=True)
class SensitivitySettings:
    """What is drawn.

    Parameters
    ----------
    kinds : tuple of str
        Of "spot", "scratch", "missing", "blur", "colour" and "patch".
    contrasts : tuple of float
        In (0, 1]; each has a curve of its own.
    sizes : tuple of float
        Diameters of a circle of the defect's area, in percent of the image's shorter side; at least three.
    seed : int
        Of everything drawn.

    Raises
    ------
    GadError
        For a kind that does not exist, a number outside its range, and fewer than three sizes.

    Examples
    --------
    >>> import gad_core as gad
    >>> settings = gad.SensitivitySettings(kinds=("scratch",), contrasts=(0.3,))
    >>> settings.n_draws  # eight sizes in 49 places
    392
    """

    kinds: tuple[Kind, ...] = ("spot",)
    contrasts: tuple[float, ...] = CONTRASTS
    sizes: tuple[float, ...] = SIZES
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        if not self.kinds or not self.contrasts:
            raise GadError(f"choose at least one kind of defect ({', '.join(KINDS)}) and one contrast in (0, 1]")
        if len(set(self.sizes)) < 3:
            raise GadError(f"a curve over sizes needs at least 3 of them, got {len(set(self.sizes))}; add sizes")
        if self.seed < 0:
            raise GadError(f"a seed is 0 or more, got {self.seed}")
        for kind, contrast, size in self._combinations():
            Defect(kind, size, contrast)

    @property
    def n_draws(self) -> int:
        """Count the images that are drawn where all of the image is inspected."""
        return len(self._combinations()) * GRID * GRID

    @property
    def defects(self) -> tuple[Defect, ...]:
        """Every kind, contrast and size."""
        return tuple(Defect(kind, size, contrast) for kind, contrast, size in self._combinations())

    def _combinations(self) -> list[tuple[Kind, float, float]]:
        return [
            (kind, contrast, size)
            for kind in dict.fromkeys(self.kinds)
            for contrast in dict.fromkeys(self.contrasts)
            for size in sorted(set(self.sizes))
        ]

    def to_json(self) -> dict[str, Any]:
        """Give plain values, as JSON holds them."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "SensitivitySettings":
        """Read them back."""
        several = {name: tuple(values[name]) for name in ("kinds", "contrasts", "sizes")}
        return cls(**several, seed=values["seed"])


@dataclass(frozen=True)
class Draw:
    """One defect on one training image."""

    defect: Defect
    row: int  # of the training image
    other: int  # of the one that a misplaced patch is taken from
    cell: int  # of the grid, row by row
    centre: tuple[float, float]  # x and y in shares of width and height
    seed: tuple[int, int]  # of its shape

    def to_json(self) -> dict[str, Any]:
        """Plain values, as JSON holds them."""
        return {**asdict(self.defect), **{name: value for name, value in asdict(self).items() if name != "defect"}}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Draw":
        """Read them back."""
        defect = Defect(values["kind"], values["size"], values["contrast"])
        x, y = values["centre"]
        first, second = values["seed"]
        return cls(defect, values["row"], values["other"], values["cell"], (x, y), (first, second))


def plan(settings: SensitivitySettings, rows: Sequence[int], roi: RegionOfInterest | None = None) -> tuple[Draw, ...]:
    """Lay every defect once into every cell that is inspected, each on another of the training images in `rows`.

    The images are used evenly. Within its cell a defect's centre is drawn at random, where there is a region of
    interest inside that. Raises `GadError` without an image, and for misplaced patches with fewer than two.
    """
    if not rows or ("patch" in settings.kinds and len(rows) < 2):
        raise GadError(f"drawing defects needs normal images, for misplaced patches two, got {len(rows)}; add images")
    cells = _cells(roi)
    order = np.random.default_rng(settings.seed).permutation(np.asarray(rows))
    draws: list[Draw] = []
    for index, defect in enumerate(settings.defects):
        rng = np.random.default_rng((settings.seed, index))
        for place in rng.permutation(len(cells)):
            cell, inside = cells[place]
            at_row, at_column = inside[rng.integers(len(inside))] + rng.uniform(size=2)
            number = len(draws)
            row, other = (int(order[(number + step) % len(order)]) for step in (0, 1))
            centre = (float(at_column) / SIDE, float(at_row) / SIDE)
            draws.append(Draw(defect, row, other, cell, centre, (settings.seed, number)))
    return tuple(draws)


def _cells(roi: RegionOfInterest | None) -> list[tuple[int, NDArray[np.intp]]]:
    """List the cells that hold something inspected, with the pixels (p, 2) inspected in each, on the mask's raster."""
    mask = roi.mask if roi else np.ones((SIDE, SIDE), bool)
    side = math.ceil(SIDE / GRID)
    at = np.argwhere(mask)
    cell = at[:, 0] // side * GRID + at[:, 1] // side
    return [(int(number), at[cell == number]) for number in np.unique(cell)]
