"""What chi-square promises at every level and of the whole score, and what comes of it (eq. 6)."""

from collections.abc import Mapping
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from gad_core.decision.evaluation import LevelScores, PointRates, point_rates, threshold
from gad_core.errors import SampleTooSmall


def chi2_rates(
    by_level: Mapping[str, LevelScores], anomalous: NDArray[np.bool_], target_fpr: float
) -> dict[str, PointRates]:
    """Rates at the chi-square threshold of every level and the sum, by level; `anomalous` (m,) labels the test images.

    Left out is what has none: distances other than Mahalanobis, and a target too rare to be simulated.
    """
    found = dict[str, PointRates]()
    for level, scores in by_level.items():
        with suppress(SampleTooSmall):
            if point := threshold(scores, "chi2", target_fpr):
                found[level] = point_rates(scores, anomalous, point)
    return found


def most_broken(rates: Mapping[str, PointRates]) -> PointRates:
    """The point whose promise is furthest from what left-out images say: of several rates above it the highest."""
    return max(rates.values(), key=_distance_from_promise)


def _distance_from_promise(rates: PointRates) -> float:
    return abs(rates.left_out.value - rates.point.target_fpr) if rates.left_out else 0.0
