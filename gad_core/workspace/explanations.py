"""Explanation scores of whole categories, kept so that no run has to be made twice."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gad_core.attribution.category import CategoryExplanation, Explained, explain_category
from gad_core.attribution.explanation import Explanation, Undefined
from gad_core.data.datasets import read_dataset
from gad_core.decision.curves import auroc
from gad_core.errors import GadError
from gad_core.features.cache import FeatureCache
from gad_core.features.engines import load_engine
from gad_core.gaussian.detector_file import load_detector
from gad_core.gaussian.extraction import extract_for
from gad_core.gaussian.tuning import Tuning
from gad_core.progress import Progress
from gad_core.workspace.rows import DatasetState, DetectorState, detector_state
from gad_core.workspace.staging import writing_in
from gad_core.workspace.store import Store


@dataclass(frozen=True)
class ExplanationKey:
    """What a run depends on: the data set and the detector as they were, the tuning, the number of references.

    `fit` is the state of the detector's file; None in a run of an earlier version, which did not keep it.
    """

    dataset_id: str
    modified: str
    detector_id: str
    fit: str | None
    tuning: Tuning
    n_references: int

    @classmethod
    def of(cls, dataset: DatasetState, detector: DetectorState, tuning: Tuning, n_references: int) -> "ExplanationKey":
        """For a tuning of a detector, on a data set."""
        return cls(dataset.id, dataset.modified.isoformat(), detector.id, str(detector), tuning, n_references)

    @property
    def id(self) -> str:
        """A name for the run."""
        return hashlib.sha256(json.dumps(self.to_json()).encode()).hexdigest()[:20]

    def to_json(self) -> dict[str, Any]:
        """Plain values, as JSON holds them."""
        return {**vars(self), "tuning": self.tuning.to_json()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "ExplanationKey":
        """Read them back, also those of an earlier version."""
        tuning = Tuning.from_json(values.get("tuning") or values)
        names = ("dataset_id", "modified", "detector_id", "n_references")
        return cls(**{name: values[name] for name in names}, fit=values.get("fit"), tuning=tuning)


@dataclass(frozen=True)
class Run:
    """A finished run, with the AUROC of the same tuning in [0, 1]."""

    key: ExplanationKey
    auroc: float
    category: CategoryExplanation


def keep_run(folder: Path, run: Run) -> None:
    """Write a run into `folder`; a broken-off write leaves nothing."""
    images = [
        {**vars(image), "explanation": asdict(image.explanation), "defined": isinstance(image.explanation, Explanation)}
        for image in run.category.images
    ]
    partial = folder / f".{run.key.id}"
    partial.write_text(json.dumps({"key": run.key.to_json(), "auroc": run.auroc, "images": images}))
    partial.replace(folder / f"{run.key.id}.json")


def find_run(folder: Path, key: ExplanationKey) -> Run | None:
    """The run for that key, if there is one; a file that cannot be read is none."""
    return _read(folder / f"{key.id}.json")


def runs_on(folder: Path, dataset_id: str) -> tuple[Run, ...]:
    """All runs on a data set, the latest first, whatever has become of their detectors."""
    paths = sorted(folder.glob("*.json"), key=lambda path: -path.stat().st_mtime)
    return tuple(run for run in map(_read, paths) if run and run.key.dataset_id == dataset_id)


def explain_dataset(
    store: Store,
    dataset_id: str,
    detector_id: str,
    tuning: Tuning,
    *,
    n_references: int,
    cache: FeatureCache,
    progress: Progress | None = None,
) -> ExplanationKey:
    """Explain all masked defects of a data set and keep the run; returns its key."""
    dataset, row = store.datasets.get(dataset_id), store.detectors.get(detector_id)
    key = ExplanationKey.of(dataset.state, detector_state(row), tuning, n_references)
    detector, engine = load_detector(row.path), load_engine(row.backbone)
    extraction = extract_for(detector, read_dataset(dataset.root).test, engine, cache=cache)
    category = explain_category(
        detector,
        engine.network,
        extraction.images,
        tuning=tuning,
        n_references=n_references,
        cache=cache,
        progress=progress,
    )
    area = auroc(detector.scores(extraction.features, tuning), extraction.images.labels)
    with writing_in(store.home):
        keep_run(store.explanations, Run(key, area.value, category))
    return key


def _read(path: Path) -> Run | None:
    """A run; None for a file that is not there, half written, or of something else."""
    try:
        content: dict[str, Any] = json.loads(path.read_text())
        images = tuple(map(_image, content["images"]))
        return Run(ExplanationKey.from_json(content["key"]), float(content["auroc"]), CategoryExplanation(images))
    except (OSError, ValueError, TypeError, KeyError, GadError):
        return None


def _image(values: dict[str, Any]) -> Explained:
    kind: type[Explanation | Undefined] = Explanation if values.pop("defined") else Undefined
    explanation = values.pop("explanation", None) or values.pop("found")  # as an earlier version called it
    return Explained(**values, explanation=kind(**explanation))
