"""Thresholds that become a detector's own: in its file, on record, and back again."""

import os
from dataclasses import replace
from functools import partial
from pathlib import Path

from gad_core.errors import GadError
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.detector_file import load_detector
from gad_core.gaussian.tuning import Tuning, WorkingPoint
from gad_core.workspace.explanations import carry_over
from gad_core.workspace.presence import new_id
from gad_core.workspace.rows import Circumstances, DecisionRow, DetectorRow, DetectorState, detector_state
from gad_core.workspace.store import Store
from gad_core.workspace.tables import now

_NOBODY = Circumstances()


def adopt(
    store: Store,
    row: DetectorRow,
    detector: Detector,
    tuning: Tuning,
    point: WorkingPoint,
    *,
    state: DetectorState,
    auroc: float | None = None,
    circumstances: Circumstances = _NOBODY,
) -> DecisionRow:
    """Make a threshold and its tuning the detector's own, in its file and on record; earlier ones stay on record.

    `state` is that of the file when `detector` was read, `auroc` (in [0, 1]) that of the tuning. Raises `GadError`
    where the file was written since: the threshold was made for another fit.
    """
    decision = decision_on(row.id, detector, tuning, point, circumstances)
    _write(store, row, detector, tuning, point, decision, state=state, auroc=auroc)
    return decision


def restore(
    store: Store,
    row: DetectorRow,
    tuning: Tuning,
    point: WorkingPoint | None,
    *,
    auroc: float | None = None,
    circumstances: Circumstances = _NOBODY,
) -> DecisionRow:
    """Give a detector an earlier tuning and threshold back, or none; either is put on record again.

    Raises `GadError` where the file holds no adopted threshold any more: it was fitted again, and the earlier threshold
    was made for another fit.
    """
    state, detector = detector_state(row), load_detector(row.path)
    if detector.working_point is None:
        raise GadError(f"{row.name} was fitted again meanwhile; its earlier threshold means nothing to this fit")
    # What is withdrawn is named, under the reading that it had.
    named = (tuning, point) if point else (detector.tuning, detector.working_point)
    decision = decision_on(row.id, detector, *named, circumstances)
    earlier = in_force(store.detectors.decisions(row.id), *named)
    if earlier:  # what was known of it then is known still
        decision = replace(decision, rates=decision.rates or earlier.rates, restores=earlier.id if point else None)
    decision = replace(decision, withdrawn=point is None)
    _write(store, row, detector, tuning, point, decision, state=state, auroc=auroc)
    return decision


def restore_decision(
    store: Store, row: DetectorRow, decision_id: str, *, auroc: float | None = None, who: str = "", note: str = ""
) -> DecisionRow:
    """Adopt an earlier decision's threshold again, as a new entry.

    Raises `GadError` where it was made for another fit of the detector, or where there is none of that id.
    """
    earlier = next((one for one in store.detectors.decisions(row.id) if one.id == decision_id), None)
    if earlier is None:
        raise GadError(f"{row.name} has no decision {decision_id!r} on record; choose one from the list")
    state, detector = detector_state(row), load_detector(row.path)
    same = earlier.version == detector.version if earlier.version else detector.working_point is not None
    if not same:
        raise GadError(
            f"this threshold was made for version {earlier.version or 'unknown'} of {row.name}, which was fitted "
            f"again since (now {detector.version}); make a new one at the same target"
        )
    return adopt(
        store,
        row,
        detector,
        earlier.tuning,
        earlier.point,
        state=state,
        auroc=auroc,
        circumstances=Circumstances(who, note, earlier.rates, restores=earlier.id),
    )


def on_record(store: Store, path: Path, detector: Detector) -> DecisionRow | None:
    """Find the decision by which the workspace's detector in this file has its threshold; None where there is none."""
    row = find_row(store, path)
    return in_force(store.detectors.decisions(row.id), detector.tuning, detector.working_point) if row else None


def find_row(store: Store, path: Path) -> DetectorRow | None:
    """The workspace's detector in this file."""
    real = os.path.realpath(path)
    return next((row for row in store.detectors.all() if os.path.realpath(row.path) == real), None)


def in_force(decisions: tuple[DecisionRow, ...], tuning: Tuning, point: WorkingPoint | None) -> DecisionRow | None:
    """Find the decision, of some by falling age, by which a tuning and a threshold hold now."""
    for decision in decisions:
        if not decision.withdrawn and (decision.tuning, decision.point) == (tuning, point):
            return decision
    return None


def decision_on(
    detector_id: str, detector: Detector, tuning: Tuning, point: WorkingPoint, circumstances: Circumstances
) -> DecisionRow:
    """A decision that is made now."""
    return DecisionRow(
        new_id(),
        detector_id,
        tuning,
        point,
        now(),
        who=circumstances.who,
        note=circumstances.note,
        version=detector.version,
        rates=circumstances.rates,
        restores=circumstances.restores,
    )


def _write(
    store: Store,
    row: DetectorRow,
    detector: Detector,
    tuning: Tuning,
    point: WorkingPoint | None,
    decision: DecisionRow,
    *,
    state: DetectorState,
    auroc: float | None,
) -> None:
    """Write the file with another tuning and threshold; what was computed with the fit counts for it still."""
    if auroc is None and tuning == detector.tuning and row.auroc_state == str(state):
        auroc = row.auroc
    changed = replace(detector, tuning=tuning, working_point=point)
    follow = partial(carry_over, store.explanations)
    store.detectors.rewrite(row, changed.save, decision=decision, state=state, auroc=auroc, follow=follow)
