"""What a detector catches of synthetic defects on its own left-out normal images, and of real ones beside them."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gad_core.data.datasets import Dataset
from gad_core.decision.curves import Auroc, auroc
from gad_core.decision.point_settings import DEFAULT_TARGET_FPR, PointSettings
from gad_core.decision.working_point import cross_conformal
from gad_core.detectability.drawing import Files, drawn_features, shorter_side
from gad_core.detectability.left_out import scores_without_fold, undamaged_rate
from gad_core.detectability.plan import Draw, SensitivitySettings, plan
from gad_core.detectability.ranking import Ranked, candidates, rank
from gad_core.detectability.real import real_defects
from gad_core.detectability.results import Sensitivity
from gad_core.errors import GadError, SampleTooSmall
from gad_core.features.cache import FeatureCache
from gad_core.features.engines import Engine
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.extraction import extract_for
from gad_core.gaussian.tuning import Tuning, WorkingPoint, tuning_at
from gad_core.progress import Progress, Stages

_FITTING = 3  # draws that take as long as the fits without a fold take a training image


def measure(
    detector: Detector,
    data: Dataset,
    engine: Engine,
    settings: SensitivitySettings | None = None,
    *,
    tuning: Tuning | None = None,
    point: WorkingPoint | None = None,
    target_fpr: float | None = None,
    cache: FeatureCache | None = None,
    progress: Progress | None = None,
) -> Sensitivity:
    """Draw defects on the detector's training images, score each by the fit without its image's fold, and count.

    The tuning is by default the detector's; the threshold is `point`, else cross-conformal at `target_fpr`, else the
    adopted one, else cross-conformal at 5 %. The training images are found in the data set by their content; its test
    images give the real defects, and the AUROC beside the ranking. Raises `GadError` for other weights, where the data
    set holds none of the training images, and for a fit to augmented copies; `SampleTooSmall` where the images cannot
    support the target.
    """
    detector.check_network(engine.network)
    settings, tuning = settings or SensitivitySettings(), tuning or detector.tuning
    point = point or threshold_for(detector, tuning, target_fpr)
    own = tuning_at(tuning, point.level)
    files = training_files(detector, data)
    draws = plan(settings, sorted(files), detector.regions.roi if detector.regions else None)
    tried = tuple(dict.fromkeys((own, *candidates(detector))))
    stages = Stages(progress, (len(draws), _FITTING * detector.n_train, len(data.test)))
    features = drawn_features(draws, files, engine, regions=detector.regions, progress=stages(0))
    rows = np.array([draw.row for draw in draws], np.intp)
    scores = scores_without_fold(detector, features, rows, tried, progress=stages(1))
    test = extract_for(detector, data.test, engine, cache=cache, progress=stages(2))
    areas = _areas(detector, tried, test.features, test.images.labels)
    return Sensitivity(
        settings=settings,
        tuning=tuning,
        point=point,
        undamaged=undamaged_rate(detector, detector.left_out_scores(own), point),
        draws=draws,
        scores=tuple(scores[:, 0].tolist()),
        n_images=len(files),
        n_train=detector.n_train,
        side=shorter_side(files[min(files)]),
        real=real_defects(test.images, detector.scores_at(test.features, own), point.threshold),
        ranking=_ranking(detector, tried, draws, scores, point.target_fpr, areas),
        refused=test.images.refused,
    )


def training_files(detector: Detector, data: Dataset) -> Files:
    """The detector's training images by row, as far as the data set holds them; raises `GadError` where it has none."""
    by_digest = {file.digest: file for file in (*data.test, *data.train)}
    found = {row: by_digest[digest] for row, digest in enumerate(detector.training.digests) if digest in by_digest}
    if not found:
        raise GadError(
            f"none of the {detector.n_train} normal images that this detector was fitted to are in {data.name}; "
            "defects are drawn on them, so give the data set that it was fitted to"
        )
    return found


def threshold_for(detector: Detector, tuning: Tuning, target_fpr: float | None) -> WorkingPoint:
    """Give a cross-conformal threshold at `target_fpr`, else the adopted one, else cross-conformal at 5 %."""
    adopted = detector.working_point if tuning == detector.tuning else None
    if adopted and target_fpr is None:
        return adopted
    level = PointSettings.of(tuning, adopted).level
    point = cross_conformal(
        detector.left_out_scores(tuning_at(tuning, level)), DEFAULT_TARGET_FPR if target_fpr is None else target_fpr
    )
    return replace(point, level=level)


def _areas(
    detector: Detector, tunings: tuple[Tuning, ...], features: NDArray[np.float32], anomalous: NDArray[np.bool_]
) -> tuple[Auroc, ...] | None:
    """AUROC of every tuning on test images; None with one kind of them alone."""
    if not anomalous.any() or anomalous.all():
        return None
    return tuple(auroc(detector.scores_at(features, tuning), anomalous) for tuning in tunings)


def _ranking(
    detector: Detector,
    tunings: tuple[Tuning, ...],
    draws: tuple[Draw, ...],
    scores: NDArray[np.float64],
    target_fpr: float,
    areas: tuple[Auroc, ...] | None,
) -> tuple[Ranked, ...]:
    """The ranking; empty where the images cannot support a cross-conformal threshold at the point's target."""
    try:
        return rank(detector, tunings, draws, scores, target_fpr, areas=areas)
    except SampleTooSmall:
        return ()
