"""Moments merge, split again, and give scikit-learn's Ledoit-Wolf."""

import numpy as np
import pytest
from sklearn.covariance import LedoitWolf, ledoit_wolf_shrinkage

from gad_core.errors import GadError
from gad_core.gaussian.moments import Moments


@pytest.fixture
def features():
    rng = np.random.default_rng(3)
    return 5 + rng.standard_t(5, (90, 40)) * np.logspace(0, -2, 40)


def about(X):
    return Moments.of(X, shift=np.full(40, 4.5))


@pytest.mark.parametrize("n", [12, 90, 4500, 9001])  # fewer and more than features; more than at a time; side by side
def test_moments_give_scikit_learns_ledoit_wolf(features, n):
    features = (
        np.random.default_rng(4).permutation(np.tile(features, (101, 1)))[:n] if n > len(features) else features[:n]
    )
    moments, oracle = about(features), LedoitWolf().fit(features)
    assert moments.shrinkage == pytest.approx(oracle.shrinkage_, rel=1e-12)
    np.testing.assert_allclose(moments.mean, oracle.location_, rtol=1e-13)
    rho = moments.shrinkage
    shrunk = (1 - rho) * moments.covariance + rho * np.trace(moments.covariance) / 40 * np.eye(40)
    np.testing.assert_allclose(shrunk, oracle.covariance_, atol=1e-13)


def test_parts_merge_to_the_whole_in_any_order(features):
    parts = [about(part) for part in np.array_split(features, 7)]
    forward, backward = parts[0], parts[-1]
    for part in parts[1:]:
        forward = forward + part
    for part in parts[-2::-1]:
        backward = backward + part
    assert forward.n == backward.n == 90
    expected = ledoit_wolf_shrinkage(features)
    assert forward.shrinkage == pytest.approx(expected, rel=1e-12)
    assert backward.shrinkage == pytest.approx(expected, rel=1e-12)


def test_removed_images_leave_no_trace(features):
    rest = about(features) - about(features[:30])
    oracle = LedoitWolf().fit(features[30:])
    assert rest.shrinkage == pytest.approx(oracle.shrinkage_, rel=1e-10)
    np.testing.assert_allclose(rest.mean, oracle.location_, rtol=1e-12)


def test_moments_about_different_shifts_are_refused(features):
    with pytest.raises(GadError, match="different shifts"):
        about(features) + Moments.of(features, shift=np.zeros(40))


def test_more_images_than_were_added_cannot_be_removed(features):
    with pytest.raises(GadError, match="cannot remove 90 images from 30"):
        about(features[:30]) - about(features)
