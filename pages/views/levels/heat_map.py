"""Every level at every reduction at once; a click on a tile chooses."""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gad_core import figures, wording
from gad_core.decision.reduction_map import ReductionMap
from gad_core.decision.soundness import learned
from gad_core.gaussian.reduction import ALL, REDUCTIONS, Reduction
from gad_core.gaussian.tuning import Tuning
from pages.shared import charts, resources, settings

_NAMES = tuple(map(wording.reduction, REDUCTIONS))


def heat_map(test: resources.TestImages, chosen: Tuning, cells: ReductionMap | None) -> None:
    """AUROC where there are labels, else how well the fit generalises."""
    n_levels = test.detector.n_levels
    names = [f"level {level}" for level in range(1, n_levels + 1)]
    rows = [level - 1 for level in chosen.levels]
    if cells:
        sums = resources.sum_areas(test, replace(chosen, reduction=ALL))
        values, unit = 100 * np.vstack([cells.areas, sums]), "AUROC, %"
        names = [*names, wording.score_name(chosen)]
        rows.append(n_levels)
        title, finding = "AUROC by level and reduction", _best_cell(cells, sums, wording.score_name(chosen))
    else:
        values, unit = resources.inflation(test, chosen.distance), "left-out / fitted"
        title, finding = "Left-out over fitted distance by level and reduction", _calmest(test, values)
    column = REDUCTIONS.index(chosen.reduction) if chosen.reduction in REDUCTIONS else None
    outlined = [(row, column) for row in rows] if column is not None else []
    figure = figures.reduction_heat_map(values, _NAMES, names, chosen=outlined, unit=unit, ideal=None if cells else 1.0)
    with charts.panel(title, finding):
        charts.pick(figure, key="reduction_map", alt=finding, on_pick=partial(_choose, chosen, n_levels))


def _kept(reduction: Reduction) -> str:
    return "all components" if reduction.kind == "all" else wording.reduction(reduction)


def _calmest(test: resources.TestImages, ratios: NDArray[np.float64]) -> str:
    """Where left-out parts lie as far out as fitted ones, of the cells in which there is a covariance to judge."""
    words = (
        "Without labelled test images: the median distance of left-out parts over that of fitted ones, bright near 1."
    )
    sound = learned(test.detector, REDUCTIONS)
    if not sound.any():
        return f"{words} Shrinkage leaves no covariance in any cell (n = {test.detector.n_train})."
    far = np.where(sound, np.abs(np.log(ratios)), np.inf)
    level, column = np.unravel_index(far.argmin(), far.shape)
    best = f"It generalises best at level {level + 1} with {_kept(REDUCTIONS[column])}: {ratios[level, column]:.2f}."
    if sound.all():
        return f"{words} {best}"
    return (
        f"{words} {best} Not counted: {(~sound).sum()} of {sound.size} cells, where shrinkage leaves no covariance "
        f"(n = {test.detector.n_train})."
    )


def _best_cell(cells: ReductionMap, sums: NDArray[np.float64], name: str) -> str:
    best, place = cells.best, int(sums.argmax())
    reach = "reach" if name.endswith("s") else "reaches"
    above = "more" if sums[place] > best.area else "less" if sums[place] < best.area else "as much"
    return (
        f"Best single level on these images: level {best.level} with {_kept(best.reduction)}, {100 * best.area:.1f} %; "
        f"chosen on one half and measured on the other, {100 * best.split_half:.1f} %. The {name} {reach} {above}: "
        f"{100 * sums[place]:.1f} % with {_kept(REDUCTIONS[place])}."
    )


def _choose(chosen: Tuning, n_levels: int, point: dict[str, Any]) -> None:
    """A click on a tile: that level alone, or the levels as they are where the row is the sum or the regions."""
    row, column = divmod(int(charts.custom(point)[0]), len(REDUCTIONS))
    if row < n_levels:
        settings.choose(Tuning((row + 1,), REDUCTIONS[column], chosen.distance))
    else:
        settings.choose(replace(chosen, reduction=REDUCTIONS[column]))
