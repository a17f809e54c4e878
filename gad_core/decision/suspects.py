"""Training images that the others do not expect: a defect among the good parts would be one of them."""

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from gad_core.gaussian.detector import Detector

#: Robust standard deviations from which an image is proposed.
FAR = 3.0
_QUARTILE = float(stats.norm.ppf(0.75))  # half of a normal distribution lies within so many standard deviations
_LEAST_SPREAD = 1e-6  # of log distances: more than half of the images may be the same


def left_out_scores(detector: Detector) -> NDArray[np.float64]:
    """Score (n,) of every training image by the fit without its fold, at the detector's tuning."""
    return detector.left_out_scores(detector.tuning)


def robust_deviations(scores: NDArray[np.float64], *, pooled: bool = False) -> NDArray[np.float64]:
    """How far each score (n,) lies above their median, in robust standard deviations.

    Of distances the logarithm is taken, and the spread is the median absolute deviation. `pooled` scores of regions may
    be negative and lean to the right: they are taken as they are, with the spread of those above the median alone.
    """
    values = scores if pooled else np.log(np.maximum(scores, np.finfo(float).tiny))
    above = values - np.median(values)
    spread = np.median(above[above > 0]) if pooled and (above > 0).any() else np.median(np.abs(above))
    return np.asarray(above / max(float(spread) / _QUARTILE, _LEAST_SPREAD))
