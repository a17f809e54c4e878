"""The steps between the shelves: a fit that is registered, a threshold that is adopted."""

import numpy as np
import pytest

from gad_core.decision.evaluation import Projected, level_scores, threshold
from gad_core.errors import Cancelled, GadError
from gad_core.features.cache import FeatureCache
from gad_core.gaussian.detector_file import load_detector
from gad_core.gaussian.reduction import Reduction
from gad_core.gaussian.tuning import Tuning
from gad_core.workspace.imports import add_folder
from gad_core.workspace.steps import adopt, fit_dataset

LITE0 = "tf_efficientnet_lite0"


@pytest.fixture
def fitted(store, stripes):
    row = add_folder(store, stripes)
    return fit_dataset(store, row.id, backbone=LITE0, cache=FeatureCache(store.cache))


def test_a_fit_lies_on_the_shelf_with_the_data_set_it_came_from(store, fitted):
    (row,) = store.detectors.all()
    assert row == fitted
    assert (row.n_train, row.backbone, row.settings["folds"]) == (30, LITE0, 20)
    assert row.dataset_id == store.datasets.all()[0].id
    assert load_detector(row.path).n_train == 30


def test_images_kept_apart_are_not_fitted_and_calibrate(store, stripes):
    row = add_folder(store, stripes)
    fit = fit_dataset(store, row.id, backbone=LITE0, cache=FeatureCache(store.cache), apart=3)
    detector = load_detector(fit.path)
    fitted, held_out = set(detector.training.digests), set(detector.calibration.digests)
    assert (len(fitted), len(held_out), len(fitted | held_out)) == (20, 10, 30)
    scores = level_scores(Projected.of(detector, detector.training.features), detector.tuning)["sum"]
    point = threshold(scores, "split-conformal", 0.2)
    assert point.threshold == np.sort(detector.scores(detector.calibration.features))[8]  # ceil(11 * 0.8) = 9th


def test_progress_counts_training_and_test_images_and_can_cancel(store, stripes):
    row = add_folder(store, stripes)
    seen = []

    def progress(done, total):
        seen.append((done, total))
        if done >= 10:
            raise Cancelled

    with pytest.raises(Cancelled):
        fit_dataset(store, row.id, backbone=LITE0, cache=FeatureCache(store.cache), progress=progress)
    assert seen[-1][1] == 46
    assert store.detectors.all() == ()


def test_a_data_set_that_is_gone_is_an_error_of_the_user(store):
    with pytest.raises(GadError):
        fit_dataset(store, "gone", backbone=LITE0, cache=FeatureCache(store.cache))


def test_an_adopted_threshold_is_on_record_and_in_the_file(store, fitted):
    detector, tuning = load_detector(fitted.path), Tuning((7,), Reduction("npca", 0.2))
    features = detector.training.features
    point = threshold(level_scores(Projected.of(detector, features), tuning)["7"], "cross-conformal", 0.1)
    adopt(store, fitted, detector, tuning, "7", point)
    (decision,) = store.detectors.decisions(fitted.id)
    assert (decision.threshold, decision.level, decision.settings["keep"]) == (point.threshold, "7", "npca:0.2")
    again = load_detector(fitted.path)
    assert (again.adopted.threshold, again.tuning) == (point.threshold, tuning)
    np.testing.assert_array_equal(again.scores(features, tuning), detector.scores(features, tuning))
