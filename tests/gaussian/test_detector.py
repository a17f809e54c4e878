"""Left-out scores at every cut equal those of a detector fitted anew without the fold."""

from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest
from sklearn.covariance import LedoitWolf
from torch import nn

from gad_core.data.groups import k_folds
from gad_core.errors import Cancelled, GadError
from gad_core.features.frozen import Network
from gad_core.gaussian.detector import TrainingImages
from gad_core.gaussian.levels import sum_levels
from gad_core.gaussian.levels_fit import fit_levels
from gad_core.gaussian.reduction import ALL, Reduction
from gad_core.gaussian.spectrum import fit_gaussian
from gad_core.gaussian.tuning import DISTANCES, Tuning, parse_distance, parse_levels, presets, whole_image
from tests.fitted import fit_features

REDUCTIONS = [ALL, Reduction("pca", 0.95), Reduction("npca", 0.2), Reduction("npca", 0.01)]


@pytest.mark.parametrize("score", DISTANCES)
@pytest.mark.parametrize("keep", REDUCTIONS, ids=str)
def test_left_out_distances_equal_a_fit_without_the_fold_per_dimension(detector, features, keep, score):
    left_out = detector.left_out_distances(keep, distance=score)
    for fold in range(5):
        out = detector.folds == fold
        for level, part in enumerate(detector.slices):
            gaussian = fit_gaussian(features[:50][~out][:, part])
            expected = gaussian.spectrum.distances(
                gaussian.coordinates(features[:50][out][:, part]), keep, distance=score
            )
            if score != "l2":
                full = detector.gaussians[level].spectrum.dimension(keep)
                expected *= np.sqrt(full / gaussian.spectrum.dimension(keep))
            np.testing.assert_allclose(left_out[out, level], expected, rtol=1e-8)


def test_left_out_distances_equal_scikit_learns_where_images_are_fewer_than_features(detector, features):
    out = detector.folds == 2
    train = features[:50].astype(float)
    oracle = LedoitWolf().fit(train[~out][:, 18:])
    expected = np.sqrt(oracle.mahalanobis(train[out][:, 18:]))
    np.testing.assert_allclose(detector.left_out_distances(ALL)[out, 2], expected, rtol=1e-9)


def test_the_score_is_the_sum_of_scikit_learns_distances_over_the_tuned_levels(detector, features):
    expected = np.zeros(20)
    for part in (slice(0, 6), slice(18, 108)):
        oracle = LedoitWolf().fit(features[:50, part].astype(float))
        expected += np.sqrt(oracle.mahalanobis(features[50:, part]))
    np.testing.assert_allclose(detector.scores(features[50:]), expected, rtol=1e-9)


def test_another_tuning_needs_no_new_fit(detector, features):
    by_level = detector.distances(detector.coordinates(features[50:]), Reduction("npca", 0.2), distance="l2")
    actual = detector.scores(features[50:], Tuning((2, 3), Reduction("npca", 0.2), "l2"))
    np.testing.assert_array_equal(actual, by_level[:, 1] + by_level[:, 2])
    np.testing.assert_array_equal(actual, sum_levels(by_level, (2, 3)))


def fit_simply(small_backbone, X, folds):
    training = TrainingImages(X, tuple(map(str, range(len(X)))))
    return fit_features(training, small_backbone, fingerprint="f", folds=np.asarray(folds))


@pytest.mark.parametrize("n", [0, 1, 2])
def test_too_few_images_are_refused_with_the_number_needed(small_backbone, features, n):
    with pytest.raises(GadError, match=f"at least 3 normal images.*got {n}"):
        fit_simply(small_backbone, features[:n], range(n))


def test_three_images_are_enough(small_backbone, features):
    detector = fit_simply(small_backbone, features[:3], range(3))
    assert np.isfinite(detector.left_out_distances(Reduction("npca", 0.05))).all()


@pytest.mark.parametrize(("folds", "words"), [([0, 0, 0, 0], "2 folds"), ([0, 0, 0, 1], "use more folds")])
def test_folds_that_leave_nothing_to_fit_are_refused(small_backbone, features, folds, words):
    with pytest.raises(GadError, match=words):
        fit_simply(small_backbone, features[:4], folds)


def test_progress_counts_every_fit_and_can_cancel(small_backbone, features):
    seen = []

    def progress(done, total):
        seen.append((done, total))
        if done == 7:
            raise Cancelled

    training = TrainingImages(features[:30], tuple(map(str, range(30))))
    with pytest.raises(Cancelled):
        fit_features(training, small_backbone, fingerprint="f", folds=k_folds(30, 4), progress=progress)
    assert seen == [(i, 15) for i in range(1, 8)]


@pytest.mark.parametrize(
    ("text", "levels"), [("7", (7,)), ("6-8", (6, 7, 8)), ("8, 1,2-3", (1, 2, 3, 8)), ("all", tuple(range(1, 10)))]
)
def test_levels_are_read_as_people_write_them(text, levels):
    assert parse_levels(text, 9) == levels


@pytest.mark.parametrize("text", ["", "0", "10", "8-6", "6-", "a", "-1"])
def test_what_is_no_level_is_refused_with_the_range(text):
    with pytest.raises(GadError, match="levels 1 to 9"):
        parse_levels(text, 9)


def test_an_unknown_distance_is_refused_with_the_known_ones():
    assert parse_distance(" SED") == "sed"
    with pytest.raises(GadError, match="mahalanobis, sed, l2"):
        parse_distance("cosine")


def test_efficientnets_start_from_levels_6_to_8_and_other_networks_from_the_papers_setting():
    from gad_core.features.registry import get_backbone

    assert whole_image(get_backbone("tf_efficientnet_lite0")) == Tuning((6, 7, 8), Reduction("npca", 0.05))
    assert whole_image(get_backbone("resnet18")) == Tuning((1, 2, 3, 4, 5), Reduction("npca", 0.01))
    assert presets(get_backbone("resnet18"))["Paper, all levels"] == Tuning((1, 2, 3, 4, 5))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"fingerprint": "0" * 64}, "the weights of tf_efficientnet_lite0 here"),
        ({"channels": (6, 12, 91)}, "levels are not those of tf_efficientnet_lite0"),
        ({"input_size": 16}, "references have 8 pixels a side, and tf_efficientnet_lite0 takes 16"),
        ({}, None),
    ],
)
def test_a_network_of_other_weights_or_sizes_is_refused(detector, small_backbone, change, reason):
    sizes = {"input_size": 8} | {name: value for name, value in change.items() if name != "fingerprint"}
    network = Network(replace(small_backbone, **sizes), nn.Identity, change.get("fingerprint", "f" * 64))
    with nullcontext() if reason is None else pytest.raises(GadError, match=reason):
        detector.check_network(network)


@pytest.mark.parametrize("distance", DISTANCES)
def test_the_left_out_of_many_images_are_those_of_the_fits_without_them(distance):
    rng = np.random.default_rng(0)
    X = (rng.standard_t(5, (2000, 12)) * np.logspace(0, -2, 12)).astype(np.float32)
    folds, keep = rng.integers(0, 3, len(X)), Reduction("npca", 0.05)
    fitted = fit_levels(X, [slice(0, 12)], folds)
    for fold, left_out in enumerate(fitted.left_out[0]):
        direct = fit_gaussian(X[folds != fold])
        expected = direct.spectrum.distances(direct.coordinates(X[folds == fold]), keep, distance=distance)
        found = left_out.spectrum.distances(left_out.coordinates, keep, distance=distance)
        np.testing.assert_allclose(found, expected, rtol=1e-10)
