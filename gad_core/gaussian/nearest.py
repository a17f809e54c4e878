"""Which normal images an image is most like, by the detector's own measure."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from gad_core.gaussian.detector import Detector
from gad_core.gaussian.tuning import Tuning


def distances_to_normals(detector: Detector, features: NDArray[np.float32], tuning: Tuning) -> NDArray[np.float64]:
    """How far images (m, sum of channels) lie from every training image that is kept, as whole images: (m, n).

    The distance of eq. 3, but between two images instead of an image and the mean, of the tuned levels together.
    """
    squared = np.zeros((len(features), detector.n_left_out))
    for level in tuning.levels:
        part = detector.slices[level - 1]
        whiten = detector.gaussians[level - 1].whitening(tuning.reduction, tuning.distance)
        here, normal = (X[:, part].astype(np.float64) @ whiten for X in (features, detector.training.features))
        squared += cdist(here, normal, "sqeuclidean")
    return np.sqrt(squared)
