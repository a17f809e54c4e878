"""What a job about a detector at a threshold was asked for, as values: synthetic defects, and deployment shift.

What does the work is imported when it is done, as in `requests`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from gad_core.data.shifts import Shift
from gad_core.deployment.settings import ShiftSettings
from gad_core.detectability.plan import SensitivitySettings
from gad_core.features.cache import FeatureCache
from gad_core.gaussian.tuning import Tuning, WorkingPoint
from gad_core.progress import Progress
from gad_core.workspace.store import Store

if TYPE_CHECKING:
    from gad_core.workspace.sensitivity_runs import Measured
    from gad_core.workspace.shift_runs import ShiftKey

Made = TypeVar("Made")


@dataclass(frozen=True)
class _AtAThreshold:
    """A detector of a data set, and how it is read."""

    dataset_id: str
    detector_id: str
    tuning: Tuning
    point: WorkingPoint

    def _do(
        self, work: Callable[..., Made], store: Store, what: object, *, cache: FeatureCache, progress: Progress
    ) -> Made:
        """Hand `work` the detector, what it is to do, and how the detector is read."""
        at = {"tuning": self.tuning, "point": self.point}
        return work(store, self.dataset_id, self.detector_id, what, **at, cache=cache, progress=progress)

    def _values(self) -> dict[str, Any]:
        return {
            "dataset": self.dataset_id,
            "detector": self.detector_id,
            "tuning": self.tuning.to_json(),
            "point": self.point.to_json(),
        }


def _read(values: Mapping[str, Any]) -> tuple[str, str, Tuning, WorkingPoint]:
    tuning, point = Tuning.from_json(values["tuning"]), WorkingPoint.from_json(values["point"])
    return values["dataset"], values["detector"], tuning, point


@dataclass(frozen=True)
class Sensitivity(_AtAThreshold):
    """Synthetic defects on a detector's images, at a threshold."""

    settings: SensitivitySettings
    kind: ClassVar[str] = "sensitivity"

    def run(self, store: Store, *, cache: FeatureCache, progress: Progress) -> "Measured":
        """Draw and measure them."""
        from gad_core.workspace.sensitivity_runs import measure_on_dataset  # noqa: PLC0415

        return self._do(measure_on_dataset, store, self.settings, cache=cache, progress=progress)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"step": "sensitivity", **self._values(), "settings": self.settings.to_json()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Sensitivity":
        """Read them back."""
        return cls(*_read(values), SensitivitySettings.from_json(values["settings"]))


@dataclass(frozen=True)
class ShiftStudy(_AtAThreshold):
    """Other cameras and pipelines tried on a detector."""

    settings: ShiftSettings
    kind: ClassVar[str] = "shift"

    def run(self, store: Store, *, cache: FeatureCache, progress: Progress) -> "ShiftKey":
        """Try them."""
        from gad_core.workspace.shift_runs import study_on_dataset  # noqa: PLC0415

        return self._do(study_on_dataset, store, self.settings, cache=cache, progress=progress)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"step": "shift study", **self._values(), "settings": self.settings.to_json()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "ShiftStudy":
        """Read them back."""
        return cls(*_read(values), ShiftSettings.from_json(values["settings"]))


@dataclass(frozen=True)
class ShiftRemedies(_AtAThreshold):
    """What mends a detector under a shift."""

    shift: Shift
    kind: ClassVar[str] = "shift"

    def run(self, store: Store, *, cache: FeatureCache, progress: Progress) -> "ShiftKey":
        """Try it."""
        from gad_core.workspace.shift_runs import remedies_on_dataset  # noqa: PLC0415

        return self._do(remedies_on_dataset, store, self.shift, cache=cache, progress=progress)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"step": "shift remedies", **self._values(), "shift": self.shift.to_json()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "ShiftRemedies":
        """Read them back."""
        return cls(*_read(values), Shift.from_json(values["shift"]))
