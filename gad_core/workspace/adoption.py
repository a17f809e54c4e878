"""Thresholds that become a detector's own: in its file, on record, and back again."""

from dataclasses import replace
from pathlib import Path

from gad_core.errors import GadError
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.detector_file import load_detector
from gad_core.gaussian.tuning import Tuning, WorkingPoint
from gad_core.workspace.explanations import carry_over
from gad_core.workspace.rows import DecisionRow, DetectorRow, DetectorState, detector_state
from gad_core.workspace.store import Store


def adopt(
    store: Store,
    row: DetectorRow,
    detector: Detector,
    tuning: Tuning,
    point: WorkingPoint,
    *,
    state: DetectorState,
    auroc: float | None = None,
) -> DecisionRow:
    """Make a threshold and its tuning the detector's own, in its file and on record; earlier ones stay on record.

    `state` is that of the file when `detector` was read, `auroc` (in [0, 1]) that of the tuning. Raises `GadError`
    where the file was written since: the threshold was made for another fit.
    """
    _write(store, row, detector, tuning, point, state=state, auroc=auroc)
    return store.detectors.adopt(row.id, tuning, point)


def restore(
    store: Store, row: DetectorRow, tuning: Tuning, point: WorkingPoint | None, *, auroc: float | None = None
) -> None:
    """Give a detector an earlier tuning and threshold back, or none; a threshold is put on record again.

    Raises `GadError` where the file holds no adopted threshold any more: it was fitted again, and the earlier threshold
    was made for another fit.
    """
    state, detector = detector_state(row), load_detector(row.path)
    if detector.working_point is None:
        raise GadError(f"{row.name} was fitted again meanwhile; its earlier threshold means nothing to this fit")
    _write(store, row, detector, tuning, point, state=state, auroc=auroc)
    if point:
        store.detectors.adopt(row.id, tuning, point)


def on_record(store: Store, path: Path, detector: Detector) -> DecisionRow | None:
    """Find the decision by which the workspace's detector in this file has its threshold; None where there is none."""
    row = next((row for row in store.detectors.all() if row.path.resolve() == path.resolve()), None)
    decided = store.detectors.decisions(row.id) if row else ()
    own = (detector.tuning, detector.working_point)
    return next((decision for decision in decided if (decision.tuning, decision.point) == own), None)


def _write(
    store: Store,
    row: DetectorRow,
    detector: Detector,
    tuning: Tuning,
    point: WorkingPoint | None,
    *,
    state: DetectorState,
    auroc: float | None,
) -> None:
    """Write the file with another tuning and threshold; what was computed with the fit counts for it still."""
    if auroc is None and tuning == detector.tuning and row.auroc_state == str(state):
        auroc = row.auroc
    changed = replace(detector, tuning=tuning, working_point=point)
    carry_over(store.explanations, state, store.detectors.rewrite(row, changed.save, state=state, auroc=auroc))
