"""A small fitted detector on simulated features."""

from dataclasses import replace

import numpy as np
import pytest

from gad_core.data.groups import k_folds
from gad_core.features.backbones import Backbone
from gad_core.features.registry import get_backbone
from gad_core.gaussian.detector import Detector, TrainingImages
from gad_core.gaussian.settings import FitSettings
from gad_core.gaussian.tuning import Tuning
from tests.fitted import fit_features


@pytest.fixture(scope="session")
def small_backbone() -> Backbone:
    """Three levels, one of them wider than the number of images."""
    return replace(get_backbone("tf_efficientnet_lite0"), channels=(6, 12, 90))


@pytest.fixture(scope="session")
def features() -> np.ndarray:
    """Features (70, 108) of 70 images."""
    rng = np.random.default_rng(5)
    mixing = rng.normal(size=(108, 108)) * np.logspace(0, -2, 108)
    return (rng.standard_t(6, (70, 108)) @ mixing + 2).astype(np.float32)


@pytest.fixture(scope="session")
def detector(small_backbone, features) -> Detector:
    """Fitted to the first 50 images, with references, groups and calibration images."""
    rng = np.random.default_rng(6)
    return fit_features(
        TrainingImages(features[:50], tuple(f"{i:064x}" for i in range(50)), tuple("ab"[i % 2] for i in range(50))),
        small_backbone,
        fingerprint="f" * 64,
        folds=k_folds(50, 5, seed=1),
        tuning=Tuning((1, 3)),
        references=rng.integers(0, 255, (4, 8, 8, 3), dtype=np.uint8),
        calibration=TrainingImages(features[60:], tuple(f"{i:064x}" for i in range(60, 70))),
        settings=FitSettings(seed=1),
    )
