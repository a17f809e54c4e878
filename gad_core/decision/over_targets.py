"""Every method's threshold and its rates over a whole range of targets: what a slider passes while it is dragged."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gad_core.decision.evaluation import LevelScores, PointRates, threshold
from gad_core.decision.ranks import above, left_out_counts
from gad_core.decision.rates import Rate, rates
from gad_core.errors import GadError
from gad_core.gaussian.tuning import WorkingPoint

Array = NDArray[np.float64]


@dataclass(frozen=True)
class OverTargets:
    """One method's thresholds at T targets: rates where it has one, why there is none elsewhere, None if it knows none.

    The same as `working_points` gives for each target; what is counted is counted at all targets at once.
    """

    points: tuple[PointRates | str | None, ...]

    @property
    def left_out(self) -> list[Rate | None]:
        """Rates on left-out images."""
        return [point.left_out if isinstance(point, PointRates) else None for point in self.points]


def over_targets(
    scores: LevelScores, anomalous: NDArray[np.bool_], method: str, targets: Sequence[float]
) -> OverTargets:
    """Thresholds and rates of a method at each of `targets`; `anomalous` (m,) labels the test images."""
    made = [_made(scores, method, target) for target in targets]
    known = [point for point in made if isinstance(point, WorkingPoint)]
    thresholds = np.array([point.threshold for point in known])
    left_out = _left_out(scores, method, known, thresholds)
    normal, defects = (_flagged(scores.test[kind], thresholds) for kind in (~anomalous, anomalous))
    found = iter([PointRates(*values) for values in zip(known, left_out, normal, defects, strict=True)])
    return OverTargets(tuple(next(found) if isinstance(point, WorkingPoint) else point for point in made))


def _made(scores: LevelScores, method: str, target: float) -> WorkingPoint | str | None:
    try:
        return threshold(scores, method, target)
    except GadError as error:
        return str(error)


def _left_out(
    scores: LevelScores, method: str, points: Sequence[WorkingPoint], thresholds: Array
) -> Sequence[Rate | None]:
    """Rates of left-out images, which judge an extrapolated threshold not at all and their own fold by fold."""
    if method == "pareto":
        return [None] * len(points)
    if not method.startswith("cross"):
        return rates(above(np.sort(scores.left_out), thresholds), len(scores.left_out))
    targets = np.array([point.target_fpr for point in points])
    counts = left_out_counts(method, scores.left_out, scores.folds, targets, groups=scores.groups)
    known = iter(rates(counts[counts >= 0], len(scores.left_out)))
    return [next(known) if count >= 0 else None for count in counts]


def _flagged(scores: Array, thresholds: Array) -> Sequence[Rate | None]:
    return rates(above(np.sort(scores), thresholds), len(scores)) if len(scores) else [None] * len(thresholds)
