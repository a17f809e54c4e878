"""Scores of changed pictures of training images, each from the fit without its fold, as left-out scores are."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gad_core.decision.rates import Rate, exceedance
from gad_core.decision.working_point import left_out_rate
from gad_core.errors import GadError
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.levels import Rows
from gad_core.gaussian.pooling import Standard
from gad_core.gaussian.spectrum import Gaussian, fit_gaussian
from gad_core.gaussian.tuning import Tuning, WorkingPoint, pool_of
from gad_core.progress import Progress

Array = NDArray[np.float64]
Features = NDArray[np.float32]

_THREADS = min(2, os.cpu_count() or 1)


def scores_without_fold(
    detector: Detector,
    features: Features,
    rows: Rows,
    tunings: Sequence[Tuning],
    *,
    progress: Progress | None = None,
) -> Array:
    """Score pictures (m, F) made from the training images in `rows` (m,) at each tuning: (m, T).

    Each is scored by Gaussians without its image's fold, stretched to the full fit's dimensions and, by region, on the
    scale of the other folds: an unchanged image gets its score of `Detector.left_out_scores`. Only folds that occur are
    fitted. Raises `GadError` for a detector of augmented copies, which its file does not hold, and for one that keeps a
    sample of its images.
    """
    if detector.settings.augmented:
        raise GadError(
            "this detector was fitted to augmented copies, which are needed again to leave a fold out and which its "
            "file does not hold; fit without augmentation to measure what it catches"
        )
    detector.check_whole()
    for tuning in tunings:
        if tuning.pool is not None:
            detector.known_regions(tuning)
    folds = detector.folds[rows]
    by_fold = [(int(fold), np.flatnonzero(folds == fold)) for fold in np.unique(folds)]
    found = np.empty((len(rows), len(tunings)))
    pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="fold")
    try:
        with threadpool_limits(1, "blas"):  # small matrices, as in `fit_levels`
            waiting = [
                (places, pool.submit(_scores, detector, features[places], fold, tunings)) for fold, places in by_fold
            ]
            for done, (places, future) in enumerate(waiting, start=1):
                found[places] = future.result()
                if progress:
                    progress(done, len(waiting))
    finally:
        pool.shutdown(cancel_futures=True)
    return found


def undamaged_rate(detector: Detector, left_out: Array, point: WorkingPoint) -> Rate:
    """The share of left-out normal images, with scores (n,), that the threshold flags as they are."""
    rate = left_out_rate(point, left_out, detector.folds, groups=detector.training.groups)
    return rate or exceedance(left_out, point.threshold)


def _scores(detector: Detector, features: Features, fold: int, tunings: Sequence[Tuning]) -> Array:
    """Scores (m, T) of pictures of one fold's images."""
    found = np.zeros((len(features), len(tunings)))
    whole = [place for place, tuning in enumerate(tunings) if tuning.pool is None]
    for level in sorted({level for place in whole for level in tunings[place].levels}):
        own = _Part(detector.slices[level - 1], detector.gaussians[level - 1])
        using = [place for place in whole if level in tunings[place].levels]
        found[:, using] += own.distances(detector, features, fold, [tunings[place] for place in using])
    pooled = [place for place, tuning in enumerate(tunings) if tuning.pool is not None]
    by_region = _by_region(detector, features, fold, [tunings[place] for place in pooled])
    for place, own_scores in zip(pooled, by_region, strict=True):
        found[:, place] = own_scores
    return found


def _by_region(detector: Detector, features: Features, fold: int, tunings: Sequence[Tuning]) -> Iterator[Array]:
    """What each tuning pools of the regions (m,), on the scale of the other folds."""
    if not tunings or detector.by_region is None:
        return
    known = detector.by_region
    total = np.zeros((len(features), len(known.inside), len(tunings)))
    for index, level in enumerate(known.regions.levels):
        using = [place for place, tuning in enumerate(tunings) if level in tuning.levels]
        if not using:
            continue
        for region, (part, gaussian) in enumerate(zip(known.slices[index], known.gaussians[index], strict=True)):
            own = _Part(part, gaussian)
            total[:, region, using] += own.distances(detector, features, fold, [tunings[place] for place in using])
    others = detector.folds != fold
    for place, tuning in enumerate(tunings):
        standard = Standard.of(known.left_out_distances(tuning)[others])
        yield pool_of(tuning)(standard(total[..., place]))


@dataclass(frozen=True)
class _Part:
    """Some columns of the features, and the Gaussian of all images there."""

    columns: slice
    gaussian: Gaussian

    def distances(self, detector: Detector, features: Features, fold: int, tunings: Sequence[Tuning]) -> Array:
        """Distances (m, T) from the Gaussian of the images outside a fold, in the full fit's dimensions."""
        rest = fit_gaussian(detector.training.features[detector.folds != fold, self.columns])
        coordinates = rest.coordinates(features[:, self.columns])
        found = np.empty((len(features), len(tunings)))
        for place, tuning in enumerate(tunings):
            distance = rest.spectrum.distances(coordinates, tuning.reduction, distance=tuning.distance)
            if tuning.distance != "l2":  # as in `LevelsFit.left_out_tables`
                whole = self.gaussian.spectrum.dimension(tuning.reduction)
                distance = distance * np.sqrt(whole / rest.spectrum.dimension(tuning.reduction))
            found[:, place] = distance
        return found
