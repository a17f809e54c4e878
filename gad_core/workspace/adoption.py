"""Thresholds that become a detector's own: in its file, on record, and back again."""

from dataclasses import replace

from gad_core.errors import GadError
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.detector_file import load_detector
from gad_core.gaussian.tuning import Tuning, WorkingPoint
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
    if detector_state(row) != state:
        raise GadError(
            f"{row.name} was fitted again or given another threshold meanwhile; see its numbers now, then adopt"
        )
    replace(detector, tuning=tuning, working_point=point).save(row.path)
    store.detectors.note_auroc(row.id, auroc, detector_state(row))
    return store.detectors.adopt(row.id, tuning, point)


def restore(store: Store, row: DetectorRow, tuning: Tuning, point: WorkingPoint | None) -> None:
    """Give a detector an earlier tuning and threshold back, or none; a threshold is put on record again."""
    replace(load_detector(row.path), tuning=tuning, working_point=point).save(row.path)
    if point:
        store.detectors.adopt(row.id, tuning, point)
