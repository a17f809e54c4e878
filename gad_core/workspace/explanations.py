"""Explanation scores of whole categories, kept so that no run has to be made twice."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gad_core.attribution.category import CategoryExplanation, Explained
from gad_core.attribution.explanation import Explanation, Undefined
from gad_core.gaussian.tuning import Tuning


@dataclass(frozen=True)
class ExplanationKey:
    """What a run depends on."""

    dataset_id: str
    modified: str
    detector_id: str
    levels: tuple[int, ...]
    keep: str
    score: str
    n_references: int

    @classmethod
    def of(
        cls, dataset_id: str, modified: str, detector_id: str, tuning: Tuning, n_references: int
    ) -> "ExplanationKey":
        """For a tuning."""
        return cls(
            dataset_id, modified, detector_id, tuning.levels, str(tuning.reduction), tuning.distance, n_references
        )

    @property
    def id(self) -> str:
        """A name for the run."""
        return hashlib.sha256(json.dumps(asdict(self)).encode()).hexdigest()[:20]


@dataclass(frozen=True)
class Run:
    """A finished run, with the AUROC of the same tuning in [0, 1]."""

    key: ExplanationKey
    auroc: float
    category: CategoryExplanation


def keep_run(folder: Path, run: Run) -> None:
    """Write a run under `folder`; a broken-off write leaves nothing."""
    place = folder / "explanations"
    place.mkdir(parents=True, exist_ok=True)
    images = [{**asdict(image), "defined": isinstance(image.explanation, Explanation)} for image in run.category.images]
    partial = place / f".{run.key.id}"
    partial.write_text(json.dumps({"key": asdict(run.key), "auroc": run.auroc, "images": images}))
    partial.replace(place / f"{run.key.id}.json")


def find_run(folder: Path, key: ExplanationKey) -> Run | None:
    """The run for that key, if there is one."""
    path = folder / "explanations" / f"{key.id}.json"
    return _read(path) if path.exists() else None


def runs_on(folder: Path, dataset_id: str) -> tuple[Run, ...]:
    """All runs on a data set, the latest first."""
    paths = sorted((folder / "explanations").glob("*.json"), key=lambda path: -path.stat().st_mtime)
    return tuple(run for run in map(_read, paths) if run.key.dataset_id == dataset_id)


def _read(path: Path) -> Run:
    content: dict[str, Any] = json.loads(path.read_text())
    images = []
    for image in content["images"]:
        kind: type[Explanation | Undefined] = Explanation if image.pop("defined") else Undefined
        fields = image.pop("found", None) or image.pop("explanation")  # "found" in the files of earlier versions
        images.append(Explained(**image, explanation=kind(**fields)))
    key = ExplanationKey(**{**content["key"], "levels": tuple(content["key"]["levels"])})
    return Run(key, content["auroc"], CategoryExplanation(tuple(images)))
