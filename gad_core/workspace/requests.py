"""What a job was asked for, as values: the log of jobs keeps them, so that interrupted work can be asked for again.

What does the work is imported when it is done: networks, baselines and the paper's tables take seconds to import, and
every page offers a job or two.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from gad_core.errors import GadError
from gad_core.features.cache import FeatureCache
from gad_core.gaussian.settings import FitSettings
from gad_core.gaussian.tuning import Tuning
from gad_core.progress import Progress
from gad_core.workspace.imports import add_demo, add_folder
from gad_core.workspace.rows import DatasetRow, DetectorRow, JobRow
from gad_core.workspace.steps import find_fit, fit_dataset, try_demo
from gad_core.workspace.store import Store
from gad_core.workspace.threshold_requests import Sensitivity, ShiftRemedies, ShiftStudy

if TYPE_CHECKING:
    from gad_core.workspace.baseline_runs import BaselineRun
    from gad_core.workspace.experiments import Experiment
    from gad_core.workspace.explanations import ExplanationKey
    from gad_core.workspace.sensitivity_runs import Measured
    from gad_core.workspace.shift_runs import ShiftKey


class Request(Protocol):
    """A step that can be asked for with plain values; `kind` is the kind of its job."""

    kind: ClassVar[str]

    def run(
        self, store: Store, *, cache: FeatureCache, progress: Progress
    ) -> "DatasetRow | DetectorRow | ExplanationKey | BaselineRun | Experiment | Measured | ShiftKey":
        """Do it; raises what the step raises."""

    def to_json(self) -> dict[str, Any]:
        """Plain values, as JSON holds them; `read_request` reads them back."""


@dataclass(frozen=True)
class DemoImages:
    """A demo category."""

    category: str
    kind: ClassVar[str] = "data"

    def run(self, store: Store, *, cache: FeatureCache, progress: Progress) -> DatasetRow:  # noqa: ARG002 - the protocol
        """Write it into the workspace."""
        return add_demo(store, self.category, progress=progress)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"step": "demo images", "category": self.category}


@dataclass(frozen=True)
class FolderImages:
    """A folder of this machine."""

    folder: Path
    kind: ClassVar[str] = "data"

    def run(self, store: Store, *, cache: FeatureCache, progress: Progress) -> DatasetRow:  # noqa: ARG002 - the protocol
        """Register it."""
        return add_folder(store, self.folder, progress=progress)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"step": "folder", "folder": str(self.folder)}


@dataclass(frozen=True)
class Fit:
    """A fit to a data set's normal images."""

    dataset_id: str
    settings: FitSettings
    since: datetime | None = None  # asked for again: when it was asked for first
    kind: ClassVar[str] = "fit"

    def run(self, store: Store, *, cache: FeatureCache, progress: Progress) -> DetectorRow:
        """Fit it; a fit that was on the shelf before its process died is not done again."""
        done = find_fit(store, store.datasets.get(self.dataset_id), self.settings) if self.since else None
        if done and self.since and done.created > self.since:
            return done
        return fit_dataset(store, self.dataset_id, self.settings, cache=cache, progress=progress)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        since = {"since": self.since.isoformat()} if self.since else {}
        return {"step": "fit", "dataset": self.dataset_id, "settings": self.settings.to_json(), **since}


@dataclass(frozen=True)
class Demo:
    """A demo category with a detector fitted to it."""

    category: str
    backbone: str
    kind: ClassVar[str] = "fit"

    def run(self, store: Store, *, cache: FeatureCache, progress: Progress) -> DetectorRow:
        """Make both."""
        return try_demo(store, self.category, backbone=self.backbone, cache=cache, progress=progress)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"step": "demo", "category": self.category, "backbone": self.backbone}


@dataclass(frozen=True)
class Explain:
    """All masked defects of a data set explained, or every test image."""

    dataset_id: str
    detector_id: str
    tuning: Tuning
    n_references: int
    every: bool = False
    kind: ClassVar[str] = "explain"

    def run(self, store: Store, *, cache: FeatureCache, progress: Progress) -> "ExplanationKey":
        """Explain them."""
        from gad_core.workspace.explanations import explain_dataset  # noqa: PLC0415

        return explain_dataset(
            store,
            self.dataset_id,
            self.detector_id,
            self.tuning,
            n_references=self.n_references,
            every=self.every,
            cache=cache,
            progress=progress,
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "step": "explain",
            "dataset": self.dataset_id,
            "detector": self.detector_id,
            "tuning": self.tuning.to_json(),
            "n_references": self.n_references,
            "every": self.every,
        }


@dataclass(frozen=True)
class Baseline:
    """A baseline on a data set."""

    dataset_id: str
    name: str
    backbone: str
    kind: ClassVar[str] = "baseline"

    def run(self, store: Store, *, cache: FeatureCache, progress: Progress) -> "BaselineRun":
        """Run it."""
        from gad_core.workspace.baseline_runs import run_on_dataset  # noqa: PLC0415

        return run_on_dataset(store, self.dataset_id, self.name, backbone=self.backbone, cache=cache, progress=progress)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"step": "baseline", "dataset": self.dataset_id, "name": self.name, "backbone": self.backbone}


@dataclass(frozen=True)
class PaperTable:
    """A table of the paper on a data set."""

    dataset_id: str
    table: str
    backbone: str
    kind: ClassVar[str] = "experiment"

    def run(self, store: Store, *, cache: FeatureCache, progress: Progress) -> "Experiment":
        """Make it."""
        from gad_core.workspace.experiments import make_table  # noqa: PLC0415

        return make_table(store, self.dataset_id, self.table, backbone=self.backbone, cache=cache, progress=progress)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"step": "paper table", "dataset": self.dataset_id, "table": self.table, "backbone": self.backbone}


_STEPS: Mapping[str, Callable[[Mapping[str, Any]], Request]] = {
    "demo images": lambda values: DemoImages(values["category"]),
    "folder": lambda values: FolderImages(Path(values["folder"])),
    "fit": lambda values: Fit(
        values["dataset"],
        FitSettings.from_json(values["settings"]),
        datetime.fromisoformat(values["since"]) if "since" in values else None,
    ),
    "demo": lambda values: Demo(values["category"], values["backbone"]),
    "explain": lambda values: Explain(
        values["dataset"],
        values["detector"],
        Tuning.from_json(values["tuning"]),
        int(values["n_references"]),
        bool(values.get("every", False)),
    ),
    "baseline": lambda values: Baseline(values["dataset"], values["name"], values["backbone"]),
    "paper table": lambda values: PaperTable(values["dataset"], values["table"], values["backbone"]),
    "sensitivity": Sensitivity.from_json,
    "shift study": ShiftStudy.from_json,
    "shift remedies": ShiftRemedies.from_json,
}


def read_request(values: Mapping[str, Any]) -> Request:
    """Read a request back from its plain values; raises `GadError` where this version does not know the step."""
    try:
        return _STEPS[values["step"]](values)
    except (KeyError, TypeError, ValueError) as error:
        raise GadError(
            f"this version does not know the step {values.get('step')!r}; start it again from its page"
        ) from error


def ask_again(job: JobRow) -> Request:
    """What an interrupted job was asked for; raises as `read_request` does."""
    request = read_request(job.request or {})
    return replace(request, since=request.since or job.created) if isinstance(request, Fit) else request
