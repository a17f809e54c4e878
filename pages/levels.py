"""Levels & NPCA: which levels to sum, and which principal components to keep."""

import streamlit as st

from gad_core.features.registry import get_backbone
from gad_core.workspace.rows import DatasetRow, DetectorRow
from pages.shared import frame, level_panel, opened, resources, tasks
from pages.shared.tuning import tuning as tuning_controls
from pages.views.levels.heat_map import heat_map
from pages.views.levels.numbers import numbers
from pages.views.levels.spectrum import energy, shown_level, spectrum

frame.begin()


def main() -> None:
    frame.heading("Levels & NPCA", "Decide where the detector looks: which levels, and which of their components.")
    tasks.cards()
    tasks.show_failure()
    detector, dataset = opened.detector(), opened.dataset()
    if detector is None or dataset is None:
        frame.empty("Fit a detector first: then every cut of it is a matter of a click.", "Fit one", "pages/fit.py")
        return
    workbench(detector, dataset)


@st.fragment
def workbench(detector: DetectorRow, dataset: DatasetRow) -> None:
    """The controls and all that they move."""
    with st.container(border=True):
        chosen = tuning_controls(get_backbone(detector.backbone))
    test = resources.test_images(detector, dataset)
    found = resources.scores(detector, dataset, chosen)
    cells = resources.reduction_map(detector, dataset, chosen.distance)
    level = shown_level(chosen)
    numbers(test, chosen, found, cells)
    heat_map(detector, dataset, chosen, cells)
    with st.grid(2, min_column_width=420):
        spectrum(test, chosen, level)
        energy(test, level, chosen)
    level_panel.one_by_one(test, chosen, found if cells else None)
    frame.onward("Next: set the working point", "pages/working_point.py")


main()
