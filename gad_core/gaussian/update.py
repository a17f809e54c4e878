"""Detectors that grow and shrink: images are added or removed, and those that stay are not read again."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gad_core.data.datasets import ImageFile, ImageSet, Refusal
from gad_core.errors import GadError
from gad_core.features.cache import FeatureCache
from gad_core.features.engines import Engine
from gad_core.features.extract import extract, load_pixels
from gad_core.gaussian.detector import Detector, TrainingImages, make_detector
from gad_core.gaussian.fit import Fit, copies_of, regions_of, training_images
from gad_core.gaussian.levels import Rows
from gad_core.gaussian.levels_fit import fit_levels
from gad_core.progress import Progress, Stages


def add_images(
    detector: Detector,
    images: ImageSet,
    engine: Engine,
    *,
    cache: FeatureCache | None = None,
    progress: Progress | None = None,
) -> Fit:
    """Fit a detector to its images and further normal ones; images that are in it already are reported.

    A new image joins its group's fold, or else the smallest. The adopted threshold goes, for it belongs to the earlier
    distances. Raises `GadError` where nothing changes, for other weights, and where augmented copies of the images that
    stay are no longer in the cache.
    """
    more, unfit = _sort_out(detector, images, engine, known=False)
    stages = Stages(progress, (len(more), _n_copies(detector, len(more) + detector.n_train), *_n_fits(detector)))
    extraction = extract(more, engine, regions=detector.regions, cache=cache, progress=stages(0))
    training = detector.training + training_images(extraction.features, extraction.images, engine.network.backbone)
    unreadable = extraction.images.refused
    settings = detector.settings.leaving_out(tuple(set(detector.settings.without) - set(more.digests)))
    return _fit_again(
        replace(detector, settings=settings, refused=detector.refused + unreadable),
        training,
        join_folds(detector.folds, training.groups, len(extraction.features)),
        engine,
        files=extraction.images,
        unfit=unfit + unreadable,
        cache=cache,
        stages=stages,
    )


def remove_images(
    detector: Detector,
    images: ImageSet,
    engine: Engine,
    *,
    cache: FeatureCache | None = None,
    progress: Progress | None = None,
) -> Fit:
    """Fit a detector to its images without some of them; images that are not in it are reported.

    They stay out when the detector's settings are used again. Otherwise as `add_images`.
    """
    fewer, unfit = _sort_out(detector, images, engine, known=True)
    stages = Stages(progress, (0, _n_copies(detector, detector.n_train), *_n_fits(detector)))
    stays = ~np.isin(detector.training.digests, fewer.digests)
    references = detector.references
    if references is not None:
        gone = load_pixels(fewer, engine.network.backbone, cache=cache)
        references = references[[not (gone == one).all(axis=(1, 2, 3)).any() for one in references]]
    settings = detector.settings.leaving_out((*detector.settings.without, *fewer.digests))
    return _fit_again(
        replace(detector, settings=settings, references=references),
        detector.training[stays],
        detector.folds[stays],
        engine,
        files=ImageSet(()),
        unfit=unfit,
        cache=cache,
        stages=stages,
    )


def join_folds(folds: Rows, groups: tuple[str | None, ...] | None, n_more: int) -> Rows:
    """The folds with those of `n_more` further images behind them; groups are those of all images."""
    ids = folds.tolist()
    for index in range(len(ids), len(ids) + n_more):
        group = groups[index] if groups else None
        same = [ids[i] for i in range(index) if groups and group is not None and groups[i] == group]
        ids.append(same[0] if same else int(np.bincount(ids, minlength=int(folds.max()) + 1).argmin()))
    return np.array(ids, np.intp)


def _sort_out(
    detector: Detector, images: ImageSet, engine: Engine, *, known: bool
) -> tuple[ImageSet, tuple[Refusal, ...]]:
    """The images that change the detector, and those that do not with the reason."""
    detector.check_network(engine.network)
    detector.check_whole()
    inside = set(detector.training.digests)
    fits: NDArray[np.bool_] = np.array([(digest in inside) is known for digest in images.digests], bool)
    why = "it is not in the detector" if known else "it is in the detector already"
    unfit = tuple(Refusal(str(file.path), why) for file in images.where(~fits))
    if not fits.any():
        raise GadError(f"none of the {len(images)} images changes the detector ({why}); choose others")
    return images.where(fits), unfit


def _n_fits(detector: Detector) -> tuple[int, int]:
    """How long the fit of the levels takes, and that of the regions, in images."""
    n, regions = detector.n_train, detector.regions
    return n, n * len(regions.levels) if regions else 0


def _n_copies(detector: Detector, n: int) -> int:
    return n * detector.settings.augmented.passes if detector.settings.augmented else 0


def _fit_again(
    detector: Detector,
    training: TrainingImages,
    folds: Rows,
    engine: Engine,
    *,
    files: ImageSet,
    unfit: tuple[Refusal, ...],
    cache: FeatureCache | None,
    stages: Stages,
) -> Fit:
    """The same detector on other training images; only `files` are there to be read, the others by digest alone."""
    backbone = engine.network.backbone
    stand_ins = ImageSet(tuple(ImageFile(Path(digest), digest) for digest in detector.training.digests))
    by_digest = {file.digest: file for file in (*stand_ins, *files)}
    images = ImageSet(tuple(by_digest[digest] for digest in training.digests))
    ids = np.unique(folds, return_inverse=True)[1]
    training = training.as_filed(backbone.n_features)
    with copies_of(images, training.features, engine, detector.settings, cache=cache, progress=stages(1)) as copies:
        levels = fit_levels(training.features, backbone.level_slices, ids, copies=copies, progress=stages(2))
        regions = regions_of(
            training, backbone, ids, detector.settings, tuning=detector.tuning, copies=copies, progress=stages(3)
        )
    again = make_detector(
        levels,
        backbone,
        detector.settings,
        fingerprint=detector.fingerprint,
        training=training,
        tuning=detector.tuning,
        references=detector.references,
        calibration=detector.calibration,
        refused=detector.refused,
        by_region=regions,
    )
    return Fit(again, unfit)
