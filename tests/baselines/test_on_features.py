"""Baselines on features, against scikit-learn and against brute force."""

from itertools import combinations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.spatial.distance import cdist
from sklearn.svm import OneClassSVM

from gad_core.baselines.coreset import fit_coreset, greedy_coreset
from gad_core.baselines.neighbours import fit_neighbours
from gad_core.baselines.one_class_svm import fit_one_class_svms
from gad_core.errors import GadError

#: Two levels of three regions.
GRID = (
    (slice(0, 2), slice(2, 4), slice(4, 6)),
    (slice(6, 9), slice(9, 12), slice(12, 15)),
)


def test_one_class_svms_are_scikit_learns_added_up_over_the_levels(features):
    normal, test, slices = features
    expected = sum(
        -OneClassSVM(kernel="rbf", gamma="scale", nu=0.5).fit(normal[:, s]).decision_function(test[:, s])
        for s in slices
    )
    found = fit_one_class_svms(normal, slices)
    assert_allclose(found.scores(test), expected, atol=1e-6)
    assert found.by_level(test).shape == (20, 2)
    assert found.scores(test)[10:].min() > found.scores(test)[:10].max()


def test_neighbours_are_the_mean_of_the_least_distances(features):
    normal, test, slices = features
    expected = sum(np.sort(cdist(test[:, s], normal[:, s]), axis=1)[:, :5].mean(axis=1) for s in slices)
    assert_allclose(fit_neighbours(normal, slices).scores(test), expected, rtol=1e-5)


def test_fewer_normal_images_than_neighbours_are_all_asked(features):
    normal, test, slices = features
    expected = sum(cdist(test[:, s], normal[:3, s]).mean(axis=1) for s in slices)
    assert_allclose(fit_neighbours(normal[:3], slices).scores(test), expected, rtol=1e-5)


def test_the_greedy_coreset_takes_the_farthest_row_each_time():
    X = np.random.default_rng(3).normal(size=(60, 5))
    chosen = [int(np.random.default_rng(7).integers(60))]
    while len(chosen) < 12:
        chosen.append(int(cdist(X, X[chosen]).min(axis=1).argmax()))
    assert greedy_coreset(X, 12, seed=7).tolist() == chosen


@pytest.mark.parametrize("seed", range(5))
def test_no_row_lies_farther_from_the_coreset_than_twice_the_best_radius(seed):
    X = np.random.default_rng(seed).normal(size=(12, 2))
    between = cdist(X, X)
    best = min(between[:, list(rows)].min(axis=1).max() for rows in combinations(range(12), 3))
    assert between[:, greedy_coreset(X, 3, seed=seed)].min(axis=1).max() <= 2 * best + 1e-12


def slow_score(image, kept):
    """The image's score as the paper of PatchCore writes it (eq. 6 and 7), region by region."""
    distances = cdist(image, kept)
    region = distances.min(axis=1).argmax()
    nearest = distances[region].argmin()
    largest = distances[region, nearest]
    around = cdist(kept[[nearest]], kept)[0].argsort()[: min(9, len(kept))]
    weight = 1 - np.exp(largest) / np.exp(cdist(image[[region]], kept[around])[0]).sum()
    return weight * largest


def test_the_score_of_a_coreset_is_its_slow_reference():
    rng = np.random.default_rng(5)
    normal, test = rng.normal(size=(30, 15)).astype(np.float32), rng.normal(size=(8, 15)).astype(np.float32)
    coreset = fit_coreset(normal, GRID, share=0.2, seed=2)
    assert coreset.kept.shape == (18, 5)
    regions = [np.stack([np.concatenate([x[a], x[b]]) for a, b in zip(*GRID, strict=True)]) for x in test]
    assert_allclose(coreset.scores(test), [slow_score(image, coreset.kept) for image in regions], rtol=1e-5)
    assert_allclose(coreset.distances(test), [cdist(image, coreset.kept).min(axis=1) for image in regions], rtol=1e-5)


def test_the_whole_of_the_normal_regions_is_a_coreset_at_no_distance(features):
    rng = np.random.default_rng(5)
    normal = rng.normal(size=(9, 15)).astype(np.float32)
    assert_allclose(fit_coreset(normal, GRID, share=1.0).distances(normal), 0, atol=2e-3)


@pytest.mark.parametrize("fit", [fit_neighbours, fit_one_class_svms, fit_coreset])
def test_no_image_is_refused_with_the_way_out(fit):
    slices = GRID if fit is fit_coreset else (slice(0, 15),)
    with pytest.raises(GadError, match="add normal images"):
        fit(np.empty((0, 15), np.float32), slices)


def test_a_share_outside_of_its_range_is_refused():
    with pytest.raises(GadError, match=r"in \(0, 1\]"):
        fit_coreset(np.ones((4, 15), np.float32), GRID, share=0)
