"""What a workspace knows of a detector beyond its file: its name, the decisions on it, the checks that were run."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gad_core import wording
from gad_core.gaussian.detector import Detector
from gad_core.workspace.adoption import in_force
from gad_core.workspace.explanations import Run, runs_on
from gad_core.workspace.rows import DatasetRow, DecisionRow, DetectorRow, detector_state
from gad_core.workspace.sensitivity_runs import Measured, find_study
from gad_core.workspace.store import Store


@dataclass(frozen=True)
class Known:
    """The names of a detector and its data set, decisions by falling age, which of them holds, checks in words."""

    name: str
    dataset: str | None = None  # its name
    decisions: tuple[DecisionRow, ...] = ()
    holds: str | None = None  # id of a decision
    checks: tuple[str, ...] = ()


def what_is_known(store: Store, row: DetectorRow, dataset: DatasetRow | None, detector: Detector) -> Known:
    """Gather it; without a data set no checks are known."""
    decisions = store.detectors.decisions(row.id)
    decided = in_force(decisions, detector.tuning, detector.working_point)
    checks = list(_checks(store, row, dataset, detector)) if dataset else []
    return Known(row.name, dataset.name if dataset else None, decisions, decided.id if decided else None, tuple(checks))


def find_dataset(store: Store, root: Path) -> DatasetRow | None:
    """The workspace's data set in this folder."""
    real = os.path.realpath(root)
    return next((row for row in store.datasets.all() if os.path.realpath(row.root) == real), None)


def _checks(store: Store, row: DetectorRow, dataset: DatasetRow, detector: Detector) -> Sequence[str]:
    state = detector_state(row)
    runs = [
        run
        for run in runs_on(store.explanations, dataset.id)
        if (run.key.detector, run.key.dataset) == (state, dataset.state)
    ]
    found = [_explained(run) for run in runs if run.category.summary]
    if study := find_study(store, Measured.of(dataset.state, row.id, detector)):
        caught = int(study.caught.sum())
        found.append(
            f"Synthetic defects: {caught} of {len(study.draws)} drawn on left-out good parts were flagged at "
            f"{wording.number(study.point.threshold)} ({wording.tuning(study.tuning)}); undamaged parts at "
            f"{wording.rate(study.undamaged)}."
        )
    return found


def _explained(run: Run) -> str:
    summary = run.category.summary
    assert summary is not None  # noqa: S101 - asked before
    area = "" if run.auroc is None else f"; AUROC of the same tuning {100 * run.auroc:.1f} %"
    return (
        f"Explanation score over {summary.n} masked defects ({wording.tuning(run.key.tuning)}): mean "
        f"{summary.mean:.1f}, where uniform maps have {summary.uniform_mean:.1f}{area}."
    )
