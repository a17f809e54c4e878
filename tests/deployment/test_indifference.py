"""Indifference to a shift: counted into the covariance, a way that defects share takes their separation away."""

import numpy as np
import pytest
from scipy.spatial.distance import mahalanobis
from scipy.stats import mannwhitneyu

from gad_core.deployment.indifference import indifferent, lengths, made_indifferent


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("n_moves", [4, 30])  # fewer than dimensions, and more
def test_distances_are_scipys_with_the_moves_counted_into_the_covariance(rng, n_moves):
    covariance = np.cov(rng.normal(size=(8, 40)))
    whiten = np.linalg.inv(np.linalg.cholesky(covariance)).T
    images, moves = rng.normal(size=(5, 8)), rng.normal(size=(n_moves, 8)) * 3
    found = indifferent(images @ whiten, moves @ whiten)
    inverse = np.linalg.inv(covariance + moves.T @ moves / n_moves)
    expected = [mahalanobis(one, np.zeros(8), inverse) for one in images]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_a_shift_that_moves_nothing_changes_no_distance(rng):
    z = rng.normal(size=(6, 4))
    np.testing.assert_allclose(indifferent(z, np.zeros((3, 4))), lengths(z))
    np.testing.assert_allclose(lengths(z), np.linalg.norm(z, axis=1))


def of_two_ways(rng, along):
    """Defects lie out along an axis; the shift moves normal images along `along`."""
    anomalous = np.arange(80) >= 40
    test = rng.normal(size=(80, 6))
    test[anomalous, 0] += 8
    moves = rng.normal(size=(50, 6)) * 0.1
    moves[:, along] += 30
    return made_indifferent([test[:, :3], test[:, 3:]], [moves[:, :3], moves[:, 3:]], anomalous), test, anomalous


def test_defects_that_differ_as_the_shift_does_are_lost_with_it(rng):
    found, test, anomalous = of_two_ways(rng, along=0)
    assert found.likeness > 0.95
    assert found.area.value < 0.75
    assert found.p_value < 1e-4
    rest = np.hypot(0, np.linalg.norm(test[:, 1:3], axis=1)) + np.linalg.norm(test[:, 3:], axis=1)
    without = mannwhitneyu(rest[anomalous], rest[~anomalous]).statistic / 1600
    assert found.area.value == pytest.approx(without, abs=0.05)


def test_defects_that_differ_otherwise_stay_apart(rng):
    found, _, _ = of_two_ways(rng, along=4)
    assert abs(found.likeness) < 0.2
    assert found.area.value > 0.98
    assert found.p_value > 0.05
