"""Synthetic defects measured on detectors of the workspace, the last study of each on a data set."""

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gad_core.detectability.plan import SensitivitySettings
from gad_core.detectability.results import Sensitivity
from gad_core.detectability.study import measure
from gad_core.features.cache import FeatureCache
from gad_core.features.engines import load_engine
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.detector_file import load_detector
from gad_core.gaussian.tuning import Tuning, WorkingPoint
from gad_core.progress import Progress
from gad_core.workspace.kept_results import find_result, keep_result
from gad_core.workspace.rows import DatasetState
from gad_core.workspace.store import Store


@dataclass(frozen=True)
class Measured:
    """What a study belongs to: a data set as it was and a fit, whatever threshold was adopted for it since."""

    dataset: DatasetState
    detector_id: str
    fitted_to: str  # digest of the digests of its training images

    @classmethod
    def of(cls, dataset: DatasetState, detector_id: str, detector: Detector) -> "Measured":
        """Of a detector as it is fitted."""
        digests = "".join(detector.training.digests)
        return cls(dataset, detector_id, hashlib.sha256(digests.encode()).hexdigest())

    @property
    def id(self) -> str:
        """A name for the study: a later one takes its place."""
        return f"{self.detector_id}-{self.dataset.id}"

    def to_json(self) -> dict[str, Any]:
        """Plain values, as JSON holds them."""
        return asdict(self) | {"dataset": self.dataset.to_json()}


def measure_on_dataset(
    store: Store,
    dataset_id: str,
    detector_id: str,
    settings: SensitivitySettings,
    *,
    tuning: Tuning,
    point: WorkingPoint,
    cache: FeatureCache,
    progress: Progress | None = None,
) -> Measured:
    """Measure what a detector catches at a threshold, and keep it in place of what was measured before.

    Raises as `measure` does, and `GadError` where the workspace cannot be written.
    """
    store.check_open()
    dataset, row = store.datasets.get(dataset_id), store.detectors.get(detector_id)
    detector = load_detector(row.path)
    found = measure(
        detector,
        store.read(dataset),
        load_engine(row.backbone, cache=cache),
        settings,
        tuning=tuning,
        point=point,
        cache=cache,
        progress=progress,
    )
    measured = Measured.of(dataset.state, detector_id, detector)
    keep_result(path_of(store, measured), measured.to_json(), found.to_json())
    return measured


def find_study(store: Store, measured: Measured) -> Sensitivity | None:
    """The study of a fit on a data set as both are now; a file that cannot be read is none."""
    return find_result(path_of(store, measured), measured.to_json(), Sensitivity.from_json)


def path_of(store: Store, measured: Measured) -> Path:
    """Where a study is kept."""
    return store.sensitivity / f"{measured.id}.json"
