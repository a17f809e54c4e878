"""Remedies: copies merged into the fit are left out with their image, and a cheat by the lens ends with them."""

import json

import numpy as np
import pytest
from sklearn.covariance import LedoitWolf

from gad_core.data.shifts import Shift
from gad_core.decision.rates import exceedance
from gad_core.deployment.merged import merge_copies
from gad_core.deployment.photos import shifted_photos
from gad_core.deployment.remedies import Remedies, copied_under, other_tunings, try_remedies
from gad_core.detectability.study import training_files
from gad_core.errors import GadError
from gad_core.gaussian.reduction import ALL
from gad_core.gaussian.tuning import Tuning

ROWS = [3, 4, 11, 20]


@pytest.fixture(scope="module")
def copies(detector):
    noise = np.random.default_rng(0).normal(0, 0.05, (2, len(ROWS), detector.training.features.shape[1]))
    return (detector.training.features[ROWS] + noise).astype(np.float32)


def test_merged_copies_are_scikit_learns_fit_to_all_samples(detector, copies):
    merged = merge_copies(detector, ROWS, copies)
    part = detector.slices[6]
    samples = np.concatenate([detector.training.features, *copies])[:, part].astype(np.float64)
    model = LedoitWolf().fit(samples)
    images = detector.training.features[:5, part]
    found = merged.distances(merged.coordinates(detector.training.features[:5]), ALL)[:, 6]
    np.testing.assert_allclose(found, np.sqrt(model.mahalanobis(images)), rtol=1e-6)


def test_all_copies_of_an_image_are_left_out_with_it(detector, copies):
    merged = merge_copies(detector, ROWS, copies)
    n = detector.n_train
    assert np.array_equal(merged.folds, np.concatenate([detector.folds, *[detector.folds[ROWS]] * 2]))
    fold, part = detector.folds[11], detector.slices[6]
    samples = np.concatenate([detector.training.features, *copies])[:, part].astype(np.float64)
    model = LedoitWolf().fit(samples[merged.folds != fold])
    expected = np.sqrt(model.mahalanobis(samples[[11, n + 2, n + 6]]))
    found = merged.left_out_scores(Tuning((7,), ALL))[[11, n + 2, n + 6]]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_no_copies_leave_the_detector_as_it_is(detector):
    none = np.empty((0, len(ROWS), detector.training.features.shape[1]), np.float32)
    again = merge_copies(detector, ROWS, none)
    np.testing.assert_array_equal(again.left_out_scores(detector.tuning), detector.left_out_scores(detector.tuning))


@pytest.fixture(scope="module")
def found(detector, soft, engine) -> Remedies:
    return try_remedies(detector, soft, engine, Shift("blur", 2), target_fpr=0.1)


def test_copies_under_the_shift_end_its_false_alarms_and_the_cheat(found):
    before, after = found.as_it_is, found.tried[-1]
    assert [str(shift) for shift in after.copies] == ["0.8 px of blur", "1.2 px of blur", "2 px of blur"]
    assert before.shifted.left_out.value > 0.5
    assert after.shifted.left_out.value < 0.3
    assert before.clean.area.value > 0.95
    assert before.clean.area.value - after.clean.area.value > 0.2
    assert before.clean.caught.value - after.clean.caught.value > 0.3
    assert after.clean.left_out.n == after.shifted.left_out.n == 30
    assert after.clean.caught.n == 24


def test_merged_copies_are_judged_by_left_out_copies_under_the_shift_itself(found, detector, soft, engine):
    files = training_files(detector, soft)
    shifts, rows = copied_under(Shift("blur", 2)), sorted(files)
    photos = shifted_photos([files[row] for row in rows], shifts, engine, regions=detector.regions)
    merged = merge_copies(detector, rows, np.stack([photo.features for photo in photos], axis=1))
    scores, after = merged.left_out_scores(detector.tuning), found.tried[-1]
    assert after.threshold == pytest.approx(np.sort(scores[:30])[27])
    *_, under_the_shift = np.split(scores, 4)  # the images, then their copies by shift
    assert after.shifted.left_out == exceedance(under_the_shift, after.threshold)
    assert after.clean.left_out == exceedance(scores[:30], after.threshold)


def test_every_remedy_has_a_threshold_of_its_own_at_the_same_target(found, detector):
    for one in found.tried[:-1]:
        left_out = np.sort(detector.left_out_scores(one.tuning))
        assert one.threshold == left_out[27]  # number 28 of 30: 10 %
        assert one.clean.left_out.count == 2
    assert len({one.threshold for one in found.tried}) > 3


def test_levels_and_cuts_are_those_that_the_detector_has(detector):
    tried = other_tunings(detector, detector.tuning)
    assert detector.tuning not in tried
    assert {one.levels for one in tried} == {(6,), (7,), (6, 7)}
    assert {str(one.reduction) for one in tried} >= {"all", "pca:0.99", "npca:0.01"}
    assert all(len(one.levels) == 1 for one in other_tunings(detector, Tuning((7,))))


def test_copies_are_made_of_the_shift_and_the_steps_before_it():
    assert [shift.strength for shift in copied_under(Shift("jpeg", 60))] == [85, 70, 60]
    assert [shift.strength for shift in copied_under(Shift("blur", 0.4))] == [0.4]


def test_remedies_go_through_json_unchanged(found):
    assert Remedies.from_json(json.loads(json.dumps(found.to_json(), allow_nan=False))) == found


def test_a_shift_that_changes_nothing_is_refused(detector, soft, engine):
    with pytest.raises(GadError, match="changes nothing; choose a strength"):
        try_remedies(detector, soft, engine, Shift("jpeg", 100))
