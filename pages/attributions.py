"""Attributions: which pixels the distance comes from."""

from functools import partial

import streamlit as st

from gad_core import figures
from gad_core.data.datasets import ImageFile
from gad_core.decision.point_settings import PointSettings
from gad_core.features.registry import get_backbone
from gad_core.gaussian.tuning import Tuning
from gad_core.workspace.rows import DatasetRow, DetectorRow
from pages.shared import adopted, explaining, frame, opened, resources, settings, tasks
from pages.shared.text import plain
from pages.views.attributions import category, checking, clever_hans, flagged, maps, neighbours
from pages.views.attributions.checks import checks
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
    one_image(detector, dataset, resources.inspected(detector, part), part, tuning, n_references, drawing)


@frame.fragment
def explained(detector: DetectorRow, dataset: DatasetRow) -> None:
    """An image, its map, and the checks on it; then all images, at the same settings."""
    with st.container(border=True):
        tuning, n_references, drawing = controls(detector)
    adopted.mark(detector)
    test = resources.test_images(detector, dataset)
    scores = resources.scores(test, tuning)["sum"].test
    file = open_file(test.images.files, scores)
    pick(test.images.files, scores, file)
    one_image(detector, dataset, test, file, tuning, n_references, drawing)
    category.whole_category(detector, dataset, test, file, tuning, n_references)
    clever_hans.tour(detector, dataset, test, tuning, n_references)


def one_image(
    detector: DetectorRow,
    dataset: DatasetRow,
    test: resources.TestImages,
    file: ImageFile,
    tuning: Tuning,
    n_references: int,
    drawing: maps.Drawing,
) -> None:
    """An image, its map, and the checks on it."""
    with frame.guarded():
        with st.spinner(f"Explaining {plain(file.path.name)} …"):
            attribution = explaining.attribution(test, file, tuning, n_references)
        numbers(attribution, file, flagged.judged(test, file, settings.current(detector)))
        regions = regions_of(test, file, settings.current(detector))
        image = resources.pixels(test.detector.backbone, file)
        if regions and regions.inspected is not None:
            image = figures.dimmed(image, regions.inspected)
        maps.pictures(attribution, image, file, drawing, regions)
        if regions:
            neighbours.neighbours(test, dataset, file, tuning, regions.values)
        maps.levels(attribution, drawing)
        maps.downloads(attribution, image, file, drawing)
        twin = clever_hans.twin_pixels(test, dataset, file)
        checks(checking.subject(test, file, attribution, tuning, twin))


def regions_of(test: resources.TestImages, file: ImageFile, settings: PointSettings) -> maps.RegionMap | None:
    """The regions of an image at these settings; None for the whole image."""
    if settings.tuning.pool is None:
        return None
    values = resources.region_maps(test, settings.tuning)[file.digest]
    limit = resources.region_limit(test, settings.tuning, settings.target_fpr)
    roi = test.detector.known_regions(settings.tuning).regions.roi
    size = get_backbone(test.detector.backbone).input_size
    return maps.RegionMap(
        values,
        limit,
        settings.target_fpr,
        roi.over(size) if roi else None,
        neighbours.chosen_region(file, values),
        partial(neighbours.choose, file),
    )


main()
