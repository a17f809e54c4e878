"""What a threshold does to images under one shift: rates with their intervals, and the area under the ROC."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from gad_core.data.shifts import Shift
from gad_core.decision.curves import Auroc, auroc
from gad_core.decision.rates import Rate, exceedance
from gad_core.deployment.indifference import Indifference

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Outcome:
    """One score at one threshold; None where there are no such images."""

    left_out: Rate  # false alarms among the detector's own normal images, each by the fit without its fold
    test: Rate | None  # false alarms among normal test images
    caught: Rate | None  # of the defective test images
    area: Auroc | None  # of the test images, all of them shifted

    @classmethod
    def of(cls, left_out: Array, test: Array, anomalous: Flags, threshold: float) -> "Outcome":
        """Count among left-out scores (n,) and test scores (m,) of images labelled `anomalous`."""
        normal, defects = test[~anomalous], test[anomalous]
        return cls(
            exceedance(left_out, threshold),
            exceedance(normal, threshold) if len(normal) else None,
            exceedance(defects, threshold) if len(defects) else None,
            auroc(test, anomalous) if len(normal) and len(defects) else None,
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values, as JSON holds them."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Outcome":
        """Read them back."""
        test, caught, area = values["test"], values["caught"], values["area"]
        return cls(
            Rate(**values["left_out"]),
            Rate(**test) if test else None,
            Rate(**caught) if caught else None,
            Auroc(**area) if area else None,
        )


@dataclass(frozen=True)
class Step:
    """One shift of all images."""

    shift: Shift
    change: float  # grey levels by which a pixel of the network's input changes, on average
    whole: Outcome  # of the score that the threshold belongs to
    levels: tuple[Outcome, ...]  # of every level alone at its own threshold; empty where that has no threshold
    energies: tuple[tuple[float, ...], ...]  # [level][band] of left-out images, in those of the same images unshifted
    lost_p_value: float | None = None  # one-sided, of no fewer defects caught than without the shift (McNemar, exact)
    indifference: Indifference | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain values, as JSON holds them."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Step":
        """Read them back."""
        known = values["indifference"]
        return cls(
            Shift.from_json(values["shift"]),
            values["change"],
            Outcome.from_json(values["whole"]),
            tuple(Outcome.from_json(one) for one in values["levels"]),
            tuple(tuple(row) for row in values["energies"]),
            values["lost_p_value"],
            Indifference(Auroc(**known["area"]), known["p_value"], known["likeness"]) if known else None,
        )


def lost_p_value(before: Flags, after: Flags) -> float | None:
    """How surely fewer of the same defects (m,) are caught after than before: the exact one-sided McNemar test."""
    if not len(before):
        return None
    lost, won = int((before & ~after).sum()), int((after & ~before).sum())
    return float(stats.binomtest(lost, lost + won, alternative="greater").pvalue) if lost + won else 1.0
