"""What the store remembers, one frozen row a thing; a browser tab holds only their ids."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from gad_core.data.datasets import Refusal

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
class DatasetRow:
    """A data set in MVTec layout under `root`, or a plain folder of normal images registered by reference.

    `modified` (UTC) moves whenever its images do: (id, modified) is a cache key for what was read from it.
    """

    id: str
    name: str
    kind: DatasetKind
    root: Path
    counts: Counts
    refused: tuple[Refusal, ...]
    created: datetime
    modified: datetime


@dataclass(frozen=True)
class DetectorRow:
    """A fitted detector in the file `path`; `settings` (levels, keep, score, folds, seed ...) are plain JSON values."""

    id: str
    name: str
    dataset_id: str | None
    path: Path
    backbone: str
    settings: Mapping[str, Any]
    n_train: int
    created: datetime


@dataclass(frozen=True)
class DecisionRow:
    """An adopted threshold (distance) of one detector; `how` is its provenance in one sentence.

    `settings` are those the scores were computed with (levels, keep, score); under others the threshold means nothing.
    """

    id: str
    detector_id: str
    method: str
    level: str
    target_fpr: float
    threshold: float
    how: str
    settings: Mapping[str, Any]
    created: datetime


@dataclass(frozen=True)
class JobRow:
    """A snapshot of a job: `done` of `total` items, `rate` items a second, times in UTC.

    `owner` names the process that runs it, `result_id` what it made, `error` why it failed.
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
