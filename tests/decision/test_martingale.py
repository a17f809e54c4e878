"""P-values that are independent and uniform while nothing changes, and wealth that rarely grows on them."""

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate, stats

from gad_core.decision.martingale import BETS, JUMP, first_alarm, log_martingale, normal_scores, online_p_values


@pytest.mark.parametrize("rounded", [False, True])
def test_a_p_value_counts_the_scores_above_and_a_seeded_share_of_those_equal(rounded):
    rng = np.random.default_rng(3)
    calibration, scores = rng.normal(size=30), rng.normal(0.5, 1, 40)
    if rounded:
        calibration, scores = calibration.round(1), scores.round(1)
    ties = np.random.default_rng(7).random(40)
    expected = []
    for i, score in enumerate(scores):
        pool = np.concatenate([calibration, scores[: i + 1]])
        expected.append(((pool > score).sum() + ties[i] * (pool == score).sum()) / len(pool))
    np.testing.assert_allclose(online_p_values(calibration, scores, seed=7), expected, rtol=1e-12)


def test_more_parts_and_the_order_of_calibration_leave_the_first_p_values_as_they_are():
    rng = np.random.default_rng(4)
    calibration, scores = rng.normal(size=50), rng.normal(size=80)
    p_values = online_p_values(calibration, scores, seed=1)
    np.testing.assert_array_equal(online_p_values(calibration[::-1], scores[:30], seed=1), p_values[:30])
    assert (online_p_values(calibration, scores, seed=2) != p_values).any()


def test_p_values_are_uniform_and_independent_though_they_share_few_calibration_scores():
    rng = np.random.default_rng(5)
    p_values = np.array([online_p_values(rng.normal(size=10), rng.normal(size=3), seed=i) for i in range(4000)])
    for column in p_values.T:
        assert stats.kstest(column, "uniform").pvalue > 0.01
    assert np.abs(np.corrcoef(p_values.T)[np.triu_indices(3, 1)]).max() < 4 / math.sqrt(4000)


def test_p_values_among_the_calibration_scores_alone_are_not_independent():
    rng = np.random.default_rng(5)
    p_values = np.array(
        [
            [online_p_values(calibration, scores[i : i + 1], seed=3 * run + i)[0] for i in range(2)]
            for run, (calibration, scores) in enumerate((rng.normal(size=10), rng.normal(size=2)) for _ in range(4000))
        ]
    )
    assert np.corrcoef(p_values.T)[0, 1] > 4 / math.sqrt(4000)


def test_no_p_value_is_rounded_to_0_or_1():
    ordered = np.arange(3000.0)
    for scores in (ordered, ordered[::-1]):
        assert np.isfinite(normal_scores(online_p_values(np.array([-1.0, 3000.0]), scores))).all()


@pytest.mark.parametrize("shift", BETS)
def test_a_bet_is_fair_for_standard_normal_scores(shift):
    def ratio(z):
        return math.exp(shift * z - shift**2 / 2) * stats.norm.pdf(z)

    assert integrate.quad(ratio, -12, 12)[0] == pytest.approx(1, abs=1e-9)


def test_the_martingale_is_the_sum_over_all_paths_of_bets():
    z = np.array([0.3, 1.9, -0.4, 2.2])
    paths = np.stack(np.meshgrid(*[np.arange(len(BETS))] * len(z), indexing="ij"), axis=-1).reshape(-1, len(z))
    shifts, stay = np.array(BETS), JUMP / len(BETS) + (1 - JUMP) * np.eye(len(BETS))
    for m in range(1, len(z) + 1):
        total = 0.0
        for path in np.unique(paths[:, :m], axis=0):
            chance = np.prod([stay[a, b] for a, b in pairwise(path)]) / len(BETS)
            total += chance * np.exp(shifts[path] @ z[:m] - (shifts[path] ** 2).sum() / 2)
        assert log_martingale(z)[m - 1] == pytest.approx(math.log(total), abs=1e-12)


def test_many_runs_at_once_give_what_each_gives_alone_and_great_evidence_does_not_overflow():
    z = np.random.default_rng(6).normal(3, 1, (3, 2000))
    logs = log_martingale(z)
    np.testing.assert_allclose(logs, [log_martingale(run) for run in z], rtol=1e-12)
    assert logs.max() > 3000  # beyond float64 as a number
    assert np.isfinite(logs).all()


def test_the_mean_of_the_martingale_stays_1():
    wealth = np.exp(log_martingale(np.random.default_rng(7).normal(size=(20_000, 5)))[:, -1])
    assert wealth.mean() == pytest.approx(1, abs=4 * wealth.std() / math.sqrt(len(wealth)))
    assert wealth.std() > 0.5  # it does bet


def test_the_alarm_is_where_one_over_alpha_is_first_reached():
    logs = np.log([1, 19, 20.001, 5, 30])
    assert first_alarm(logs, 0.05) == 2
    assert first_alarm(logs, 0.01) is None
    assert first_alarm(logs[:0], 0.05) is None
