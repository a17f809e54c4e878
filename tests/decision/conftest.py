"""A small fitted detector with labelled test features."""

from dataclasses import replace

import numpy as np
import pytest

from gad_core.data.groups import k_folds
from gad_core.decision.evaluation import Projected
from gad_core.features.registry import get_backbone
from gad_core.gaussian.detector import Detector, TrainingImages
from gad_core.gaussian.reduction import Reduction
from gad_core.gaussian.tuning import Tuning
from tests.fitted import fit_features


@pytest.fixture(scope="session")
def features() -> np.ndarray:
    """Features (160, 40): 60 to fit, 40 to calibrate, 40 normal and 20 shifted ones to test."""
    rng = np.random.default_rng(8)
    mixing = rng.normal(size=(40, 40)) * np.logspace(0, -1, 40)
    normal = rng.normal(size=(160, 40)) @ mixing
    normal[140:] += 0.6 * rng.normal(size=40) * normal.std(0)
    return normal.astype(np.float32)


@pytest.fixture(scope="session")
def anomalous() -> np.ndarray:
    return np.repeat([False, True], [40, 20])


@pytest.fixture(scope="session")
def detector(features) -> Detector:
    """Levels of 8 and 32 features; both are summed after NPCA 50 %."""
    backbone = replace(get_backbone("tf_efficientnet_lite0"), channels=(8, 32))
    return fit_features(
        TrainingImages(features[:60], tuple(map(str, range(60)))),
        backbone,
        fingerprint="f",
        folds=k_folds(60, 6),
        tuning=Tuning((1, 2), Reduction("npca", 0.5)),
        calibration=TrainingImages(features[60:100], tuple(map(str, range(60, 100)))),
    )


@pytest.fixture(scope="session")
def projected(detector, features) -> Projected:
    return Projected.of(detector, features[100:])
