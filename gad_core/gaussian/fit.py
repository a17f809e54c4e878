"""From image files to a fitted detector: features through the cache, folds, Gaussians."""

from dataclasses import dataclass

import numpy as np

from gad_core.data.datasets import ImageSet, Refusal, default_folds, k_folds
from gad_core.errors import GadError, Progress
from gad_core.features.cache import FeatureCache
from gad_core.features.engines import Engine
from gad_core.features.extract import extract, load_pixels
from gad_core.gaussian.detector import MIN_IMAGES, Detector, TrainingImages, fit_detector
from gad_core.gaussian.tuning import Tuning

#: Normal images kept in the detector as references for attributions.
N_REFERENCES = 32


@dataclass(frozen=True)
class Fit:
    """A detector and the images that could not be read on the way to it."""

    detector: Detector
    refused: tuple[Refusal, ...]


def fit_images(
    images: ImageSet,
    engine: Engine,
    *,
    calibration: ImageSet | None = None,
    tuning: Tuning | None = None,
    n_folds: int | None = None,
    keep_references: bool = True,
    seed: int = 0,
    cache: FeatureCache | None = None,
    progress: Progress | None = None,
) -> Fit:
    """Fit a detector to normal images; images that cannot be read are left out and reported.

    `n_folds` is chosen by the number of images where it is not given; groups are left out together. Raises `GadError`
    below three readable images or where the folds leave nothing to fit.
    """
    training, readable, refused = training_images(images, engine, cache=cache, progress=progress)
    n = len(readable)
    if n < MIN_IMAGES:
        why = f" ({len(refused)} could not be read: {refused[0].reason})" if refused else ""
        raise GadError(f"need at least {MIN_IMAGES} normal images, got {n}{why}; add normal images")
    held_out = None
    if calibration is not None:
        held_out, _, more_refused = training_images(calibration, engine, cache=cache)
        refused += more_refused
    references = None
    if keep_references:
        chosen = np.random.default_rng(seed).permutation(n) < N_REFERENCES
        references = load_pixels(readable.where(chosen), engine.network.backbone, cache=cache)
    detector = fit_detector(
        training,
        engine.network.backbone,
        fingerprint=engine.network.fingerprint,
        folds=k_folds(n, n_folds or default_folds(n, groups=training.groups), groups=training.groups, seed=seed),
        tuning=tuning,
        references=references,
        calibration=held_out,
        seed=seed,
    )
    return Fit(detector, refused)


def training_images(
    images: ImageSet, engine: Engine, *, cache: FeatureCache | None = None, progress: Progress | None = None
) -> tuple[TrainingImages, ImageSet, tuple[Refusal, ...]]:
    """Features of the images that can be read, those images, and the refused ones."""
    extraction = extract(images, engine, cache=cache, progress=progress)
    readable = extraction.images
    return TrainingImages(extraction.features, readable.digests, readable.groups), readable, readable.refused
