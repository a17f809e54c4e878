"""A detector's left-out normal images and its test images under every shift, held against a threshold."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gad_core.data.datasets import Dataset
from gad_core.data.shifts import Shift
from gad_core.decision.curves import auroc
from gad_core.decision.working_point import cross_conformal
from gad_core.deployment.bands import band_energies, relative
from gad_core.deployment.indifference import lengths, made_indifferent, whitened
from gad_core.deployment.outcomes import Outcome, Step, lost_p_value
from gad_core.deployment.photos import shifted_photos
from gad_core.deployment.results import DeploymentShift
from gad_core.deployment.sampling import sampled_normals, sampled_test
from gad_core.deployment.settings import ShiftSettings
from gad_core.detectability.drawing import Files
from gad_core.detectability.left_out import scores_without_fold
from gad_core.detectability.study import threshold_for
from gad_core.errors import SampleTooSmall
from gad_core.features.cache import FeatureCache
from gad_core.features.engines import Engine
from gad_core.features.extract import Extraction
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.extraction import extract_for
from gad_core.gaussian.tuning import Tuning, WorkingPoint, tuning_at
from gad_core.progress import Progress, Stages

Array = NDArray[np.float64]
Features = NDArray[np.float32]

_UNSHIFTED = Shift("blur", 0)


def study(
    detector: Detector,
    data: Dataset,
    engine: Engine,
    settings: ShiftSettings | None = None,
    *,
    tuning: Tuning | None = None,
    point: WorkingPoint | None = None,
    target_fpr: float | None = None,
    cache: FeatureCache | None = None,
    progress: Progress | None = None,
) -> DeploymentShift:
    """Render images under every shift, score normal ones by the fit without their fold, and count at a threshold.

    Tuning and threshold are chosen as by `detectability.study.measure`, and the same errors are raised.
    """
    detector.check_network(engine.network)
    settings, tuning = settings or ShiftSettings(), tuning or detector.tuning
    point = point or threshold_for(detector, tuning, target_fpr)
    own = tuning_at(tuning, point.level)
    files, shifts = sampled_normals(detector, data, settings.n_normals), settings.shifts
    n_test = min(len(data.test), settings.n_test)
    stages = Stages(progress, (len(data.test), len(files) * len(shifts), n_test * len(shifts)))
    test = extract_for(detector, data.test, engine, cache=cache, progress=stages(0))
    chosen = test.of(sampled_test(test.images, settings.n_test))
    readings = _Readings.of(detector, own, point)
    normal = _left_out(detector, files, shifts, engine, readings, own, stages(1))
    scores = _of_test(detector, chosen, shifts, engine, readings, own, stages(2))
    anomalous, all_anomalous = chosen.images.labels, test.images.labels
    both = bool(all_anomalous.any() and not all_anomalous.all())
    white = whitened(detector, test.features, own)

    def step(place: int, shift: Shift) -> Step:
        flagged = scores[:, :, 0][:, anomalous] > point.threshold
        outcomes = [
            Outcome.of(normal.scores[place, :, k], scores[place, :, k], anomalous, limit)
            for k, limit in enumerate(readings.thresholds)
        ]
        return Step(
            shift,
            float(normal.changes[place].mean()),
            outcomes[0],
            tuple(outcomes[1:]),
            relative(normal.energies[place], normal.energies[0]),
            lost_p_value(flagged[0], flagged[place]),
            made_indifferent(white, [own[place] for own in normal.moves], all_anomalous) if both and place else None,
        )

    return DeploymentShift(
        settings=settings,
        tuning=tuning,
        point=point,
        unshifted=replace(step(0, _UNSHIFTED), lost_p_value=None),
        steps=tuple(step(place, shift) for place, shift in enumerate(shifts, start=1)),
        area=auroc(np.sum([lengths(z) for z in white], axis=0), all_anomalous) if both else None,
        refused=test.images.refused,
    )


@dataclass(frozen=True)
class _Readings:
    """The scores that are read: the threshold's own, and every level alone at the same target where it has one."""

    tunings: tuple[Tuning, ...]
    left_out: tuple[Array, ...]  # (n,) each, of all training images as they are
    thresholds: tuple[float, ...]

    @classmethod
    def of(cls, detector: Detector, own: Tuning, point: WorkingPoint) -> "_Readings":
        tunings = (own, *(replace(own, levels=(level,), pool=None) for level in range(1, detector.n_levels + 1)))
        left_out = tuple(detector.left_out_scores(one) for one in tunings)
        try:
            limits = tuple(cross_conformal(scores, point.target_fpr).threshold for scores in left_out[1:])
        except SampleTooSmall:
            return cls(tunings[:1], left_out[:1], (point.threshold,))
        return cls(tunings, left_out, (point.threshold, *limits))


@dataclass(frozen=True)
class _LeftOut:
    """n normal images as they are and under S shifts: all axes of length 1 + S begin with the images as they are."""

    scores: Array  # (1 + S, n, T)
    energies: Array  # (1 + S, n, L, bands)
    changes: Array  # (1 + S, n)
    moves: list[Array]  # by tuned level (1 + S, n, K)


def _left_out(
    detector: Detector,
    files: Files,
    shifts: Sequence[Shift],
    engine: Engine,
    readings: _Readings,
    own: Tuning,
    progress: Progress,
) -> _LeftOut:
    """All that is read of the normal images, a fold at a time: no more is held of their features."""
    scores, energies, changes = [], [], []
    moves: list[list[Array]] = []
    with closing(shifted_photos(list(files.values()), shifts, engine, regions=detector.regions)) as photos:
        for fold, members in groupby(files, key=lambda row: int(detector.folds[row])):
            rows = list(members)
            features = []
            for row in rows:
                photo = next(photos)
                features.append(np.concatenate([detector.training.features[[row]], photo.features]))
                changes.append(np.concatenate([[0.0], photo.changes]))
                progress(len(changes), len(files))
            of_fold = np.stack(features, axis=1)  # (1 + S, n of the fold, F)
            flat, shape = of_fold.reshape(-1, of_fold.shape[2]), of_fold.shape[:2]
            repeated = np.tile(rows, len(shifts))
            shifted = scores_without_fold(detector, flat[len(rows) :], repeated, readings.tunings)
            # As they are known, to the last bit: one of them is the threshold.
            unshifted = np.stack([left_out[rows] for left_out in readings.left_out], axis=1)
            scores.append(np.concatenate([unshifted[None], shifted.reshape(len(shifts), *unshifted.shape)]))
            with threadpool_limits(1, "blas"):  # small matrices, as in `fit_levels`
                energy = band_energies(detector, flat, fold, own)
                energies.append(energy.reshape(*shape, *energy.shape[1:]))
                white = whitened(detector, of_fold, own)
            moves.append([z - z[:1] for z in white])
    return _LeftOut(
        np.concatenate(scores, axis=1),
        np.concatenate(energies, axis=1),
        np.stack(changes, axis=1),
        [np.concatenate(level, axis=1) for level in zip(*moves, strict=True)],
    )


def _of_test(
    detector: Detector,
    test: Extraction,
    shifts: Sequence[Shift],
    engine: Engine,
    readings: _Readings,
    own: Tuning,
    progress: Progress,
) -> Array:
    """Scores (1 + S, m, T) of the test images as they are and under every shift."""
    found = np.empty((1 + len(shifts), len(test.images), len(readings.tunings)))
    with closing(shifted_photos(test.images.files, shifts, engine, regions=detector.regions)) as photos:
        for place, photo in enumerate(photos):
            features = np.concatenate([test.features[[place]], photo.features])
            levels = detector.distances(detector.coordinates(features), own.reduction, distance=own.distance)
            found[:, place, 0] = detector.scores_at(features, own)
            found[:, place, 1:] = levels[:, : found.shape[2] - 1]
            progress(place + 1, len(test.images))
    return found
