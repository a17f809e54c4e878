"""Deployment shift studied on detectors of the workspace: a file for each fit, data set and threshold."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gad_core.data.shifts import Shift
from gad_core.deployment.remedies import Remedies, try_remedies
from gad_core.deployment.results import DeploymentShift
from gad_core.deployment.settings import ShiftSettings
from gad_core.deployment.study import study
from gad_core.features.cache import FeatureCache
from gad_core.features.engines import load_engine
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.detector_file import load_detector
from gad_core.gaussian.tuning import Tuning, WorkingPoint
from gad_core.progress import Progress
from gad_core.workspace.kept_results import find_result, keep_result
from gad_core.workspace.rows import DatasetState
from gad_core.workspace.sensitivity_runs import Measured
from gad_core.workspace.store import Store


@dataclass(frozen=True)
class ShiftKey:
    """What a study belongs to: a data set as it was, a fit, and the threshold that it was held against."""

    measured: Measured
    reading: str  # digest of tuning and threshold

    @classmethod
    def of(
        cls, dataset: DatasetState, detector_id: str, detector: Detector, tuning: Tuning, point: WorkingPoint
    ) -> "ShiftKey":
        """Of a detector as it is fitted and read."""
        words = json.dumps([tuning.to_json(), point.to_json()])
        return cls(Measured.of(dataset, detector_id, detector), hashlib.sha256(words.encode()).hexdigest())

    @property
    def id(self) -> str:
        """A name for the study: a later one takes its place."""
        return f"{self.measured.id}-{self.reading[:12]}"

    def to_json(self) -> dict[str, Any]:
        """Plain values, as JSON holds them."""
        return {"measured": self.measured.to_json(), "reading": self.reading}


def study_on_dataset(
    store: Store,
    dataset_id: str,
    detector_id: str,
    settings: ShiftSettings,
    *,
    tuning: Tuning,
    point: WorkingPoint,
    cache: FeatureCache,
    progress: Progress | None = None,
) -> ShiftKey:
    """Try what a detector bears at a threshold, and keep it in place of an earlier study of the same.

    Raises as `study` does, and `GadError` where the workspace cannot be written.
    """
    store.check_open()
    dataset, row = store.datasets.get(dataset_id), store.detectors.get(detector_id)
    detector, data, engine = load_detector(row.path), store.read(dataset), load_engine(row.backbone, cache=cache)
    found = study(detector, data, engine, settings, tuning=tuning, point=point, cache=cache, progress=progress)
    key = ShiftKey.of(dataset.state, detector_id, detector, tuning, point)
    keep_result(study_path(store, key), key.to_json(), found.to_json())
    return key


def remedies_on_dataset(
    store: Store,
    dataset_id: str,
    detector_id: str,
    shift: Shift,
    *,
    tuning: Tuning,
    point: WorkingPoint,
    cache: FeatureCache,
    progress: Progress | None = None,
) -> ShiftKey:
    """Try what mends a detector under a shift, and keep it; raises as `try_remedies` and `study_on_dataset` do."""
    store.check_open()
    dataset, row = store.datasets.get(dataset_id), store.detectors.get(detector_id)
    detector, data, engine = load_detector(row.path), store.read(dataset), load_engine(row.backbone, cache=cache)
    found = try_remedies(detector, data, engine, shift, tuning=tuning, point=point, cache=cache, progress=progress)
    key = ShiftKey.of(dataset.state, detector_id, detector, tuning, point)
    keep_result(remedies_path(store, key, shift), key.to_json(), found.to_json())
    return key


def find_shift_study(store: Store, key: ShiftKey) -> DeploymentShift | None:
    """The study of a fit on a data set as both are now; a file that cannot be read is none."""
    return find_result(study_path(store, key), key.to_json(), DeploymentShift.from_json)


def find_remedies(store: Store, key: ShiftKey, shift: Shift) -> Remedies | None:
    """What was tried under a shift; None as above."""
    return find_result(remedies_path(store, key, shift), key.to_json(), Remedies.from_json)


def study_path(store: Store, key: ShiftKey) -> Path:
    """Where a study is kept."""
    return store.shifts / f"{key.id}.json"


def remedies_path(store: Store, key: ShiftKey, shift: Shift) -> Path:
    """Where remedies under a shift are kept."""
    return store.shifts / f"{key.id}-{shift.kind.replace(' ', '-')}-{shift.strength:g}.json"
