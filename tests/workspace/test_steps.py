"""The steps between the shelves: a fit that is registered, a threshold that is adopted."""

import numpy as np
import pytest

from gad_core.data.augment_settings import FIG_5
from gad_core.decision.evaluation import Projected, level_scores, threshold
from gad_core.errors import Cancelled, GadError
from gad_core.features.regions import Regions
from gad_core.gaussian.detector_file import load_detector
from gad_core.gaussian.reduction import Reduction
from gad_core.gaussian.settings import Augmented, FitSettings
from gad_core.gaussian.tuning import Tuning
from gad_core.workspace.adoption import adopt, restore
from gad_core.workspace.imports import add_folder
from gad_core.workspace.rows import detector_state
from gad_core.workspace.steps import augmented_twin, find_fit, fit_dataset, settings_without

LITE0 = "tf_efficientnet_lite0"


@pytest.fixture
def fitted(store, stripes):
    row = add_folder(store, stripes)
    return fit_dataset(store, row.id, FitSettings(), cache=store.feature_cache())


def test_a_fit_lies_on_the_shelf_with_the_data_set_it_came_from(store, fitted):
    (row,) = store.detectors.all()
    assert row == fitted
    settled = FitSettings(regions=Regions(7, 7, (6, 7)))
    assert (row.n_train, row.backbone, row.settings) == (30, LITE0, settled)
    assert row.dataset_id == store.datasets.all()[0].id
    assert load_detector(row.path).n_train == 30


def test_images_kept_apart_are_not_fitted_and_calibrate(store, stripes):
    row = add_folder(store, stripes)
    fit = fit_dataset(store, row.id, FitSettings(calibration_share=1 / 3), cache=store.feature_cache())
    detector = load_detector(fit.path)
    fitted, held_out = set(detector.training.digests), set(detector.calibration.digests)
    assert (len(fitted), len(held_out), len(fitted | held_out)) == (20, 10, 30)
    scores = level_scores(Projected.of(detector, detector.training.features), detector.tuning)["sum"]
    point = threshold(scores, "split-conformal", 0.2)
    assert point.threshold == np.sort(detector.scores(detector.calibration.features))[8]  # ceil(11 * 0.8) = 9th


def test_progress_counts_training_and_test_images_and_can_cancel(store, stripes):
    row = add_folder(store, stripes)
    reports = []

    def progress(done, total):
        reports.append((done, total))
        if done >= 10:
            raise Cancelled

    with pytest.raises(Cancelled):
        fit_dataset(store, row.id, FitSettings(), cache=store.feature_cache(), progress=progress)
    assert reports[-1][1] == 46
    assert store.detectors.all() == ()


def test_a_data_set_that_is_gone_is_an_error_of_the_user(store):
    with pytest.raises(GadError):
        fit_dataset(store, "gone", FitSettings(), cache=store.feature_cache())


def test_an_adopted_threshold_is_on_record_and_in_the_file(store, fitted):
    detector, tuning = load_detector(fitted.path), Tuning((7,), Reduction("npca", 0.2))
    features = detector.training.features
    point = threshold(level_scores(Projected.of(detector, features), tuning)["7"], "cross-conformal", 0.1)
    adopt(store, fitted, detector, tuning, point, state=detector_state(fitted))
    (decision,) = store.detectors.decisions(fitted.id)
    assert (decision.point, decision.tuning) == (point, tuning)
    assert (point.n, point.level) == (30, "7")
    again = load_detector(fitted.path)
    assert (again.working_point, again.tuning) == (point, tuning)
    np.testing.assert_array_equal(again.scores(features, tuning), detector.scores(features, tuning))


def test_an_adoption_does_not_meet_another_fit_of_the_same_file(store, fitted):
    detector, before = load_detector(fitted.path), detector_state(fitted)
    point = threshold(
        level_scores(Projected.of(detector, detector.training.features), detector.tuning)["sum"], "cross-conformal", 0.1
    )
    detector.save(fitted.path)  # as an update from outside does
    with pytest.raises(GadError, match="meanwhile"):
        adopt(store, fitted, detector, detector.tuning, point, state=before)
    assert load_detector(fitted.path).working_point is None
    assert store.detectors.decisions(fitted.id) == ()


def test_an_earlier_threshold_or_none_comes_back(store, fitted):
    detector, tuning = load_detector(fitted.path), Tuning((7,), Reduction("npca", 0.2))
    point = threshold(level_scores(Projected.of(detector, detector.training.features), tuning)["7"], "chi2", 0.1)
    adopt(store, fitted, detector, tuning, point, state=detector_state(fitted))
    restore(store, fitted, detector.tuning, None)
    again = load_detector(fitted.path)
    assert (again.tuning, again.working_point) == (detector.tuning, None)


def test_a_refit_without_images_is_found_again_and_keeps_the_rest(store, stripes):
    dataset = add_folder(store, stripes)
    row = fit_dataset(store, dataset.id, FitSettings(n_folds=5), cache=store.feature_cache())
    digests = load_detector(row.path).training.digests[:2]
    settings = settings_without(row, digests)
    assert (settings.n_folds, set(settings.without)) == (5, set(digests))
    assert find_fit(store, dataset, settings) is None
    refit = fit_dataset(store, dataset.id, settings, cache=store.feature_cache())
    assert refit.n_train == 28
    assert find_fit(store, dataset, settings) == refit
    assert settings_without(refit, ()) == row.settings


def test_a_twin_differs_in_having_copies(store, stripes):
    dataset, cache = add_folder(store, stripes), store.feature_cache()
    plain = fit_dataset(store, dataset.id, FitSettings(n_folds=3), cache=cache)
    assert augmented_twin(store, plain) is None
    copies = fit_dataset(store, dataset.id, FitSettings(n_folds=3, augmented=Augmented(FIG_5, 1)), cache=cache)
    assert augmented_twin(store, plain) == copies
    assert augmented_twin(store, copies) == plain


def test_what_detectors_are_made_of_leaves_the_cache_last(store, stripes):
    dataset, cache = add_folder(store, stripes), store.feature_cache()
    row = fit_dataset(store, dataset.id, FitSettings(n_folds=3, augmented=Augmented(FIG_5, 1)), cache=cache)
    features = [path for path in (store.cache / "features").rglob("*") if path.is_file()]
    cache.limit = sum(path.stat().st_size for path in features if path.name in store.in_use())
    cache.prune()
    left = {path.name for path in store.cache.rglob("*") if path.is_file()}
    assert set(load_detector(row.path).training.digests) <= left
    assert len(left) == 60  # each training image and its copy; no test image, no pixels
