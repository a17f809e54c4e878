"""Every level at every reduction at once; a click on a tile chooses."""

from functools import partial
from typing import Any

import numpy as np

from gad_core import figures
from gad_core.decision.reduction_map import REDUCTIONS, ReductionMap
from gad_core.gaussian.tuning import Tuning
from gad_core.workspace.rows import DatasetRow, DetectorRow
from pages.shared import charts, resources, tuning


def heat_map(detector: DetectorRow, dataset: DatasetRow, chosen: Tuning, cells: ReductionMap | None) -> None:
    """Every level at every cut: AUROC where there are labels, else how well the fit generalises. A click chooses."""
    n_levels = resources.test_images(detector, dataset).detector.n_levels
    names = [f"level {level}" for level in range(1, n_levels + 1)]
    column = REDUCTIONS.index(chosen.reduction) if chosen.reduction in REDUCTIONS else None
    rows = [level - 1 for level in chosen.levels]
    if cells:
        sums = resources.sum_areas(detector, dataset, chosen)
        values, unit = 100 * np.vstack([cells.areas, sums]), "AUROC, %"
        names = [*names, "sum"]
        rows.append(len(names) - 1)
        best = cells.best
        finding = (
            f"Best cell on these images: level {best.level} at {best.reduction} with {100 * best.area:.1f} %; chosen on one "
            f"half and measured on the other, {100 * best.split_half:.1f} %."
        )
    else:
        values, unit = resources.inflation(detector, dataset, chosen.distance), "left-out / fitted"
        calm = np.unravel_index(np.abs(values - 1).argmin(), values.shape)
        finding = (
            "Without labelled test images: the median distance of left-out parts over that of fitted ones; near 1 the "
            f"Gaussian generalises best (level {calm[0] + 1}, {REDUCTIONS[calm[1]]})."
        )
    outlined = [(row, column) for row in rows] if column is not None else []
    figure = figures.reduction_heat_map(values, tuning.REDUCTION_NAMES, names, chosen=outlined, unit=unit)
    with charts.panel("Every level at every cut", finding):
        charts.pick(figure, key="reduction_map", alt=finding, on_pick=partial(_choose, chosen, n_levels))


def _choose(chosen: Tuning, n_levels: int, point: dict[str, Any]) -> None:
    """A click on a tile: that level alone, or the levels as they are where the row is the sum."""
    row, column = divmod(int(charts.custom(point)[0]), len(REDUCTIONS))
    levels = (row + 1,) if row < n_levels else chosen.levels
    tuning.choose(Tuning(levels, REDUCTIONS[column], chosen.distance))
