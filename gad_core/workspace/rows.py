"""What the store remembers, one frozen row a thing; a browser tab holds only their ids."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from gad_core.data.datasets import Refusal
from gad_core.decision.verdict import Outcome, outcome
from gad_core.gaussian.settings import FitSettings
from gad_core.gaussian.tuning import Tuning, WorkingPoint

DatasetKind = Literal["demo", "folder", "upload"]
JobState = Literal["queued", "running", "done", "failed", "cancelled", "interrupted"]

#: States of a job that may still change.
ACTIVE: tuple[JobState, ...] = ("queued", "running")


@dataclass(frozen=True)
class Counts:
    """Usable images of a data set."""

    train: int = 0
    test_normal: int = 0
    test_defective: int = 0

    @property
    def total(self) -> int:
        """All usable images."""
        return self.train + self.test_normal + self.test_defective


@dataclass(frozen=True)
class DatasetState:
    """A data set as it is until its images change: the key of all that was read from it."""

    id: str
    modified: datetime

    def to_json(self) -> dict[str, str]:
        """Plain values, as JSON holds them."""
        return {"id": self.id, "modified": self.modified.isoformat()}

    @classmethod
    def from_json(cls, values: Mapping[str, str]) -> "DatasetState":
        """Read them back; raises `KeyError`, `TypeError` or `ValueError` for others."""
        return cls(values["id"], datetime.fromisoformat(values["modified"]))


@dataclass(frozen=True)
class DetectorState:
    """A detector's file as it is until it is written again: the key of all that was computed with it.

    The inode tells two writes apart that fall within one tick of the file system's clock.
    """

    id: str
    written: int  # nanoseconds since 1970
    inode: int

    def __str__(self) -> str:
        return f"{self.id}-{self.written}-{self.inode}"


@dataclass(frozen=True)
class DatasetRow:
    """A data set in MVTec layout under `root`, or a plain folder of normal images registered by reference.

    `modified` (UTC) moves whenever its images do.
    """

    id: str
    name: str
    kind: DatasetKind
    root: Path
    counts: Counts
    refused: tuple[Refusal, ...]
    created: datetime
    modified: datetime
    description: str = ""
    used: datetime | None = None
    archived: datetime | None = None
    deleted: datetime | None = None

    @property
    def state(self) -> DatasetState:
        """What results are cached under."""
        return DatasetState(self.id, self.modified)


@dataclass(frozen=True)
class DetectorRow:
    """A fitted detector in the file `path`, and what its fit was asked for.

    `auroc` (in [0, 1]) is that of the tuning in the file whose state is `auroc_state`; of another file it says nothing.
    `follows` is the id of the detector of which this is a newer version.
    """

    id: str
    name: str
    dataset_id: str | None
    path: Path
    backbone: str
    settings: FitSettings
    n_train: int
    created: datetime
    auroc: float | None = None
    auroc_state: str | None = None
    follows: str | None = None
    description: str = ""
    used: datetime | None = None
    archived: datetime | None = None
    deleted: datetime | None = None

    @property
    def current_auroc(self) -> float | None:
        """The AUROC, unless the file was written since it was computed."""
        return self.auroc if self.auroc_state == str(detector_state(self)) else None


def detector_state(row: DetectorRow) -> DetectorState:
    """The state of a detector's file now; zeros where it is gone, which loading it says in words."""
    return state_of(row.id, row.path)


def state_of(detector_id: str, path: Path) -> DetectorState:
    """The same of any file that is, or will be, a detector's."""
    try:
        status = path.stat()
    except OSError:
        return DetectorState(detector_id, 0, 0)
    return DetectorState(detector_id, status.st_mtime_ns, status.st_ino)


@dataclass(frozen=True)
class DecisionRow:
    """An adopted threshold of one detector, with the tuning under which alone it means something.

    `version` is the detector's then, `rates` what was known of the threshold then, named as `evaluate --json` names
    them, `restores` the id of the earlier decision that came back by this one. With `withdrawn` the threshold was taken
    back, and none took its place.
    """

    id: str
    detector_id: str
    tuning: Tuning
    point: WorkingPoint
    created: datetime
    who: str = ""
    note: str = ""
    version: str = ""
    rates: Mapping[str, Any] | None = None
    restores: str | None = None
    withdrawn: bool = False


@dataclass(frozen=True)
class Circumstances:
    """Who decides, and why; `rates` is what is known of the threshold then, `restores` as in the row."""

    who: str = ""
    note: str = ""
    rates: Mapping[str, Any] | None = None
    restores: str | None = None


@dataclass(frozen=True)
class WatchRow:
    """A folder whose new images a detector scores; results also go to the `sink`, up to the inspection `sent`."""

    id: str
    detector_id: str
    folder: str
    sink: str | None
    sent: int
    active: bool
    owner: str | None = field(repr=False)
    created: datetime


@dataclass(frozen=True)
class InspectionRow:
    """A new image as a detector judged it when it came, and what a person said of it last.

    `source` is the watch that found it, or the detector itself for what was brought by hand; `id` rises as they come.
    `defective` is the person's verdict, None without one; `judged` when it was given.
    """

    id: int
    detector_id: str
    source: str
    name: str
    path: Path
    digest: str
    lot: str | None
    score: float
    p_value: float
    threshold: float
    reject_above: float | None
    version: str
    decision_id: str | None
    created: datetime
    defective: bool | None = None
    judged: datetime | None = None

    @property
    def flagged(self) -> bool:
        """Whether the score lies above the threshold."""
        return self.score > self.threshold

    @property
    def outcome(self) -> Outcome:
        """What the detector said."""
        return outcome(self.score, self.threshold, self.reject_above)


@dataclass(frozen=True)
class JobRow:
    """A snapshot of a job: `done` of `total` items, `rate` items a second, times in UTC.

    `owner` names the process that runs it, `result_id` what it made, `error` why it failed, `request` what was
    asked for where that can be asked for again.
    """

    id: str
    kind: str
    title: str
    owner: str = field(repr=False)
    created: datetime
    state: JobState = "queued"
    done: int = 0
    total: int = 0
    rate: float | None = None
    started: datetime | None = None
    finished: datetime | None = None
    error: str | None = None
    result_id: str | None = None
    request: Mapping[str, Any] | None = None

    @property
    def active(self) -> bool:
        """Whether the job waits or runs."""
        return self.state in ACTIVE

    @property
    def remaining(self) -> float | None:
        """Seconds to go at the present rate; None while nothing is known."""
        if self.state != "running" or not self.rate:
            return None
        return max(self.total - self.done, 0) / self.rate
