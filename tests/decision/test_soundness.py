"""Whether a covariance was learned, told by the shrinkage that scikit-learn finds too."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.covariance import LedoitWolf

from gad_core.data.groups import k_folds
from gad_core.decision.soundness import SPHERE, without_covariance
from gad_core.features.registry import get_backbone
from gad_core.gaussian.detector import TrainingImages
from gad_core.gaussian.reduction import ALL
from tests.fitted import fit_features


@pytest.mark.parametrize(("n", "poor"), [(60, (1,)), (400, ())])
def test_few_images_of_white_features_leave_a_sphere_and_strong_components_do_not(n, poor):
    rng = np.random.default_rng(0)
    features = rng.normal(size=(n, 80)).astype(np.float32)
    features[:, 40:] *= np.logspace(1, -1, 40)  # level 2 has a covariance to learn, level 1 only with many images
    features[:, :4] *= 1 if poor else 8
    backbone = replace(get_backbone("tf_efficientnet_lite0"), channels=(40, 40))
    images = TrainingImages(features, tuple(map(str, range(n))))
    detector = fit_features(images, backbone, folds=k_folds(n, 4))
    theirs = [LedoitWolf().fit(features[:, part].astype(np.float64)).shrinkage_ for part in (slice(40), slice(40, 80))]
    assert tuple(level for level, shrinkage in enumerate(theirs, start=1) if shrinkage >= SPHERE) == poor
    assert without_covariance(detector, ALL, (1, 2)) == poor
