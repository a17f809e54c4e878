"""Attributions: which pixels the distance comes from."""

from functools import partial

import streamlit as st

from gad_core import figures
from gad_core.data.datasets import ImageFile
from gad_core.decision.point_settings import PointSettings
from gad_core.features.registry import get_backbone
from gad_core.workspace.rows import DatasetRow, DetectorRow
from pages.shared import adopted, frame, opened, resources, settings, tasks
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
    if not len(resources.test_images(detector, dataset).images):
        frame.empty("There are no test images to explain yet.", "Bring some", "pages/data.py")
        return
    explained(detector, dataset)


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
    with frame.guarded():
        with st.spinner(f"Explaining {plain(file.path.name)} …"):
            attribution = resources.attribution(test, file, tuning, n_references)
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
    category.whole_category(detector, dataset, test, file, tuning, n_references)
    clever_hans.tour(detector, dataset, test, tuning, n_references)


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
