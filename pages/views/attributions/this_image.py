"""One image explained: its map, how far it can be trusted, and the levels and regions that it comes from."""

from functools import partial

from gad_core import figures
from gad_core.data.datasets import ImageFile
from gad_core.data.images import decode_mask
from gad_core.decision.point_settings import PointSettings
from gad_core.features.registry import get_backbone
from gad_core.gaussian.tuning import Tuning
from gad_core.workspace.rows import DatasetRow, DetectorRow
from pages.shared import frame, resources, settings
from pages.views.attributions import awaited, checking, clever_hans, flagged, maps, measured, neighbours


def show(
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
        attribution = awaited.attribution(test, file, tuning, n_references)
        if attribution is None:
            return
        # These load torch, which is there once something was explained; the page shows its controls without.
        from pages.views.attributions import checks, concepts, numbers  # noqa: PLC0415

        mask = decode_mask(file.mask) if file.mask else None
        numbers.numbers(attribution, file, mask, flagged.judged(test, file, settings.current(detector)))
        regions = regions_of(test, file, settings.current(detector))
        image = resources.pixels(test.detector.backbone, file)
        if regions and regions.inspected is not None:
            image = figures.dimmed(image, regions.inspected)
        shown = maps.Shown.of(attribution, file, image, mask, drawing)
        maps.pictures(attribution, shown, regions)
        if regions:
            neighbours.neighbours(test, dataset, file, tuning, regions.values)
        maps.levels(attribution, drawing)
        maps.files(attribution, shown)
        measured.measures(attribution, file, mask, regions.values if regions else None)
        concepts.concepts(test, dataset, file, tuning, n_references, drawing)
        twin = clever_hans.twin_pixels(test, dataset, file)
        checks.checks(checking.subject(test, file, attribution, tuning, twin))


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
