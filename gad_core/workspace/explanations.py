"""Explanation scores of whole categories, kept so that no run has to be made twice."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from gad_core.attribution.category import CategoryExplanation, Explained, explain_category, masked_defects
from gad_core.attribution.explanation import Explanation, Undefined
from gad_core.data.placing import placed
from gad_core.decision.curves import auroc
from gad_core.errors import GadError
from gad_core.features.cache import FeatureCache
from gad_core.features.engines import load_engine
from gad_core.gaussian.detector_file import load_detector
from gad_core.gaussian.extraction import extract_for
from gad_core.gaussian.tuning import Tuning
from gad_core.progress import Progress, Stages
from gad_core.workspace.rows import DatasetState, DetectorState, detector_state
from gad_core.workspace.staging import writing_in

if TYPE_CHECKING:  # the store itself carries runs over
    from gad_core.workspace.store import Store

_Part = TypeVar("_Part", Explained, Explanation, Undefined, Explanation | Undefined)
#: What JSON holds for a field of a type; a whole number may stand for a float.
_PLAIN: dict[Any, tuple[type, ...]] = {float: (float, int), str: (str,)}


@dataclass(frozen=True)
class ExplanationKey:
    """What a run depends on: data set and detector as they were, the tuning, the number of references.

    A run of the first version does not say when the detector's file was written: it has zeros there.
    """

    dataset: DatasetState
    detector: DetectorState
    tuning: Tuning
    n_references: int

    @property
    def id(self) -> str:
        """A name for the run."""
        return _name(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """Plain values, as JSON holds them."""
        return {
            "dataset": self.dataset.to_json(),
            "detector": asdict(self.detector),
            "tuning": self.tuning.to_json(),
            "n_references": self.n_references,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "ExplanationKey":
        """Read them back, also those of the first version."""
        n_references = int(values["n_references"])
        if "dataset_id" in values:
            dataset = DatasetState(values["dataset_id"], datetime.fromisoformat(values["modified"]))
            return cls(dataset, DetectorState(values["detector_id"], 0, 0), Tuning.from_json(values), n_references)
        dataset = DatasetState.from_json(values["dataset"])
        return cls(dataset, DetectorState(**values["detector"]), Tuning.from_json(values["tuning"]), n_references)

    @property
    def first_id(self) -> str:
        """The name that the first version gave to such a run."""
        dataset = {"dataset_id": self.dataset.id, "modified": self.dataset.modified.isoformat()}
        return _name(
            {**dataset, "detector_id": self.detector.id, **self.tuning.to_json(), "n_references": self.n_references}
        )


@dataclass(frozen=True)
class Run:
    """A finished run, with the AUROC of the same tuning in [0, 1]."""

    key: ExplanationKey
    auroc: float
    category: CategoryExplanation


def keep_run(folder: Path, run: Run) -> None:
    """Write a run into `folder`; a broken-off write leaves nothing that is read."""
    images = [
        {**vars(image), "explanation": asdict(image.explanation), "defined": isinstance(image.explanation, Explanation)}
        for image in run.category.images
    ]
    content = {"key": run.key.to_json(), "auroc": run.auroc, "images": images}
    with placed(folder / f"{run.key.id}.json") as partial:
        partial.write_text(json.dumps(content), encoding="utf-8")


def find_run(folder: Path, key: ExplanationKey) -> Run | None:
    """The run for that key, if there is one; a file that cannot be read is none.

    A run of the first version counts unless the detector's file was written after it.
    """
    for path in (folder / f"{key.id}.json", folder / f"{key.first_id}.json"):
        run = _read(path)
        if run and _holds(run, path, key.detector):
            return replace(run, key=key)
    return None


def runs_on(folder: Path, dataset_id: str) -> tuple[Run, ...]:
    """All runs on a data set, the latest first, whatever has become of their detectors."""
    paths = sorted(folder.glob("*.json"), key=_written, reverse=True)
    return tuple(run for run in map(_read, paths) if run and run.key.dataset.id == dataset_id)


def carry_over(folder: Path, before: DetectorState, after: DetectorState) -> None:
    """Let the runs of a detector count for its file as it is now: the fit is the same, only its threshold is not."""
    for path in sorted(folder.glob("*.json")):
        run = _read(path)
        if run and _holds(run, path, before):
            keep_run(folder, replace(run, key=replace(run.key, detector=after)))
            path.unlink(missing_ok=True)


def explain_dataset(
    store: "Store",
    dataset_id: str,
    detector_id: str,
    tuning: Tuning,
    *,
    n_references: int,
    cache: FeatureCache,
    progress: Progress | None = None,
) -> ExplanationKey:
    """Explain all masked defects of a data set and keep the run; returns its key.

    Raises `GadError` where there are no masked defects or no good test images, or where the run could not be kept,
    before the long part begins.
    """
    store.check_open()
    dataset, row = store.datasets.get(dataset_id), store.detectors.get(detector_id)
    key = ExplanationKey(dataset.state, detector_state(row), tuning, n_references)
    detector, engine = load_detector(row.path), load_engine(row.backbone)
    target = store.explanations / f"{key.id}.json"
    if target.is_dir():
        raise GadError(f"a folder named {target.name} stands where this run is kept; move it out of {target.parent}")
    test = store.read(dataset).test
    stages = Stages(progress, (0, len(masked_defects(test))))  # features take no time beside explanations
    extraction = extract_for(detector, test, engine, cache=cache, progress=stages(0))
    area = auroc(detector.scores(extraction.features, tuning), extraction.images.labels)
    category = explain_category(
        detector,
        engine.network,
        extraction.images,
        tuning=tuning,
        n_references=n_references,
        cache=cache,
        progress=stages(1),
    )
    with writing_in(store.home):
        keep_run(store.explanations, Run(key, area.value, category))
    return key


def _name(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:20]


def _holds(run: Run, path: Path, state: DetectorState) -> bool:
    """Whether a run is one of the detector's file in that state."""
    first_version = DetectorState(state.id, 0, 0)
    return run.key.detector == state or (run.key.detector == first_version and _written(path) >= state.written)


def _written(path: Path) -> int:
    """When a file was written, in nanoseconds since 1970; 0 where it is gone meanwhile."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _read(path: Path) -> Run | None:
    """A run; None for a file that is not there, half written, or of something else."""
    try:
        content: dict[str, Any] = json.loads(path.read_text())
        images = tuple(map(_image, content["images"]))
        return Run(ExplanationKey.from_json(content["key"]), float(content["auroc"]), CategoryExplanation(images))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, GadError):
        return None


def _image(values: dict[str, Any]) -> Explained:
    kind: type[Explanation | Undefined] = Explanation if values.pop("defined") else Undefined
    explanation = values.pop("explanation", None) or values.pop("found")  # as an earlier version called it
    return _checked(Explained(**values, explanation=_checked(kind(**explanation))))


def _checked(one: _Part) -> _Part:
    """The same, if all that should be a number or a text is one; raises `TypeError` else."""
    for field in fields(one):
        if field.type in _PLAIN and not isinstance(getattr(one, field.name), _PLAIN[field.type]):
            raise TypeError(f"{field.name} is no {field.type}")
    return one
