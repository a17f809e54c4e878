"""A fitted detector: what a fit gave, what it was asked for, and the threshold that a person adopted."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gad_core.data.datasets import Refusal
from gad_core.errors import GadError
from gad_core.gaussian.levels import LevelsFit
from gad_core.gaussian.settings import FitSettings
from gad_core.gaussian.tuning import Tuning, WorkingPoint

if TYPE_CHECKING:
    from gad_core.features.backbones import Backbone


@dataclass(frozen=True)
class TrainingImages:
    """What is kept of the normal images behind a detector."""

    features: NDArray[np.float32]  # (n, sum of channels), un-augmented
    digests: tuple[str, ...]  # SHA-256 of the files
    groups: tuple[str | None, ...] | None = None  # lot, session or camera

    def __getitem__(self, rows: NDArray[np.bool_]) -> "TrainingImages":
        where = np.flatnonzero(rows)
        groups = self.groups
        return TrainingImages(
            self.features[where],
            tuple(self.digests[i] for i in where),
            tuple(groups[i] for i in where) if groups else None,
        )

    def __add__(self, other: "TrainingImages") -> "TrainingImages":
        groups = None
        if self.groups or other.groups:
            groups = tuple(g for one in (self, other) for g in one.groups or (None,) * len(one.digests))
        return TrainingImages(np.concatenate([self.features, other.features]), self.digests + other.digests, groups)


@dataclass(frozen=True, kw_only=True)
class Detector(LevelsFit):
    """Everything that scoring, tuning and explaining need; saved as one file."""

    settings: FitSettings  # what the fit was asked for
    tuning: Tuning  # how it is read
    fingerprint: str  # of the weights and the preprocessing
    training: TrainingImages
    references: NDArray[np.uint8] | None = None  # (m, S, S, 3) normal images at network size
    calibration: TrainingImages | None = None  # separate normal images for the split-conformal threshold
    working_point: WorkingPoint | None = None  # the threshold that a person adopted
    refused: tuple[Refusal, ...] = ()  # files that could not be read at the fit

    @property
    def backbone(self) -> str:
        """Name of the network."""
        return self.settings.backbone

    def check_weights(self, fingerprint: str) -> None:
        """Refuse a network whose weights are not those of the fit: its distances would mean nothing."""
        if fingerprint != self.fingerprint:
            raise GadError(
                f"the weights of {self.backbone} here ({fingerprint[:8]}) are not those that this detector was fitted "
                f"with ({self.fingerprint[:8]}); provide the same weights, or fit again"
            )

    def scores(self, features: NDArray[np.float32], tuning: Tuning | None = None) -> NDArray[np.float64]:
        """Anomaly score (n,): the sum over the tuned levels (eq. 4)."""
        return self.scores_at(features, tuning or self.tuning)

    def save(self, path: str | Path) -> None:
        """Write one file; a reader never meets half of it. Raises `GadError` where the folder cannot be written."""
        # The file knows the detector; the other way round it is only asked for here.
        from gad_core.gaussian.detector_file import save_detector  # noqa: PLC0415

        save_detector(self, Path(path))


def make_detector(
    levels: LevelsFit,
    backbone: "Backbone",
    settings: FitSettings,
    *,
    fingerprint: str,
    training: TrainingImages,
    tuning: Tuning | None = None,
    references: NDArray[np.uint8] | None = None,
    calibration: TrainingImages | None = None,
    refused: tuple[Refusal, ...] = (),
) -> Detector:
    """Put a detector together: the one place where what was fitted meets what was asked for."""
    return Detector(
        **{one.name: getattr(levels, one.name) for one in fields(LevelsFit)},
        settings=settings,
        tuning=tuning or settings.tuning_on(backbone),
        fingerprint=fingerprint,
        training=training,
        references=references,
        calibration=calibration,
        refused=refused,
    )
