"""Distances between images in a detector's own measure."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.covariance import LedoitWolf

from gad_core.gaussian.nearest import distances_to_normals
from gad_core.gaussian.reduction import ALL, Reduction
from gad_core.gaussian.tuning import Tuning


def test_at_one_level_it_is_the_mahalanobis_distance_between_two_images(detector, features):
    part = detector.slices[1]
    training = detector.training.features[:, part].astype(np.float64)
    precision = np.linalg.inv(LedoitWolf().fit(training).covariance_)
    expected = cdist(features[60:70, part].astype(np.float64), training, "mahalanobis", VI=precision)
    np.testing.assert_allclose(distances_to_normals(detector, features[60:70], Tuning((2,), ALL)), expected, rtol=1e-6)


@pytest.mark.parametrize("reduction", [ALL, Reduction("npca", 0.5)])
def test_a_normal_image_is_nearest_to_itself(detector, reduction):
    found = distances_to_normals(detector, detector.training.features, Tuning((1, 2), reduction))
    assert (found.argmin(axis=1) == np.arange(detector.n_train)).all()
    assert np.abs(np.diag(found)).max() < 1e-6
