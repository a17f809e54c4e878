"""Every level at every reduction at once; a click on a tile chooses."""

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gad_core import figures, wording
from gad_core.decision.reduction_map import REDUCTIONS, ReductionMap
from gad_core.gaussian.tuning import Tuning
from pages.shared import charts, resources, settings

_NAMES = tuple(map(wording.reduction, REDUCTIONS))


def heat_map(test: resources.TestImages, chosen: Tuning, cells: ReductionMap | None) -> None:
    """AUROC where there are labels, else how well the fit generalises."""
    n_levels = test.detector.n_levels
    names = [f"level {level}" for level in range(1, n_levels + 1)]
    rows = [level - 1 for level in chosen.levels]
    if cells:
        sums = resources.sum_areas(test, chosen.levels, chosen.distance)
        values, unit = 100 * np.vstack([cells.areas, sums]), "AUROC, %"
        names = [*names, "sum"]
        rows.append(n_levels)
        title, finding = "AUROC by level and reduction", _best_cell(cells, sums)
    else:
        values, unit = resources.inflation(test, chosen.distance), "left-out / fitted"
        calm = np.unravel_index(np.abs(values - 1).argmin(), values.shape)
        title = "Left-out over fitted distance by level and reduction"
        finding = (
            "Without labelled test images: the median distance of left-out parts over that of fitted ones. Bright is "
            f"near 1, where the Gaussian generalises best (level {calm[0] + 1}, {_NAMES[calm[1]]}: "
            f"{values[calm]:.2f})."
        )
    column = REDUCTIONS.index(chosen.reduction) if chosen.reduction in REDUCTIONS else None
    outlined = [(row, column) for row in rows] if column is not None else []
    figure = figures.reduction_heat_map(values, _NAMES, names, chosen=outlined, unit=unit, ideal=None if cells else 1.0)
    with charts.panel(title, finding):
        charts.pick(figure, key="reduction_map", alt=finding, on_pick=partial(_choose, chosen, n_levels))


def _best_cell(cells: ReductionMap, sums: NDArray[np.float64]) -> str:
    best, place = cells.best, int(sums.argmax())
    above = "more" if sums[place] > best.area else "less"
    return (
        f"Best single level on these images: level {best.level} at {wording.reduction(best.reduction)} with "
        f"{100 * best.area:.1f} %; chosen on one half and measured on the other, {100 * best.split_half:.1f} %. The "
        f"sum reaches {above}: {100 * sums[place]:.1f} % at {_NAMES[place]}."
    )


def _choose(chosen: Tuning, n_levels: int, point: dict[str, Any]) -> None:
    """A click on a tile: that level alone, or the levels as they are where the row is the sum."""
    row, column = divmod(int(charts.custom(point)[0]), len(REDUCTIONS))
    levels = (row + 1,) if row < n_levels else chosen.levels
    settings.choose(Tuning(levels, REDUCTIONS[column], chosen.distance))
