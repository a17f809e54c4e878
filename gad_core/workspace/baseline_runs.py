"""Baselines run on data sets of the workspace, kept until the images change."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gad_core.baselines.named import BASELINES, Outcome, Work, run_baseline
from gad_core.data.placing import placed
from gad_core.features.cache import FeatureCache
from gad_core.features.engines import load_engine
from gad_core.progress import Progress
from gad_core.workspace.rows import DatasetState
from gad_core.workspace.store import Store


@dataclass(frozen=True)
class BaselineRun:
    """One baseline on a data set as it was, with the network that gave its features."""

    dataset: DatasetState
    name: str
    backbone: str
    outcome: Outcome

    @property
    def id(self) -> str:
        """A name for the run: a later one of the same kind takes its place."""
        return f"{self.dataset.id}-{self.name}-{self.backbone}"

    def to_json(self) -> dict[str, Any]:
        """Plain values, as JSON holds them."""
        return {
            "dataset": self.dataset.to_json(),
            "name": self.name,
            "backbone": self.backbone,
            "outcome": {**vars(self.outcome), "scores": dict(self.outcome.scores)},
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "BaselineRun":
        """Read them back."""
        state = DatasetState.from_json(values["dataset"])
        return cls(state, values["name"], values["backbone"], Outcome(**values["outcome"]))


def run_on_dataset(
    store: Store,
    dataset_id: str,
    name: str,
    *,
    backbone: str,
    cache: FeatureCache,
    progress: Progress | None = None,
) -> BaselineRun:
    """Run a baseline on a data set and keep what it gave; raises `GadError` as `run_baseline` does.

    A training that was cancelled or killed goes on from its last epoch.
    """
    store.check_open()
    row = store.datasets.get(dataset_id)
    kept = store.cache / "training" / f"{row.id}-{int(row.modified.timestamp())}-{name}-{backbone}"
    work = Work(load_engine(backbone, cache=cache), kept, cache, progress)
    run = BaselineRun(row.state, name, backbone, run_baseline(name, replace(store.read(row), name=row.name), work))
    _write(store.comparisons / f"{run.id}.json", run)
    for path in kept.glob("*"):
        path.unlink(missing_ok=True)
    return run


def runs_of(store: Store, dataset: DatasetState) -> tuple[BaselineRun, ...]:
    """The runs on a data set as it is now, in the order of `BASELINES`; a file that cannot be read is none."""
    found = [run for path in store.comparisons.glob(f"{dataset.id}-*.json") if (run := _read(path))]
    order = list(BASELINES)
    current = [run for run in found if run.dataset == dataset and run.name in order]
    return tuple(sorted(current, key=lambda run: (order.index(run.name), run.backbone)))


def _write(path: Path, run: BaselineRun) -> None:
    with placed(path) as partial:
        partial.write_text(json.dumps(run.to_json()), encoding="utf-8")


def _read(path: Path) -> BaselineRun | None:
    try:
        return BaselineRun.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError):
        return None
