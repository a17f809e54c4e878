"""Attributions: which pixels the distance comes from."""

import streamlit as st

from gad_core.errors import GadError
from gad_core.workspace.rows import DatasetRow, DetectorRow
from pages.shared import frame, opened, resources, tasks
from pages.views.attributions import category, checks, clever_hans, maps
from pages.views.attributions.controls import controls, pick, shown
from pages.views.attributions.numbers import numbers

frame.begin()


def main() -> None:
    frame.heading("Attributions", "Decide whether the detector looks at the defect, or at something beside it.")
    tasks.cards()
    tasks.show_failure()
    detector, dataset = opened.detector(), opened.dataset()
    if detector is None or dataset is None:
        frame.empty("Fit a detector first: then every pixel's share is shown.", "Fit a detector", "pages/fit.py")
        return
    if not len(resources.test_images(detector, dataset).test):
        frame.empty("There are no test images to explain yet.", "Bring some", "pages/data.py")
        return
    workbench(detector, dataset)
    category.whole_category(detector, dataset)
    clever_hans.tour(detector, dataset)


@st.fragment
def workbench(detector: DetectorRow, dataset: DatasetRow) -> None:
    """An image, its map, and the checks on it."""
    with st.container(border=True):
        chosen, n_references, look = controls(detector)
    test = resources.test_images(detector, dataset)
    scores = resources.scores(detector, dataset, chosen)["sum"].test
    file = shown(list(test.images), scores)
    pick(list(test.images), scores)
    try:
        with st.spinner(f"Explaining {file.path.name} …"):
            found = resources.attribution(detector, file, chosen, n_references)
    except GadError as error:
        frame.trouble(error)
        return
    met = maps.met(found, file)
    numbers(found, met, file)
    maps.pictures(detector, file, found, look)
    maps.levels(found, look)
    maps.downloads(detector, file, found, look)
    checks.probes(detector, dataset, file, found, chosen)


main()
