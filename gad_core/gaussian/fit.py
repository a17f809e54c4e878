"""From image files to a fitted detector: features through the cache, folds, Gaussians."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gad_core.data.augment import Pass
from gad_core.data.datasets import ImageFile, ImageSet, Refusal, default_folds, k_folds
from gad_core.errors import GadError
from gad_core.progress import Progress
from gad_core.features.cache import FeatureCache
from gad_core.features.engines import Engine
from gad_core.features.extract import extract, load_pixels
from gad_core.gaussian.detector import MIN_IMAGES, Augmented, Detector, TrainingImages, fit_detector
from gad_core.gaussian.spool import Spool
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
    augment: Augmented | None = None,
    keep_references: bool = True,
    seed: int = 0,
    cache: FeatureCache | None = None,
    progress: Progress | None = None,
) -> Fit:
    """Fit a detector to normal images; images that cannot be read are left out and reported.

    `n_folds` is chosen by the number of images where it is not given; groups are left out together. With `augment` the
    Gaussians are those of augmented copies. The cache keeps every copy's features as soon as they are known, so that a
    fit that was stopped goes on where it was. Raises `GadError` below three readable images or where the folds leave
    nothing to fit.
    """
    steps = _Steps(progress, len(images) * (1 + (augment.passes if augment else 0)))
    training, readable, refused = training_images(images, engine, cache=cache, progress=steps)
    steps.begin(len(images))
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
    folds = k_folds(n, n_folds or default_folds(n, groups=training.groups), groups=training.groups, seed=seed)
    with _copies(readable, engine, augment, seed=seed, cache=cache, steps=steps) as spool:
        detector = fit_detector(
            training,
            engine.network.backbone,
            fingerprint=engine.network.fingerprint,
            folds=folds,
            tuning=tuning,
            references=references,
            calibration=held_out,
            augmented=augment,
            spool=spool,
            seed=seed,
            progress=steps.within if augment else None,
        )
    return Fit(detector, refused)


def update_fit(
    detector: Detector,
    images: ImageSet,
    engine: Engine,
    *,
    remove: bool = False,
    cache: FeatureCache | None = None,
    progress: Progress | None = None,
) -> Fit:
    """Add normal images to a detector, or remove them from it; the images that stay are not looked at again.

    Images that are in it already (to add) or are not in it (to remove) are reported. A new image joins its group's
    fold, or else the smallest. The adopted threshold goes, for it belongs to the earlier distances. Raises `GadError`
    where nothing changes, for other weights, and where augmented copies of the images that stay are no longer in the
    cache.
    """
    detector.check_weights(engine.network.fingerprint)
    known = set(detector.training.digests)
    fits = [(digest in known) is remove for digest in images.digests]
    why = "it is not in the detector" if remove else "it is in the detector already"
    unfit = tuple(Refusal(str(file.path), why) for file, fit in zip(images, fits, strict=True) if not fit)
    changed = images.where(fits)
    if not len(changed):
        raise GadError(f"none of the {len(images)} images changes the detector ({why}); choose others")
    references = detector.references
    if remove:
        kept = ~np.isin(detector.training.digests, changed.digests)
        training, folds = detector.training[kept], detector.folds[kept]
        if references is not None:
            gone = load_pixels(changed, engine.network.backbone, cache=cache)
            stays = [not (gone == reference).all(axis=(1, 2, 3)).any() for reference in references]
            references = references[stays]
    else:
        more, changed, refused = training_images(changed, engine, cache=cache, progress=progress)
        unfit += refused
        training = detector.training + more
        folds = _joined(detector.folds, training.groups, len(more.features))
    stand_ins = ImageSet(tuple(ImageFile(Path(digest), digest) for digest in detector.training.digests))
    files = {file.digest: file for file in (*stand_ins, *changed)}
    with _copies(
        ImageSet(tuple(files[digest] for digest in training.digests)),
        engine,
        detector.augmented,
        seed=detector.seed,
        cache=cache,
        steps=_Steps(progress, len(training.digests) * (1 + (detector.augmented.passes if detector.augmented else 0))),
    ) as spool:
        updated = fit_detector(
            training,
            engine.network.backbone,
            fingerprint=detector.fingerprint,
            folds=np.unique(folds, return_inverse=True)[1],
            tuning=detector.tuning,
            references=references,
            calibration=detector.calibration,
            augmented=detector.augmented,
            spool=spool,
            seed=detector.seed,
        )
    return Fit(updated, unfit)


def _joined(folds: NDArray[np.intp], groups: tuple[str | None, ...] | None, n_more: int) -> NDArray[np.intp]:
    """The folds with those of `n_more` further images behind them; groups are those of all images."""
    ids = folds.tolist()
    for index in range(len(ids), len(ids) + n_more):
        group = groups[index] if groups else None
        same = [ids[i] for i in range(index) if groups and group is not None and groups[i] == group]
        ids.append(same[0] if same else int(np.bincount(ids, minlength=int(folds.max()) + 1).argmin()))
    return np.array(ids, np.intp)


class _Steps:
    """Progress over several stages that each count images of their own."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total, self._before = progress, total, 0

    def begin(self, done: int) -> None:
        """So many images lie behind."""
        self._before = done

    def __call__(self, done: int, _: int) -> None:
        if self._progress:
            self._progress(self._before + done, self._total)

    def within(self, _: int, __: int) -> None:
        """Work on no new image, in which a job can be cancelled."""
        if self._progress:
            self._progress(self._before, self._total)


@contextmanager
def _copies(
    images: ImageSet,
    engine: Engine,
    augment: Augmented | None,
    *,
    seed: int,
    cache: FeatureCache | None,
    steps: _Steps,
) -> Iterator[Spool | None]:
    """The features of every augmented copy of the images, on disk for as long as they are needed."""
    if augment is None:
        yield None
        return
    if augment.passes < 1:
        raise GadError(f"augmentation needs at least one pass, got {augment.passes}")
    with tempfile.TemporaryDirectory(prefix="gad-") as folder:
        spool = Spool(Path(folder))
        kept = cache or FeatureCache(Path(folder) / "cache")  # each image is decoded once
        for index in range(augment.passes):
            found = extract(images, engine, copy=Pass(augment.settings, index, seed), cache=kept, progress=steps)
            if found.images.refused:
                one = found.images.refused[0]
                raise GadError(f"a copy of {one.path} cannot be made: {one.reason}; fit again from the images")
            spool.add(found.features)
            steps.begin((2 + index) * len(images))
        yield spool


def training_images(
    images: ImageSet, engine: Engine, *, cache: FeatureCache | None = None, progress: Progress | None = None
) -> tuple[TrainingImages, ImageSet, tuple[Refusal, ...]]:
    """Features of the images that can be read, those images, and the refused ones."""
    extraction = extract(images, engine, cache=cache, progress=progress)
    readable = extraction.images
    return TrainingImages(extraction.features, readable.digests, readable.groups), readable, readable.refused
