"""A detector fitted once more, to its images and to copies of them under shifts."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gad_core.features.registry import get_backbone
from gad_core.gaussian.detector import Detector, TrainingImages, make_detector
from gad_core.gaussian.fit import regions_of
from gad_core.gaussian.levels_fit import fit_levels
from gad_core.progress import Progress, Stages


def merge_copies(
    detector: Detector,
    rows: Sequence[int],
    copies: NDArray[np.float32],
    *,
    progress: Progress | None = None,
) -> Detector:
    """Fit to all training images and to copies (c, m, F) of those in `rows` (m,), each in the fold of its image.

    So all copies of an image are left out with it. The images come first, as they are; the copies follow, all of one
    shift after those of another. Progress counts images. Raises `GadError` where the detector keeps a sample of its
    images.
    """
    detector.check_whole()
    backbone, n = get_backbone(detector.backbone), detector.n_train
    index = np.concatenate([np.arange(n), np.tile(np.asarray(rows, np.intp), len(copies))])
    old = detector.training
    training = TrainingImages(
        np.concatenate([old.features, *copies]),
        tuple(old.digests[row] for row in index),
        tuple(old.groups[row] for row in index) if old.groups else None,
    ).as_filed(backbone.n_features)
    folds = detector.folds[index]
    regions = detector.regions
    stages = Stages(progress, (len(index), len(index) * len(regions.levels) if regions else 0))
    return make_detector(
        fit_levels(training.features, backbone.level_slices, folds, progress=stages(0)),
        backbone,
        detector.settings,
        fingerprint=detector.fingerprint,
        training=training,
        tuning=detector.tuning,
        by_region=regions_of(
            training, backbone, folds, detector.settings, tuning=detector.tuning, copies=None, progress=stages(1)
        ),
    )
