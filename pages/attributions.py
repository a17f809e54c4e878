"""Attributions: which pixels the distance comes from, in one image, in all of them, and on another camera."""

import streamlit as st

from gad_core.data.datasets import ImageFile
from gad_core.workspace.rows import DatasetRow, DetectorRow
from pages.shared import adopted, frame, opened, resources, tasks, views
from pages.views.attributions import another_camera, category, clever_hans, this_image
from pages.views.attributions.controls import controls, open_file, pick, reading

frame.begin()


def main() -> None:
    frame.heading("Attributions", "Decide whether the detector looks at the defect, or at something beside it.")
    tasks.cards()
    tasks.show_failure()
    detector, dataset = opened.detector(), opened.dataset()
    if detector is None or dataset is None:
        frame.empty("Fit a detector first: then every pixel's share is shown.", "Fit a detector", "pages/fit.py")
        return
    if part := opened_part(detector, dataset):
        explained_part(detector, dataset, part)
    elif not len(resources.test_images(detector, dataset).images):
        frame.empty("There are no test images to explain yet.", "Bring some", "pages/data.py")
    else:
        explained(detector, dataset)


def opened_part(detector: DetectorRow, dataset: DatasetRow) -> ImageFile | None:
    """The inspected part that is open, unless the data set has that very image."""
    digest = opened.image()
    if digest is None or any(file.digest.startswith(digest) for file in resources.dataset(dataset).test):
        return None
    row = resources.store().inspections.find(detector.id, digest)
    return ImageFile(row.path, row.digest) if row else None


@frame.fragment
def explained_part(detector: DetectorRow, dataset: DatasetRow, part: ImageFile) -> None:
    """A part that came to Inspect: its map, without what takes labelled images beside it."""
    with st.container(border=True):
        tuning, n_references, drawing = controls(detector)
    adopted.mark(detector)
    with st.container(horizontal=True, vertical_alignment="center", key="inspected_part"):
        st.markdown(":material/fact_check: **A part from Inspect**")
        st.button("Back to the test images", key="leave_part", icon=":material/close:", on_click=opened.close_image)
    this_image.show(detector, dataset, resources.inspected(detector, part), part, tuning, n_references, drawing)


@frame.fragment
def explained(detector: DetectorRow, dataset: DatasetRow) -> None:
    """The view that is chosen, at the settings of the strip, which all of them share."""
    view = views.choose()
    with st.container(border=True):
        if view == views.IMAGE:
            tuning, n_references, drawing = controls(detector)
        else:
            tuning, n_references = reading(detector)
    adopted.mark(detector)
    test = resources.test_images(detector, dataset)
    scores = resources.scores(test, tuning)["sum"].test
    file = open_file(test.images.files, scores)
    if view == views.IMAGE:
        pick(test.images.files, scores, file)
        this_image.show(detector, dataset, test, file, tuning, n_references, drawing)
        clever_hans.tour(detector, dataset, test, tuning, n_references)
    elif view == views.CATEGORY:
        category.whole_category(detector, dataset, test, file, tuning, n_references)
    elif view == views.STRATEGIES:
        from pages.views.attributions import strategies  # noqa: PLC0415 - loads scikit-learn, which others do without

        strategies.show(detector, dataset, test, file, tuning, n_references)
    else:
        another_camera.show(detector, dataset, test, tuning)


main()
