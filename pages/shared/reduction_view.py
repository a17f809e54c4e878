"""What the Levels & NPCA page shows of all cuts at once, and the level under its magnifying glass."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from gad_core import figures
from gad_core.decision.curves import Auroc, auroc
from gad_core.decision.evaluation import LevelScores
from gad_core.decision.reduction_map import REDUCTIONS, ReductionMap
from gad_core.gaussian.tuning import Tuning
from gad_core.workspace.rows import DatasetRow, DetectorRow
from pages.shared import charts, resources, tuning

Array = NDArray[np.float64]


def shown_level(chosen: Tuning) -> int:
    """The level whose spectrum is shown: the one picked in the panel, else the last one in the sum."""
    picked = st.session_state.get("shown_level")
    return int(picked) if picked and int(picked) in chosen.levels else chosen.levels[-1]


def level_switch(corner: DeltaGenerator, chosen: Tuning) -> None:
    """A small choice among the levels in the sum."""
    names = list(map(str, chosen.levels))
    if st.session_state.get("shown_level") not in names:
        st.session_state["shown_level"] = names[-1]
    corner.selectbox("Level shown", names, key="shown_level", label_visibility="collapsed")


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


def one_by_one(test: resources.TestImages, chosen: Tuning, found: dict[str, LevelScores] | None) -> None:
    """Every level by itself: how well it discriminates where there are labels, and how sound its Gaussian is."""
    finding = "Few images for many features: shrinkage keeps the covariance sound."
    areas: dict[str, Auroc] = {}
    if found:
        areas = {name: auroc(scores.test, test.images.labels) for name, scores in found.items()}
        finding = _best_level(areas)
    with charts.panel("Level by level", finding) as corner:
        names = ("AUROC", "Health") if areas else ("Health",)
        if charts.switch(corner, names, key="level_view") == "AUROC":
            charts.show(figures.level_areas(areas, chosen.levels), key="level_areas", alt=finding)
        else:
            _health(test, chosen)


def _health(test: resources.TestImages, chosen: Tuning) -> None:
    rows = []
    for level, gaussian in enumerate(test.detector.gaussians, start=1):
        law = gaussian.spectrum
        rows.append(
            {
                "level": str(level),
                "in the sum": level in chosen.levels,
                "features D": law.n_features,
                "images n": law.n,
                "n / D": law.n / law.n_features,
                "dimensions kept": law.dimension(chosen.reduction),
                "shrinkage": law.shrinkage(chosen.reduction),
                "null dimensions": law.n_null,
            }
        )
    table = pd.DataFrame(rows).style.format({"n / D": "{:.2f}", "shrinkage": "{:.3f}"})
    st.dataframe(table, hide_index=True, key="health", alt="Images, features and shrinkage of every level")


def _best_level(areas: dict[str, Auroc]) -> str:
    """Which level discriminates best by itself, said with the warning that it was chosen here."""
    best = max((name for name in areas if name != "sum"), key=lambda name: areas[name].value)
    return f"Level {best} alone tells defects apart best ({100 * areas[best].value:.1f} %), chosen on these images."


def energy_finding(normal: Array | None, defects: Array | None, level: int) -> str:
    """Where defects rise above good parts: in the strong half of the components or in the weak one."""
    if normal is None or defects is None:
        return f"Level {level}: mean squared coordinate over variance; 1 is like the fitted images."
    ratio, half = np.log(np.maximum(defects, 1e-12) / np.maximum(normal, 1e-12)), len(normal) // 2
    strong, weak = (float(np.exp(part.mean())) for part in (ratio[:half], ratio[half:]))
    return (
        f"Level {level}: defects have {strong:.1f} times the energy of good parts in the strong half of the "
        f"components and {weak:.1f} times in the weak half."
    )


def _choose(chosen: Tuning, n_levels: int, point: dict[str, Any]) -> None:
    """A click on a tile: that level alone, or the levels as they are where the row is the sum."""
    row, column = divmod(int(charts.custom(point)[0]), len(REDUCTIONS))
    levels = (row + 1,) if row < n_levels else chosen.levels
    tuning.choose(Tuning(levels, REDUCTIONS[column], chosen.distance))
