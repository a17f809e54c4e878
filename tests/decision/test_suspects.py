"""Images far out are found by their robust deviation, however far they lie."""

import numpy as np
from scipy import stats

from gad_core.decision.suspects import FAR, left_out_scores, robust_deviations


def test_deviations_are_those_of_a_normal_distribution_where_distances_are_log_normal():
    distances = np.exp(stats.norm.ppf((np.arange(2001) + 0.5) / 2001, loc=3, scale=0.2))
    np.testing.assert_allclose(robust_deviations(distances), (np.log(distances) - 3) / 0.2, rtol=2e-3, atol=2e-3)


def test_an_outlier_moves_nobody_but_itself():
    distances = np.linspace(10, 12, 21)
    before, after = robust_deviations(distances), robust_deviations(np.append(distances[:-1], 1e6))
    np.testing.assert_array_equal(after[:-1], before[:-1])
    assert after[-1] > FAR > before[-1]


def test_equal_distances_are_no_suspects():
    assert (robust_deviations(np.full(5, 7.0)) == 0).all()


def test_pooled_scores_count_as_they_are_by_the_spread_of_those_above_their_median():
    scores = np.where((z := stats.norm.ppf((np.arange(2001) + 0.5) / 2001)) > 0, 3 * z, z) - 0.5
    found = robust_deviations(scores, pooled=True)
    np.testing.assert_allclose(found[z > 0], z[z > 0], rtol=2e-3)
    np.testing.assert_array_equal(found > FAR, z > FAR)
    assert (robust_deviations(np.full(5, -7.0), pooled=True) == 0).all()


def test_scores_are_the_sum_of_the_tuned_levels(detector):
    tuning = detector.tuning
    by_level = detector.left_out_distances(tuning.reduction)
    np.testing.assert_array_equal(left_out_scores(detector), by_level[:, 0] + by_level[:, 1])
