"""Regions of feature maps: a grid over them, and the levels that are kept by region beside their average."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gad_core.data.plain import Form, Levels
from gad_core.errors import GadError
from gad_core.features.backbones import Backbone
from gad_core.features.region_of_interest import SIDE, RegionOfInterest

#: Rows and columns of the grid that is recommended.
GRID = (7, 7)

_FINEST = 1000  # rows or columns: no network's maps have as many


class _RegionsForm(Form):
    grid: str
    levels: Levels
    roi: str | None = None


@dataclass(frozen=True)
class Regions:
    """A grid of regions over the feature maps of some levels.

    Parameters
    ----------
    rows : int
        Of the grid.
    columns : int
        Of the grid; row by row the regions are counted from 0.
    levels : tuple of int
        Levels that are kept by region, counted from 1.
    roi : RegionOfInterest, optional
        What is inspected: a region that it covers in part is averaged over that part, one outside is left out.

    Raises
    ------
    GadError
        For a grid of fewer than two regions, and for no level.

    Examples
    --------
    >>> import gad_core as gad
    >>> regions = gad.Regions(7, 7, levels=(6, 7))
    >>> str(regions), regions.count
    ('7x7', 49)
    """

    rows: int
    columns: int
    levels: tuple[int, ...]
    roi: RegionOfInterest | None = None

    def __post_init__(self) -> None:
        """Refuse what is no grid."""
        if min(self.rows, self.columns) < 1 or self.count < 2:
            raise GadError(f"{self} is no grid of regions; write rows x columns, such as 7x7, or 1 for the whole image")
        if max(self.rows, self.columns) > _FINEST:
            raise GadError(f"a grid has at most {_FINEST} rows and columns; write fewer, such as 7x7")
        if not self.levels or min(self.levels) < 1:
            raise GadError("regions need at least one level, counted from 1")

    def __str__(self) -> str:
        return f"{self.rows}x{self.columns}"

    @property
    def count(self) -> int:
        """Number of regions."""
        return self.rows * self.columns

    @property
    def key(self) -> str:
        """A name for what is kept by region, of letters that a path may have."""
        name = f"{self}-{'-'.join(map(str, self.levels))}"
        return f"{name}-{self.roi.key}" if self.roi else name

    @property
    def coverage(self) -> NDArray[np.float64]:
        """The share of each region that is inspected (regions,), in [0, 1]."""
        if self.roi is None:
            return np.ones(self.count)
        weights = region_weights(Regions(self.rows, self.columns, self.levels), SIDE, SIDE)
        return np.asarray(weights.astype(np.float64) @ self.roi.mask.ravel())

    def n_features(self, backbone: Backbone) -> int:
        """Length of what a feature vector holds by region: level by level, region by region, channel by channel."""
        return self.count * sum(backbone.channels[level - 1] for level in self.levels)

    def slices(self, level_slices: Sequence[slice]) -> tuple[tuple[slice, ...], ...]:
        """Where each region of each kept level lies in a feature vector, behind the levels' own: [level][region]."""
        start, found = level_slices[-1].stop, []
        for level in self.levels:
            own = level_slices[level - 1]
            channels = own.stop - own.start
            ends = range(start, start + channels * (self.count + 1), channels)
            found.append(tuple(slice(*pair) for pair in pairwise(ends)))
            start = ends[-1]
        return tuple(found)

    def check(self, backbone: Backbone) -> None:
        """Refuse levels that the backbone does not have."""
        if max(self.levels) > backbone.n_levels:
            raise GadError(
                f"{backbone.name} has levels 1 to {backbone.n_levels}, so that level {max(self.levels)} cannot be kept "
                "by region"
            )

    def to_json(self) -> dict[str, Any]:
        """Plain values, as JSON holds them."""
        values = {"grid": str(self), "levels": list(self.levels)}
        return values | ({"roi": self.roi.code} if self.roi else {})

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Regions":
        """Read them back; raises `GadError` for what is no grid, level or region of interest."""
        form = _RegionsForm.of(values, what="regions")
        roi = RegionOfInterest(form.roi) if form.roi else None
        return cls(*parse_grid(form.grid), tuple(form.levels), roi)


def region_levels(backbone: Backbone) -> tuple[int, ...]:
    """Give the levels that are kept by region unless others are asked for: deep ones whose maps are not too coarse.

    On EfficientNets 6 and 7; on ResNets the second and third layer, 3 and 4; elsewhere the two before the last.
    """
    if backbone.family == "efficientnet":
        return (6, 7)
    last = backbone.n_levels
    return tuple(level for level in (last - 2, last - 1) if level >= 1) or (1,)


def default_regions(backbone: Backbone) -> Regions | None:
    """Give the regions of a fit that says nothing of them: on EfficientNets the recommended grid, elsewhere none."""
    return Regions(*GRID, region_levels(backbone)) if backbone.family == "efficientnet" else None


def parse_grid(text: str) -> tuple[int, int]:
    """Read "7x7" as rows and columns, and "1" as one of each; raises `GadError` for anything else."""
    if text.strip() == "1":
        return 1, 1
    match = re.fullmatch(r"\s*(\d{1,9})\s*[x×]\s*(\d{1,9})\s*", text)
    if match is None:
        raise GadError(f"{text!r} is no grid; write rows x columns, such as 7x7, or 1 for the whole image")
    return int(match[1]), int(match[2])


def region_weights(regions: Regions, height: int, width: int) -> NDArray[np.float32]:
    """Weights (regions, height * width) whose product with a map gives each region's mean.

    A value that lies in two regions counts in each for its part, and where there is a region of interest for what that
    covers of it; a region outside has no weights at all. Raises `GadError` where the map has fewer values than the grid
    has regions.
    """
    if height < regions.rows or width < regions.columns:
        raise GadError(
            f"a grid of {regions} does not fit on a map of {height} x {width}; choose a coarser grid or lower levels"
        )
    if regions.roi is None:
        by_row, by_column = _overlaps(regions.rows, height), _overlaps(regions.columns, width)
        by_row, by_column = by_row * (regions.rows / height), by_column * (regions.columns / width)
        return np.asarray(np.kron(by_row, by_column), np.float32)
    # Of each pixel of the mask: what lies in a region's row and in a map's row, and the same for columns.
    in_rows = _overlaps(regions.rows, SIDE)[:, None] * _overlaps(height, SIDE)[None]
    in_columns = _overlaps(regions.columns, SIDE)[:, None] * _overlaps(width, SIDE)[None]
    covered = np.einsum("iay,yx,jbx->ijab", in_rows, regions.roi.mask.astype(float), in_columns, optimize=True)
    covered = covered.reshape(regions.count, height * width)
    total = covered.sum(axis=1, keepdims=True)
    return np.asarray(covered / np.where(total > 0, total, 1.0), np.float32)


def _overlaps(parts: int, length: int) -> NDArray[np.float64]:
    """How much of each of `length` values, side by side, lies in each of `parts` equal stretches (parts, length)."""
    edges, ends = np.arange(length + 1.0), np.arange(parts + 1) * (length / parts)
    overlap = np.minimum(ends[1:, None], edges[None, 1:]) - np.maximum(ends[:-1, None], edges[None, :-1])
    return np.asarray(np.maximum(overlap, 0.0))
