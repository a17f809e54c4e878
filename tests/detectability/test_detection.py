"""Probability of detection: statsmodels' probit, brute force over its likelihood, simulated scores with a known a90.

`python -m benchmarks.detection` takes 300 runs of each kind.
"""

import numpy as np
import pytest
from scipy import optimize, stats
from statsmodels.genmod.families import Binomial, links
from statsmodels.genmod.generalized_linear_model import GLM

from benchmarks.detection import A90, estimates, simulate
from gad_core.detectability.detection import CONFIDENCE, HitMiss, fit_pod
from gad_core.errors import GadError


def brute_force(sizes, hits, coefficients, floor):
    """The penalised log-likelihood, image by image, with the determinant by NumPy."""
    total, information = 0.0, np.zeros((2, 2))
    for size, hit in zip(sizes, hits, strict=True):
        row = np.array([1.0, np.log(size)])
        z = row @ coefficients
        p = np.clip(floor + (1 - floor) * stats.norm.cdf(z), 1e-12, 1 - 1e-12)
        total += np.log(p if hit else 1 - p)
        information += ((1 - floor) * stats.norm.pdf(z)) ** 2 / (p * (1 - p)) * np.outer(row, row)
    return total + np.linalg.slogdet(information)[1] / 2


@pytest.mark.parametrize("floor", [0.0, 0.05])
def test_the_curve_is_where_the_penalised_likelihood_is_highest(floor):
    sizes, hits = simulate(np.random.default_rng(4), 150, floor=bool(floor))
    curve = fit_pod(sizes, hits, floor=floor).curve
    found = optimize.minimize(lambda b: -brute_force(sizes, hits, b, floor), [0.0, 1.0], method="Nelder-Mead")
    np.testing.assert_allclose(curve.coefficients, found.x, rtol=1e-3)


def test_the_bound_is_where_the_profile_of_that_likelihood_has_fallen_to_the_limit():
    sizes, hits = simulate(np.random.default_rng(5), 150, floor=True)
    pod = fit_pod(sizes, hits, floor=0.05)
    z = stats.norm.ppf((0.9 - 0.05) / 0.95)

    def profile(size):
        """Over all slopes of which 90 % are caught at the size."""
        of_slope = lambda slope: -brute_force(sizes, hits, np.array([z - slope * np.log(size), slope]), 0.05)  # noqa: E731 - one line
        return -optimize.minimize_scalar(of_slope, bounds=(0.05, 20), method="bounded").fun

    best = brute_force(sizes, hits, pod.curve.coefficients, 0.05)
    assert 2 * (best - profile(pod.a90_95)) == pytest.approx(stats.norm.ppf(CONFIDENCE) ** 2, rel=0.01)


def test_many_draws_give_statsmodels_probit():
    sizes, hits = simulate(np.random.default_rng(1), 20_000, floor=False)
    found = GLM(hits.astype(float), np.stack([np.ones(len(sizes)), np.log(sizes)], 1), Binomial(links.Probit())).fit()
    np.testing.assert_allclose(fit_pod(sizes, hits).curve.coefficients, found.params, rtol=2e-3)


def test_the_lower_bound_of_the_band_meets_ninety_percent_at_a90_95():
    sizes, hits = simulate(np.random.default_rng(2), 200, floor=False)
    pod = fit_pod(sizes, hits)
    low, high = pod.curve.band([pod.a90_95])
    assert pod.curve.at([pod.a90])[0] == pytest.approx(0.9)
    assert low[0] == pytest.approx(0.9, abs=1e-3)
    assert pod.a90 < pod.a90_95
    assert high[0] > pod.curve.at([pod.a90_95])[0] > low[0]


def test_another_unit_of_size_changes_nothing_but_the_unit():
    sizes, hits = simulate(np.random.default_rng(3), 200, floor=True)
    one, other = fit_pod(sizes, hits, floor=0.05), fit_pod(25.4 * sizes, hits, floor=0.05)
    assert (other.a90, other.a90_95) == pytest.approx((25.4 * one.a90, 25.4 * one.a90_95), rel=1e-3)


@pytest.mark.parametrize("floor", [False, True])
def test_a90_is_unbiased_and_a90_95_covers_it(floor):
    way = "probit above the floor" if floor else "probit"
    values = estimates(200, floor=floor, runs=60)[f"{way}, penalised likelihood ratio"]
    assert np.nanmean(values[:, 0]) == pytest.approx(A90, rel=0.05)
    assert np.mean(values[:, 1] >= A90) >= 0.93


def test_a_floor_that_is_left_out_of_the_model_biases_a90():
    found = estimates(490, floor=True, runs=20)
    without, above = (found[f"{way}, penalised likelihood ratio"][:, 0] for way in ("probit", "probit above the floor"))
    assert without.mean() > 1.04 * A90
    assert above.mean() == pytest.approx(A90, rel=0.04)


def test_counts_that_lie_off_the_curve_have_a_small_p_value():
    sizes = np.repeat(np.geomspace(1, 32, 10), 60)
    rng, shares = np.random.default_rng(6), np.repeat([0.1, 0.9, 0.1, 0.9, 0.5, 0.5, 0.9, 0.2, 0.9, 0.95], 60)
    assert fit_pod(sizes, rng.random(600) < shares).curve.p_value < 1e-6
    fits = [fit_pod(*simulate(np.random.default_rng(seed), 490, floor=False)).curve.p_value for seed in range(40)]
    assert stats.kstest(fits, "uniform").pvalue > 0.01


SIZES = np.repeat([1.0, 2.0, 4.0, 8.0], 49)


def test_where_all_were_caught_the_bound_is_the_smallest_size():
    pod = fit_pod(SIZES, np.ones(196, bool))
    assert (pod.curve, pod.a90, pod.a90_95) == (None, None, 1.0)


def test_too_few_caught_without_a_miss_bound_nothing():
    assert stats.beta.ppf(0.05, 28, 1) < 0.9 < stats.beta.ppf(0.05, 29, 1)  # the rule of 29 of 29
    for n, bound in ((28, None), (29, 1.0)):
        assert fit_pod(np.repeat([1.0, 2.0], n), np.ones(2 * n, bool)).a90_95 == bound


def test_where_none_was_caught_there_is_neither_curve_nor_bound():
    pod = fit_pod(SIZES, np.zeros(196, bool))
    assert (pod.curve, pod.a90, pod.a90_95) == (None, None, None)
    assert pod.note == "none of 196 was caught"


@pytest.mark.parametrize("floor", [0.0, 0.05])
def test_a_rise_between_two_sizes_is_bounded_by_the_upper_one(floor):
    pod = fit_pod(SIZES, SIZES > 2, floor=floor)
    assert (pod.curve, pod.a90, pod.a90_95) == (None, None, 4.0)
    assert "rise lies between two of the sizes" in pod.note


def test_misses_that_alarms_explain_leave_no_curve_either():
    rng = np.random.default_rng(0)
    hits = np.where(SIZES > 2, True, rng.random(196) < 0.05)
    pod = fit_pod(SIZES, hits, floor=0.05)
    assert hits[SIZES <= 2].any()
    assert (pod.curve, pod.a90_95) == (None, 4.0)


def test_no_size_is_told_beyond_those_drawn():
    sizes, hits = simulate(np.random.default_rng(7), 490, floor=False)
    below = sizes <= 4.7
    pod = fit_pod(sizes[below], hits[below])
    assert pod.curve.size_at(0.9)[0] > 4.7
    assert (pod.a90, pod.a90_95) == (None, None)
    assert "at the largest size" in pod.note


def test_hits_that_fall_with_size_are_no_detection():
    rng = np.random.default_rng(8)
    pod = fit_pod(SIZES, rng.random(196) < 1 / SIZES)
    assert (pod.curve, pod.a90) == (None, None)
    assert "larger defects were not caught more often" in pod.note


def test_a_threshold_that_flags_all_anyway_has_no_a90():
    assert fit_pod(SIZES, np.ones(196, bool), floor=0.95).note.startswith("95% of the undamaged")


@pytest.mark.parametrize(
    ("sizes", "hits", "floor"),
    [([], [], 0.0), ([1.0, 0.0], [1, 0], 0.0), ([1.0], [1, 0], 0.0), ([1.0, 2.0], [1, 0], 1)],
)
def test_what_cannot_be_counted_is_refused(sizes, hits, floor):
    with pytest.raises(GadError):
        HitMiss.of(sizes, hits, floor)
