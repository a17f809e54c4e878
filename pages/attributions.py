"""Attributions: which pixels the distance comes from."""

import streamlit as st

from gad_core.errors import GadError
from gad_core.workspace.rows import DatasetRow, DetectorRow
from pages.shared import adopted, frame, opened, resources, tasks
from pages.views.attributions import category, clever_hans, maps
from pages.views.attributions.checks import Subject, checks
from pages.views.attributions.controls import controls, open_file, pick
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
    if not len(resources.test_images(detector, dataset).images):
        frame.empty("There are no test images to explain yet.", "Bring some", "pages/data.py")
        return
    one_image(detector, dataset)
    category.whole_category(detector, dataset)
    clever_hans.tour(detector, dataset)


@frame.fragment
def one_image(detector: DetectorRow, dataset: DatasetRow) -> None:
    """An image, its map, and the checks on it."""
    with st.container(border=True):
        tuning, n_references, drawing = controls(detector)
    adopted.mark(detector)
    test = resources.test_images(detector, dataset)
    scores = resources.scores(test, tuning)["sum"].test
    file = open_file(test.images.files, scores)
    pick(test.images.files, scores)
    try:
        with st.spinner(f"Explaining {file.path.name} …"):
            attribution = resources.attribution(test, file, tuning, n_references)
    except GadError as error:
        frame.trouble(error)
        return
    numbers(attribution, file)
    maps.pictures(attribution, resources.pixels(test.detector.backbone, file), file, drawing)
    maps.levels(attribution, drawing)
    maps.downloads(attribution, resources.pixels(test.detector.backbone, file), file, drawing)
    checks(Subject(test, dataset, file, attribution, tuning))


main()
