"""Training images that the others do not expect: a defect among the good parts would be one of them."""

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from gad_core.gaussian.detector import Detector

#: Robust standard deviations of log distance from which an image is proposed.
FAR = 3.0
_LEAST_SPREAD = 1e-6  # of log distances: more than half of the images may be the same


def left_out_scores(detector: Detector) -> NDArray[np.float64]:
    """Score (n,) of every training image by the fit without its fold, at the detector's tuning."""
    return detector.left_out_scores(detector.tuning)


def robust_deviations(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far each log distance (n,) lies above their median, in robust standard deviations (from the MAD)."""
    logs = np.log(np.maximum(distances, np.finfo(float).tiny))
    spread = max(float(stats.median_abs_deviation(logs, scale="normal")), _LEAST_SPREAD)
    return np.asarray((logs - np.median(logs)) / spread)
