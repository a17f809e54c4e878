"""Explanation scores of whole categories, kept so that no run has to be made twice."""

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from gad_core.attribution.category import CategoryExplanation, Explained, explain_images, masked_defects
from gad_core.attribution.explanation import Explanation, Undefined
from gad_core.attribution.measures import Measures
from gad_core.attribution.reduced import SIDE
from gad_core.data.datasets import ImageSet
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
_PLAIN: dict[Any, tuple[type, ...]] = {
    float: (float, int),
    str: (str,),
    float | None: (float, int, type(None)),
}


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
    """A finished run, with the AUROC of the same tuning in [0, 1], where there are defects."""

    key: ExplanationKey
    auroc: float | None
    category: CategoryExplanation

    def covers(self, images: ImageSet) -> bool:
        """Whether it has a map of each of the images."""
        return {file.digest for file in images} <= _mapped(self).keys()


def keep_run(folder: Path, run: Run) -> None:
    """Write a run into `folder`; a broken-off write leaves nothing that is read."""
    content = {"key": run.key.to_json(), "auroc": run.auroc, "images": [*map(_plain, run.category.images)]}
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
    every: bool = False,
    cache: FeatureCache,
    progress: Progress | None = None,
) -> ExplanationKey:
    """Explain the masked defects of a data set, or `every` test image, and keep the run; returns its key.

    What an earlier run at the same settings has explained is not explained again. Raises `GadError` where there are no
    masked defects and not every image is asked for, or where the run could not be kept, before the long part begins.
    """
    store.check_open()
    dataset, row = store.datasets.get(dataset_id), store.detectors.get(detector_id)
    key = ExplanationKey(dataset.state, detector_state(row), tuning, n_references)
    detector, engine = load_detector(row.path), load_engine(row.backbone, cache=cache)
    target = store.explanations / f"{key.id}.json"
    if target.is_dir():
        raise GadError(f"a folder named {target.name} stands where this run is kept; move it out of {target.parent}")
    test = store.read(dataset).test
    earlier = find_run(store.explanations, key)
    known = _mapped(earlier) if earlier else {}
    chosen = test if every else masked_defects(test)
    wanted = {file.digest for file in chosen} - known.keys()
    if not wanted:
        return key
    stages = Stages(progress, (0, len(wanted)))  # features take no time beside explanations
    extraction = extract_for(detector, test, engine, cache=cache, progress=stages(0))
    readable, features = extraction.images, extraction.features
    missing = np.array([file.digest in wanted for file in readable], bool)
    explained = explain_images(
        detector,
        engine.network,
        readable.where(missing),
        regions=detector.region_maps(features[missing], tuning) if tuning.pool and missing.any() else None,
        tuning=tuning,
        n_references=n_references,
        cache=cache,
        progress=stages(1),
    )
    known |= {one.digest: one for one in explained}
    area = None
    if readable.labels.any() and not readable.labels.all():
        area = auroc(detector.scores(features, tuning), readable.labels).value
    category = CategoryExplanation(tuple(known[file.digest] for file in readable if file.digest in known))
    with writing_in(store.home):
        keep_run(store.explanations, Run(key, area, category))
    return key


def _mapped(run: Run) -> dict[str, Explained]:
    """The images of a run whose maps it has kept, by digest."""
    return {image.digest: image for image in run.category.images if image.cells is not None}


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
        area = None if content["auroc"] is None else float(content["auroc"])
        return Run(ExplanationKey.from_json(content["key"]), area, CategoryExplanation(images))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, GadError):
        return None


def _plain(image: Explained) -> dict[str, Any]:
    """An image's numbers, as JSON holds them."""
    explanation = image.explanation
    return {
        **vars(image),
        "explanation": None if explanation is None else asdict(explanation),
        "defined": isinstance(explanation, Explanation),
        "measures": image.measures.to_json(),
        "cells": None if image.cells is None else b64encode(image.cells.astype("<f4").tobytes()).decode("ascii"),
    }


def _image(values: dict[str, Any]) -> Explained:
    kind: type[Explanation | Undefined] = Explanation if values.pop("defined") else Undefined
    # As an earlier version called it, to which every image had a mask.
    explanation = values.pop("explanation") if "explanation" in values else values.pop("found")
    measures, cells = Measures.from_json(values.pop("measures", {})), values.pop("cells", None)
    return _checked(
        Explained(
            **values,
            explanation=None if explanation is None else _checked(kind(**explanation)),
            measures=measures,
            cells=None if cells is None else _cells(cells),
        )
    )


def _cells(text: str) -> NDArray[np.float64]:
    """A reduced map; raises `ValueError` for anything else."""
    values = np.frombuffer(b64decode(text, validate=True), "<f4").astype(np.float64)
    if not np.isfinite(values).all():
        raise ValueError("a map of numbers that are not finite")
    return values.reshape(SIDE, SIDE)


def _checked(one: _Part) -> _Part:
    """The same, if all that should be a number or a text is one; raises `TypeError` else."""
    for field in fields(one):
        if field.type in _PLAIN and not isinstance(getattr(one, field.name), _PLAIN[field.type]):
            raise TypeError(f"{field.name} is no {field.type}")
    return one
