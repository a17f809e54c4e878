"""Changed pictures of training images are scored as left-out images are: unchanged ones get the very same score."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.covariance import LedoitWolf

from gad_core.data.augment_settings import Augmentation
from gad_core.detectability.left_out import scores_without_fold
from gad_core.errors import GadError
from gad_core.features.backbones import Backbone
from gad_core.features.regions import Regions
from gad_core.gaussian.by_region import fit_regions
from gad_core.gaussian.detector import Detector, TrainingImages, make_detector
from gad_core.gaussian.levels_fit import fit_levels
from gad_core.gaussian.pooling import Pool
from gad_core.gaussian.reduction import ALL, NPCA_1, NPCA_5, Reduction
from gad_core.gaussian.settings import Augmented, FitSettings
from gad_core.gaussian.tuning import Tuning, tuning_at

BACKBONE = Backbone("small", "small", "other", (3, 8, 70), 32)  # the last level is wider than the images are many
REGIONS = Regions(2, 3, (1, 2))
TUNING = Tuning((1, 2), NPCA_5, pool=Pool("top", 0.4))
N = 48
WHOLE = [
    *(Tuning((1, 2, 3), reduction) for reduction in (ALL, NPCA_1, Reduction("pca", 0.99))),
    *(Tuning((2, 3), reduction, distance) for reduction in (ALL, NPCA_5) for distance in ("sed", "l2")),
]
POOLED = [replace(TUNING, pool=pool) for pool in (Pool("top", 0.4), Pool("power", 8), Pool("max"), Pool("mean"))]


def features(n, seed=0):
    mix = np.random.default_rng(99).normal(size=(147, 147)) * np.logspace(0, -2, 147)
    return (np.random.default_rng(seed).normal(size=(n, 147)) @ mix + 5).astype(np.float32)


@pytest.fixture(scope="module")
def detector() -> Detector:
    training = TrainingImages(features(N), tuple(map(str, range(N)))).as_filed(BACKBONE.n_features)
    folds = np.random.default_rng(1).permutation(N) % 5
    return make_detector(
        fit_levels(training.features, BACKBONE.level_slices, folds),
        BACKBONE,
        FitSettings(backbone="tf_efficientnet_lite0", tuning=TUNING, regions=REGIONS),
        fingerprint="f",
        training=training,
        by_region=fit_regions(training.features, REGIONS, BACKBONE.level_slices, folds, reduction=NPCA_5),
    )


def test_an_unchanged_image_has_its_left_out_score(detector):
    found = scores_without_fold(detector, detector.training.features, np.arange(N), WHOLE + POOLED)
    for place, tuning in enumerate(WHOLE):
        np.testing.assert_allclose(found[:, place], detector.left_out_scores(tuning), rtol=1e-9)
    for place, tuning in enumerate(POOLED, start=len(WHOLE)):  # kept with 11 bits by region
        np.testing.assert_allclose(found[:, place], detector.left_out_scores(tuning), rtol=1e-3, atol=2e-3)


def test_the_full_fit_would_give_other_scores(detector):
    for tuning in (WHOLE[0], TUNING):
        assert (
            np.median(
                np.abs(detector.scores(detector.training.features, tuning) / detector.left_out_scores(tuning) - 1)
            )
            > 0.05
        )


def test_any_images_in_any_order_are_scored(detector):
    rows = np.array([7, 3, 7, 40])
    (found,) = scores_without_fold(detector, detector.training.features[rows], rows, [TUNING]).T
    np.testing.assert_allclose(found, detector.left_out_scores(TUNING)[rows], rtol=1e-3, atol=2e-3)


def test_a_changed_image_has_scikit_learns_distance_from_the_others(detector):
    rows, part = np.array([4, 9, 31]), BACKBONE.level_slices[2]
    changed = features(3, seed=5)
    (found,) = scores_without_fold(detector, changed, rows, [Tuning((3,), ALL)]).T
    for score, row, image in zip(found, rows, changed, strict=True):
        rest = detector.training.features[detector.folds != detector.folds[row]][:, part].astype(float)
        expected = np.sqrt(LedoitWolf().fit(rest).mahalanobis(image[None, part])[0])
        assert score == pytest.approx(expected, rel=1e-6)


def test_a_level_is_read_of_the_whole_image():
    assert tuning_at(TUNING, "sum") == TUNING
    assert tuning_at(TUNING, "3") == Tuning((3,), NPCA_5)


def test_augmented_fits_are_refused(detector):
    settings = replace(detector.settings, augmented=Augmented(Augmentation(), 2))
    with pytest.raises(GadError, match="fit without augmentation"):
        scores_without_fold(replace(detector, settings=settings), features(1), np.zeros(1, int), [TUNING])


def test_progress_counts_folds_and_may_stop_the_work(detector):
    seen = []
    scores_without_fold(detector, features(N), np.arange(N), [WHOLE[0]], progress=lambda *one: seen.append(one))
    assert seen == [(done, 5) for done in range(1, 6)]
