"""Levels & NPCA: which levels to sum, and which principal components to keep."""

import streamlit as st

from gad_core.workspace.rows import DatasetRow, DetectorRow
from pages.shared import adopted, frame, level_panel, opened, resources, tasks
from pages.shared.tuning import controls as tuning_controls
from pages.views.levels import regions
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
        frame.empty(
            "Fit a detector first: then every reduction is a matter of a click.", "Fit a detector", "pages/fit.py"
        )
        return
    panels(detector, dataset)


@frame.fragment
def panels(detector: DetectorRow, dataset: DatasetRow) -> None:
    """The controls and all that they move."""
    with st.container(border=True):
        tuning = tuning_controls(detector)
    adopted.mark(detector)
    test = resources.test_images(detector, dataset)
    scores = resources.scores(test, tuning)
    cells = resources.reduction_map(test, tuning.distance)
    level = shown_level(tuning)
    numbers(test, tuning, cells)
    heat_map(test, tuning, cells)
    if cells:
        regions.presets_beside(test, tuning)
    regions.by_region(test, tuning)
    with st.grid(2, min_column_width=420):
        spectrum(test, tuning, level)
        energy(test, level, tuning)
    level_panel.one_by_one(test, tuning, scores if cells else None)
    frame.onward("Next: set the working point", "pages/working_point.py")


main()
