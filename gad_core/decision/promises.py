"""What chi-square promises at every level, and what comes of it (eq. 6)."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from gad_core.decision.evaluation import LevelScores, PointRates, point_rates, threshold


def chi2_rates(
    by_level: Mapping[str, LevelScores], anomalous: NDArray[np.bool_], target_fpr: float
) -> dict[str, PointRates]:
    """Rates at the chi-square threshold of every level that has one, by level; `anomalous` (m,) labels the test images.

    The sum of levels follows no chi-square law, and only the Mahalanobis distance does.
    """
    points = {level: threshold(scores, "chi2", target_fpr) for level, scores in by_level.items()}
    return {level: point_rates(by_level[level], anomalous, point) for level, point in points.items() if point}


def most_broken(rates: Mapping[str, PointRates]) -> PointRates:
    """The point whose promise is furthest from what left-out images say: of several rates above it the highest."""
    return max(rates.values(), key=_distance_from_promise)


def _distance_from_promise(rates: PointRates) -> float:
    return abs(rates.left_out.value - rates.point.target_fpr) if rates.left_out else 0.0
