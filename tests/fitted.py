"""A detector of features alone, for tests that need no images."""

from typing import Any

import numpy as np

from gad_core.features.backbones import Backbone
from gad_core.gaussian.copies import Copies
from gad_core.gaussian.detector import Detector, TrainingImages, make_detector
from gad_core.gaussian.levels_fit import fit_levels
from gad_core.gaussian.settings import FitSettings
from gad_core.progress import Progress


def fit_features(
    training: TrainingImages,
    backbone: Backbone,
    *,
    folds: np.ndarray,
    settings: FitSettings | None = None,
    copies: Copies | None = None,
    progress: Progress | None = None,
    **rest: Any,
) -> Detector:
    """Fit every level of the backbone to the features of the training images."""
    levels = fit_levels(training.features, backbone.level_slices, folds, copies=copies, progress=progress)
    settings = settings or FitSettings(backbone=backbone.name)
    return make_detector(levels, backbone, settings, training=training, **({"fingerprint": "f" * 64} | rest))
