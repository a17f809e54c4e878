"""What a study of deployment shift found."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from gad_core.data.datasets import Refusal
from gad_core.data.rendering import Kind
from gad_core.decision.curves import Auroc
from gad_core.deployment.culprit import Culprit, find_culprit
from gad_core.deployment.outcomes import Step
from gad_core.deployment.settings import ShiftSettings
from gad_core.deployment.tolerance import Tolerance, tolerance
from gad_core.gaussian.tuning import Tuning, WorkingPoint


@dataclass(frozen=True)
class DeploymentShift:
    """What a detector does to images of another camera, lamp or pipeline.

    Parameters
    ----------
    settings : ShiftSettings
        What was tried.
    tuning : Tuning
        How the detector was read.
    point : WorkingPoint
        The threshold.
    unshifted : Step
        The same images as they are: `whole` has the rates of the threshold, `levels` those of every level alone.
    steps : tuple of Step
        Every step of every kind.
    area : Auroc, optional
        Of the unshifted test images by whole images at the tuned levels, beside which `indifference` stands.
    refused : tuple of Refusal
        Test images that could not be read.

    Examples
    --------
    >>> import gad_core as gad
    >>> detector, data = gad.load_detector("parts.gad"), gad.read_dataset("parts")
    >>> found = gad.deployment_shift(detector, data, gad.ShiftSettings(kinds=("bits",)))
    >>> [one.kind for one in found.tolerances], len(found.steps), found.unshifted.whole.left_out.n
    (['bits'], 5, 30)
    """

    settings: ShiftSettings
    tuning: Tuning
    point: WorkingPoint
    unshifted: Step
    steps: tuple[Step, ...]
    area: Auroc | None = None
    refused: tuple[Refusal, ...] = ()

    @cached_property
    def by_kind(self) -> Mapping[Kind, tuple[Step, ...]]:
        """Steps of every kind, from weak to strong."""
        kinds = dict.fromkeys(step.shift.kind for step in self.steps)
        return {kind: tuple(step for step in self.steps if step.shift.kind == kind) for kind in kinds}

    @cached_property
    def tolerances(self) -> tuple[Tolerance, ...]:
        """What is borne of each kind, the steepest curve of false alarms first."""
        found = [tolerance(self.unshifted, steps, self.point.target_fpr) for steps in self.by_kind.values()]
        return tuple(sorted(found, key=lambda one: -one.steepness))

    @cached_property
    def culprit(self) -> Culprit | None:
        """What the success on the test images rests on; None where it is no shift that was tried."""
        return find_culprit(self.area, self.steps)

    def to_json(self) -> dict[str, Any]:
        """Give plain values, as JSON holds them: what was found, and what was counted at every step."""
        culprit = self.culprit
        return {
            "settings": self.settings.to_json(),
            "tuning": self.tuning.to_json(),
            "point": self.point.to_json(),
            "tolerances": [asdict(one) for one in self.tolerances],
            "culprit": asdict(culprit) if culprit else None,
            "area": vars(self.area) if self.area else None,
            "unshifted": self.unshifted.to_json(),
            "steps": [step.to_json() for step in self.steps],
            "refused": [vars(one) for one in self.refused],
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "DeploymentShift":
        """Read them back."""
        return cls(
            settings=ShiftSettings.from_json(values["settings"]),
            tuning=Tuning.from_json(values["tuning"]),
            point=WorkingPoint.from_json(values["point"]),
            unshifted=Step.from_json(values["unshifted"]),
            steps=tuple(Step.from_json(one) for one in values["steps"]),
            area=Auroc(**values["area"]) if values["area"] else None,
            refused=tuple(Refusal(**one) for one in values["refused"]),
        )
