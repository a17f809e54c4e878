"""A study from photos to tolerances: rates of shifted left-out images, and the lens that the success rests on."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from gad_core.data.datasets import ImageSet
from gad_core.data.images import decode, read_bytes, resize
from gad_core.data.shifts import Shift
from gad_core.decision.curves import auroc
from gad_core.decision.rates import exceedance
from gad_core.deployment.bands import N_BANDS, band_energies, relative
from gad_core.deployment.photos import shifted_photos
from gad_core.deployment.results import DeploymentShift
from gad_core.deployment.sampling import sampled_normals, sampled_test
from gad_core.deployment.settings import ShiftSettings
from gad_core.deployment.study import study
from gad_core.detectability.left_out import scores_without_fold
from gad_core.errors import Cancelled, GadError
from gad_core.gaussian.extraction import extract_for
from gad_core.gaussian.reduction import ALL
from gad_core.gaussian.tuning import Tuning

SETTINGS = ShiftSettings(kinds=("blur", "brightness"), n_normals=16, n_test=14)


@pytest.fixture(scope="module")
def found(detector, soft, engine) -> DeploymentShift:
    return study(detector, soft, engine, SETTINGS, target_fpr=0.1)


def test_unshifted_images_have_their_left_out_and_test_scores(found, detector, soft, engine):
    rows = list(sampled_normals(detector, soft, 16))
    left_out = detector.left_out_scores(detector.tuning)[rows]
    assert found.unshifted.whole.left_out == exceedance(left_out, found.point.threshold)
    test = extract_for(detector, soft.test, engine).of(sampled_test(soft.test, 14))
    scores = detector.scores(test.features)
    assert found.unshifted.whole.area == auroc(scores, test.images.labels)
    assert found.unshifted.whole.caught == exceedance(scores[test.images.labels], found.point.threshold)
    assert np.allclose(found.unshifted.energies, 1)
    assert found.unshifted.change == 0


def test_a_shifted_image_is_scored_by_the_fit_without_its_fold(found, detector, soft, engine):
    files = sampled_normals(detector, soft, 16)
    size = engine.network.backbone.input_size
    pixels = []
    for file in files.values():
        photo = decode(read_bytes(file.path))
        pixels.append(resize(Shift("blur", 2)(file.digest, photo, input_size=size), size))
    features = np.stack(list(engine.stream(pixels, regions=detector.regions)))
    (scores,) = scores_without_fold(detector, features, np.array(list(files)), [detector.tuning]).T
    (step,) = [one for one in found.steps if one.shift == Shift("blur", 2)]
    assert step.whole.left_out == exceedance(scores, found.point.threshold)
    alone = scores_without_fold(detector, features, np.array(list(files)), [Tuning((7,), detector.tuning.reduction)])
    limit = np.sort(detector.left_out_distances(detector.tuning.reduction)[:, 6])[27]  # number 28 of 30: 10 %
    assert step.levels[6].left_out == exceedance(alone[:, 0], limit)


def test_the_lens_is_named_where_defects_are_soft_photos_alone(found):
    assert found.culprit is not None
    assert found.culprit.shift.kind == "blur"
    assert found.culprit.likeness > 0.8
    assert found.culprit.before.value - found.culprit.after.value > 0.15
    assert found.area is not None
    assert (found.area.n_normal, found.area.n_anomalous) == (10, 24)  # all test images, not only those shifted


def test_false_alarms_grow_with_the_blur_that_the_defects_have(found):
    rates = [step.whole.left_out.value for step in found.by_kind["blur"]]
    assert rates[0] < 0.3 < rates[-1]
    energies = np.array([step.energies for step in found.by_kind["blur"]])
    assert energies.shape == (5, 9, N_BANDS)
    assert energies[-1].max() > 2


def test_a_study_goes_through_json_unchanged(found):
    again = DeploymentShift.from_json(json.loads(json.dumps(found.to_json(), allow_nan=False)))
    assert again == found
    assert again.tolerances == found.tolerances


def test_the_steepest_comes_first(found):
    assert [one.steepness for one in found.tolerances] == sorted((t.steepness for t in found.tolerances), reverse=True)


def test_without_test_images_false_alarms_are_still_counted(detector, soft, engine):
    few = ShiftSettings(kinds=("bits",), n_normals=8)
    found = study(detector, replace(soft, test=ImageSet(())), engine, few, target_fpr=0.5)
    rows = list(sampled_normals(detector, soft, 8))
    left_out = detector.left_out_scores(detector.tuning)[rows]
    assert found.unshifted.whole.left_out == exceedance(left_out, found.point.threshold)
    assert found.unshifted.whole.left_out.count > 1
    assert (found.unshifted.whole.caught, found.area, found.culprit) == (None, None, None)
    assert all(step.indifference is None and step.lost_p_value is None for step in found.steps)


def test_bands_share_out_the_squared_distance(detector):
    rows = np.flatnonzero(detector.folds == 2)
    features = detector.training.features[rows]
    energies = band_energies(detector, features, 2, Tuning((7,), ALL))
    within = detector.left_out[6][2]
    values = within.spectrum.eigenvalues
    rho = within.spectrum.whole
    weights = 1 / ((1 - rho) * values + rho * values.sum() / within.spectrum.n_features)
    np.testing.assert_allclose(energies[:, 6].sum(axis=1), within.coordinates.z2 @ weights, rtol=1e-6)
    assert relative(2 * energies, energies) == ((2.0,) * N_BANDS,) * 9


def test_photos_keep_their_order_and_changes_are_those_of_the_pixels(soft, engine):
    files, shifts = soft.train.files[:5], (Shift("bits", 3), Shift("noise", 16))
    photos = list(shifted_photos(files, shifts, engine))
    size = engine.network.backbone.input_size
    for file, photo in zip(files, photos, strict=True):
        before = np.asarray(Image.open(file.path))
        seen = [resize(shift(file.digest, before, input_size=size), size) for shift in shifts]
        plain = resize(before, size).astype(float)
        np.testing.assert_allclose(photo.changes, [np.abs(one - plain).mean() for one in seen])
        np.testing.assert_allclose(photo.features, np.stack(list(engine.stream(seen))), rtol=1e-5, atol=1e-6)


def test_images_are_taken_evenly_and_test_images_half_and_half(detector, soft):
    assert len(sampled_normals(detector, soft, 100)) == 30
    folds = [detector.folds[row] for row in sampled_normals(detector, soft, 12)]
    assert folds == sorted(folds)
    for n, normal, defects in ((14, 7, 7), (30, 10, 20), (100, 10, 24), (3, 2, 1), (0, 0, 0)):
        labels = sampled_test(soft.test, n).labels
        assert ((~labels).sum(), labels.sum()) == (normal, defects)
    labels = soft.test.labels
    few = soft.test.where(~labels | (np.cumsum(labels) <= 3))  # where defects are short, more good ones
    assert sampled_test(few, 10).labels.sum() == 3
    assert len(sampled_test(few, 10)) == 10
    assert sampled_test(soft.test, 2).digests[0] == soft.test.digests[0]


def test_one_bar_goes_from_nothing_to_all_and_may_be_stopped(detector, soft, engine):
    seen, few = [], ShiftSettings(kinds=("bits",), n_normals=5, n_test=4)
    study(detector, soft, engine, few, progress=lambda *one: seen.append(one))
    assert sorted(seen) == seen
    assert seen[-1][0] == seen[-1][1]

    def stop(done, total):
        if done > total // 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        study(detector, soft, engine, few, progress=stop)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"kinds": ()}, "choose at least one kind of shift"),
        ({"kinds": ("fog",)}, "there is no shift 'fog'"),
        ({"n_normals": 1}, "at least 2 normal images"),
        ({"n_test": -1}, "no negative number"),
    ],
)
def test_settings_that_cannot_be_tried_are_refused(values, words):
    with pytest.raises(GadError, match=words):
        ShiftSettings(**values)
