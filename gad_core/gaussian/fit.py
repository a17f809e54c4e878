"""From image files to a fitted detector: features through the cache, folds, Gaussians."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gad_core.data.augment import Pass
from gad_core.data.datasets import ImageSet, Refusal
from gad_core.data.groups import default_folds, in_groups, k_folds
from gad_core.data.holding import scratch
from gad_core.errors import GadError
from gad_core.features.backbones import Backbone
from gad_core.features.cache import FeatureCache
from gad_core.features.engines import Engine
from gad_core.features.extract import Extraction, extract, load_pixels
from gad_core.features.regions import Regions
from gad_core.gaussian.by_region import RegionsFit, fit_regions
from gad_core.gaussian.copies import Copies
from gad_core.gaussian.detector import Detector, TrainingImages, make_detector
from gad_core.gaussian.extraction import first_reason
from gad_core.gaussian.levels import Rows
from gad_core.gaussian.levels_fit import MIN_IMAGES, fit_levels
from gad_core.gaussian.settings import Augmented, FitSettings
from gad_core.gaussian.spool import Spool, spooled
from gad_core.gaussian.tuning import Tuning
from gad_core.progress import Progress, Stages


@dataclass(frozen=True)
class Fit:
    """A detector, and the images that could not be used on the way to it.

    Parameters
    ----------
    detector : Detector
        What was fitted.
    refused : tuple of Refusal
        Each with path and reason.

    Examples
    --------
    >>> import gad_core as gad
    >>> fit = gad.fit(gad.read_dataset("parts").train, gad.FitSettings(n_folds=2))
    >>> fit.detector.n_folds, fit.refused
    (2, ())
    """

    detector: Detector
    refused: tuple[Refusal, ...]


def fit_images(
    images: ImageSet,
    engine: Engine,
    settings: FitSettings | None = None,
    *,
    calibration: ImageSet | None = None,
    known: Extraction | None = None,
    cache: FeatureCache | None = None,
    progress: Progress | None = None,
) -> Fit:
    """Fit a detector to normal images; images that cannot be read are left out and reported.

    `calibration` gives separate normal images for split-conformal thresholds; the settings may ask for a share of the
    images instead. `known` holds the features of all these images where they have been extracted already. The cache
    keeps every copy's features as soon as they are known, so that a fit that was stopped goes on where it was. Raises
    `GadError` below three readable images, and where the folds leave nothing to fit.
    """
    backbone = engine.network.backbone
    settings = settings or FitSettings(backbone=backbone.name)
    grid = settings.regions_on(backbone)
    images, kept = split_calibration(images, settings)
    if calibration and kept:
        raise GadError("calibration images were given and a share of the images asked for as well; choose one of them")
    calibration = kept or calibration
    passes = settings.augmented.passes if settings.augmented else 0
    n = len(images)
    if grid:
        grid.check(backbone)
    by_region = len(grid.levels) * n if grid else 0
    stages = Stages(progress, (n, len(calibration) if calibration else 0, passes * n, n, by_region))

    def features(wanted: ImageSet, stage: int) -> Extraction:
        if known:
            return known.of(wanted)
        return extract(wanted, engine, regions=grid, cache=cache, progress=stages(stage))

    extraction = features(images, 0)
    readable, refused = extraction.images, extraction.images.refused
    check_enough(readable)
    held_out = None
    if calibration:
        more = features(calibration, 1)
        held_out, refused = training_images(more.features, more.images, backbone), refused + more.images.refused
    folds = choose_folds(readable, settings)
    training = training_images(extraction.features, readable, backbone)
    with copies_of(readable, training.features, engine, settings, cache=cache, progress=stages(2)) as copies:
        levels = fit_levels(training.features, backbone.level_slices, folds, copies=copies, progress=stages(3))
        regions = regions_of(training, backbone, folds, settings, copies=copies, progress=stages(4))
    detector = make_detector(
        levels,
        backbone,
        settings,
        fingerprint=engine.network.fingerprint,
        training=training,
        references=choose_references(readable, engine, settings, cache=cache),
        calibration=held_out,
        refused=refused,
        by_region=regions,
    )
    return Fit(detector, refused)


def split_calibration(images: ImageSet, settings: FitSettings) -> tuple[ImageSet, ImageSet | None]:
    """Give the images to fit and those kept for calibration, in their groups, without those that are not to be used."""
    left_out = set(settings.without)
    used = in_groups(images.where([digest not in left_out for digest in images.digests]), settings.groups)
    used = ImageSet(used.files, images.refused)
    if not settings.calibration_share:
        return used, None
    parts = round(1 / settings.calibration_share)
    kept = k_folds(len(used), parts, groups=used.groups, seed=settings.seed) == 0
    return ImageSet(used.where(~kept).files, used.refused), used.where(kept)


def check_enough(readable: ImageSet) -> None:
    """Refuse fewer readable images than any fit needs."""
    n, refused = len(readable), readable.refused
    if n < MIN_IMAGES:
        why = f" ({len(refused)} could not be read: {first_reason(refused)})" if refused else ""
        raise GadError(f"need at least {MIN_IMAGES} normal images, got {n}{why}; add normal images")


def choose_folds(images: ImageSet, settings: FitSettings) -> Rows:
    """Draw the fold (n,) in which each image is left out, as many as were asked for or as suit the number of images."""
    n, groups = len(images), images.groups
    return k_folds(n, settings.n_folds or default_folds(n, groups=groups), groups=groups, seed=settings.seed)


def choose_references(
    images: ImageSet, engine: Engine, settings: FitSettings, *, cache: FeatureCache | None
) -> NDArray[np.uint8] | None:
    """Draw the normal images (m, S, S, 3) that attributions are held against; None where none were asked for."""
    if not settings.n_references:
        return None
    chosen = np.random.default_rng(settings.seed).permutation(len(images)) < settings.n_references
    return load_pixels(images.where(chosen), engine.network.backbone, cache=cache)


def training_images(features: NDArray[np.float32], images: ImageSet, backbone: Backbone) -> TrainingImages:
    """Put together what a detector keeps of images and their features (n, sum C, and behind them those by region)."""
    return TrainingImages(features, images.digests, images.groups).as_filed(backbone.n_features)


def regions_of(
    training: TrainingImages,
    backbone: Backbone,
    folds: Rows,
    settings: FitSettings,
    *,
    tuning: Tuning | None = None,
    copies: Copies | None,
    kept: NDArray[np.bool_] | None = None,
    progress: Progress | None = None,
) -> RegionsFit | None:
    """Fit the regions that the settings ask for; None for none."""
    grid = settings.regions_on(backbone)
    if grid is None:
        return None
    reduction = (tuning or settings.tuning_on(backbone)).reduction
    return fit_regions(
        training.features,
        grid,
        backbone.level_slices,
        folds,
        reduction=reduction,
        copies=copies,
        kept=kept,
        progress=progress,
    )


@contextmanager
def copies_of(
    images: ImageSet,
    features: NDArray[np.float32],
    engine: Engine,
    settings: FitSettings,
    *,
    cache: FeatureCache | None,
    progress: Progress,
) -> Iterator[Copies | None]:
    """Make the augmented copies that the settings ask for, on disk for as long as they are needed; None for none."""
    if settings.augmented is None:
        yield None
        return
    with scratch() as folder:
        spool = Spool(folder)
        kept = cache or FeatureCache(folder / "cache")  # each image is decoded once
        grid = settings.regions_on(engine.network.backbone)
        _fill(spool, images, engine, settings.augmented, grid, settings.seed, kept, progress)
        yield spooled(features, spool)


def _fill(
    spool: Spool,
    images: ImageSet,
    engine: Engine,
    augmented: Augmented,
    regions: Regions | None,
    seed: int,
    cache: FeatureCache,
    progress: Progress,
) -> None:
    stages = Stages(progress, (len(images),) * augmented.passes)
    for index in range(augmented.passes):
        one = Pass(augmented.settings, index, seed)
        extraction = extract(images, engine, regions=regions, copy=one, cache=cache, progress=stages(index))
        if refused := extraction.images.refused:
            raise GadError(
                f"a copy of {refused[0].path} cannot be made: {refused[0].reason}; fit again from the images"
            )
        spool.add(extraction.features)
