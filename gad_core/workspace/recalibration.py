"""A newer version of a detector, whose threshold is calibrated on images from the line."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from gad_core.data.datasets import ImageFile, ImageSet
from gad_core.decision.evaluation import LevelScores, threshold
from gad_core.decision.point_settings import PointSettings
from gad_core.decision.verdict import own_scores
from gad_core.errors import GadError
from gad_core.features.cache import FeatureCache
from gad_core.features.engines import load_engine
from gad_core.gaussian.detector_file import load_detector
from gad_core.gaussian.extraction import extract_for
from gad_core.gaussian.recalibration import recalibrated
from gad_core.gaussian.tuning import WorkingPoint
from gad_core.progress import Progress
from gad_core.workspace.adoption import decision_on
from gad_core.workspace.rows import Circumstances, DetectorRow
from gad_core.workspace.store import Store

_PREFIX = "split-"  # of methods that take calibration images


def recalibrate(
    store: Store,
    detector_id: str,
    inspection_ids: Collection[int],
    *,
    who: str = "",
    cache: FeatureCache | None = None,
    progress: Progress | None = None,
) -> DetectorRow:
    """Make a detector like a given one with inspected good images for calibration, and adopt a threshold for it.

    The target stays, and the kind of promise; the watches go on with the new one. The given one stays as it is. Lots
    count as groups where the detector was fitted with groups. Raises `GadError` where an image is gone, and
    `SampleTooSmall` where the images cannot support the target.
    """
    store.check_open()
    row, wanted = store.detectors.get(detector_id), set(inspection_ids)
    former = load_detector(row.path)
    rows = [one for one in store.inspections.of([detector_id]) if one.id in wanted]
    files = tuple(ImageFile(one.path, one.digest, group=one.lot) for one in rows)
    engine = load_engine(former.backbone, cache=cache)
    known = extract_for(former, ImageSet(files), engine, cache=cache, progress=progress)
    if known.images.refused:
        gone = known.images.refused[0]
        raise GadError(
            f"{Path(gone.path).name} cannot be read any more ({gone.reason}); bring it back, or leave it out"
        )
    grouped = former.training.groups or (former.calibration and former.calibration.groups)
    new = recalibrated(former, known.features, known.images.digests, known.images.groups if grouped else None)
    point = _point(
        own_scores(new, known.features[:0]), PointSettings.of(former.tuning, former.working_point), former.working_point
    )
    n = len(new.calibration.digests) if new.calibration else 0
    new = replace(new, working_point=point)
    note = f"recalibrated with {n} images from the line, from {row.name}"
    return store.detectors.add(
        new.save,
        name=row.name,
        settings=new.settings,
        n_train=new.n_train,
        dataset_id=row.dataset_id,
        follows=row.id,
        decided=lambda made: decision_on(made, new, new.tuning, point, Circumstances(who, note)),
    )


def _point(scores: LevelScores, asked: PointSettings, former: WorkingPoint | None) -> WorkingPoint:
    """The threshold at the former target, and the review band where there was one that can be had."""
    promise = asked.method.partition("-")[2] or "conformal"
    method = _PREFIX + promise
    point = threshold(scores, method, asked.target_fpr)
    assert point is not None  # noqa: S101 - there are calibration images
    if former is None or former.reject_fpr is None:
        return point
    try:
        upper = threshold(scores, method, former.reject_fpr)
    except GadError:  # too few images for the stricter one: the looser one alone then
        return point
    assert upper is not None  # noqa: S101 - the same
    return replace(point, reject_above=upper.threshold, reject_fpr=former.reject_fpr)
