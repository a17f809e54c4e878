"""Whether a level's Gaussian has learned a covariance, or only a mean because the images are too few."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gad_core.gaussian.detector import Detector
from gad_core.gaussian.reduction import Reduction

#: Shrinkage from which on less than a twentieth of the covariance is left: distances are as good as Euclidean then.
SPHERE = 0.95


def without_covariance(detector: Detector, reduction: Reduction, levels: Sequence[int]) -> tuple[int, ...]:
    """Levels, of those given, whose Ledoit-Wolf shrinkage at that reduction leaves nothing but a sphere.

    Source: Ledoit & Wolf 2004; the estimate is (1 - shrinkage) S + shrinkage mean(variance) I.
    """
    spectra = ((level, detector.gaussians[level - 1].spectrum) for level in levels)
    return tuple(level for level, spectrum in spectra if spectrum.shrinkage(reduction) >= SPHERE)


def learned(detector: Detector, reductions: Sequence[Reduction]) -> NDArray[np.bool_]:
    """Whether a covariance was learned, by level and reduction (L, len(reductions))."""
    spectra = [gaussian.spectrum for gaussian in detector.gaussians]
    return np.array([[spectrum.shrinkage(one) < SPHERE for one in reductions] for spectrum in spectra])
