"""Charts of normal scores: limits, run lengths, lots, and since when a shift lasts."""

import numpy as np
import pytest

from gad_core.decision.control_chart import (
    EWMA_LIMIT,
    EWMA_WEIGHT,
    LIMIT,
    change_point,
    ewma,
    ewma_limits,
    lot_means,
)


def test_the_ewma_is_the_weighted_sum_of_all_scores_so_far():
    z = np.random.default_rng(1).normal(size=30)
    slow, value = [], 0.0
    for one in z:
        value = EWMA_WEIGHT * one + (1 - EWMA_WEIGHT) * value
        slow.append(value)
    np.testing.assert_allclose(ewma(z), slow, rtol=1e-12)


def test_the_limits_are_the_exact_standard_deviation_of_the_ewma():
    impulses = np.eye(40)
    weights = ewma(impulses)  # of score i (row) in the EWMA after each part (column)
    np.testing.assert_allclose(ewma_limits(40), EWMA_LIMIT * np.sqrt(np.square(weights).sum(axis=0)), rtol=1e-12)


def test_the_ewma_runs_as_long_in_control_as_three_sigma_limits():
    """Run length by the Markov chain of Brook & Evans 1972, whose states are slices of the EWMA's range."""
    n, limit = 401, EWMA_LIMIT * np.sqrt(EWMA_WEIGHT / (2 - EWMA_WEIGHT))
    from scipy import stats

    edges = np.linspace(-limit, limit, n + 1)
    centres = (edges[1:] + edges[:-1]) / 2
    reach = (edges[None] - (1 - EWMA_WEIGHT) * centres[:, None]) / EWMA_WEIGHT
    moves = np.diff(stats.norm.cdf(reach), axis=1)
    length = np.linalg.solve(np.eye(n) - moves, np.ones(n))[n // 2]
    assert length == pytest.approx(1 / (2 * stats.norm.sf(LIMIT)), rel=0.01)


def test_a_lot_is_out_of_limits_by_the_standard_error_of_its_mean():
    z, lots = np.array([1.6, 0.1, 1.4, 1.7, 1.5, -3.1]), ["a", "b", "a", "a", "a", None]
    first, second = lot_means(z, lots, np.array([0, 2, 3, 5, 8, 9]))
    assert (first.name, first.n, first.first, first.last) == ("a", 4, 0, 8)
    assert first.mean == pytest.approx(1.55)
    assert first.limit == pytest.approx(1.5)
    assert (first.outside, second.outside) == (True, False)


def test_the_change_point_has_the_highest_likelihood():
    rng = np.random.default_rng(2)
    for _ in range(20):
        z = rng.normal(size=40)
        z[rng.integers(40) :] += 1.5
        # Unit variance: the log likelihood of a mean 0 before t and the best mean from t on.
        likelihoods = [-0.5 * (np.square(z[:t]).sum() + np.square(z[t:] - z[t:].mean()).sum()) for t in range(len(z))]
        assert change_point(z) == int(np.argmax(likelihoods))


@pytest.mark.parametrize("shift", [1.5, -1.5])
def test_the_change_point_lies_where_the_shift_began(shift):
    z = np.random.default_rng(3).normal(size=(300, 80))
    z[:, 50:] += shift
    found = np.array([change_point(run) for run in z])
    assert np.median(found) == 50
    assert np.mean(np.abs(found - 50) <= 3) > 0.75
