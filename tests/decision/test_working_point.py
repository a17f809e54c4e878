"""Thresholds keep what they promise: by exact fractions, by simulation, and by refusing what they cannot."""

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from gad_core.decision import working_point as wp
from gad_core.decision.chi_law import ChiLaw
from gad_core.errors import GadError


def test_chi_square_inverts_equation_5():
    point = wp.chi2(0.05, law=ChiLaw(7), n_train=100)
    regularised = stats.gamma(7 / 2).cdf(point.threshold**2 / 2)  # gamma(D / 2, t^2 / 2) / Gamma(D / 2)
    assert 1 - regularised == pytest.approx(0.05, rel=1e-9)
    assert ChiLaw(7).p_values(np.array([point.threshold])) == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("n", "expected"), [(1, 0.31731050786291415), (2, 0.04550026389635842), (3, 0.0026997960632601)]
)
def test_n_sigma_targets_are_the_two_tails_of_a_normal_law(n, expected):
    assert wp.sigma_fpr(n) == pytest.approx(expected, rel=1e-9)


def test_hotelling_holds_where_chi_square_breaks():
    rng = np.random.default_rng(1)
    n, k, target, flagged = 40, 15, 0.05, {"chi2": 0, "hotelling": 0}
    thresholds = {
        "chi2": wp.chi2(target, law=ChiLaw(k), n_train=n).threshold,
        "hotelling": wp.hotelling(target, k=k, n_train=n).threshold,
    }
    for _ in range(300):
        train, new = rng.normal(size=(n, k)), rng.normal(size=(50, k))
        centred = new - train.mean(0)
        d2 = np.einsum("ij,ij->i", centred, np.linalg.solve(np.cov(train.T, bias=True), centred.T).T)
        for method, threshold in thresholds.items():
            flagged[method] += int((np.sqrt(d2) > threshold).sum())
    assert flagged["hotelling"] / 15000 == pytest.approx(target, abs=0.007)
    assert flagged["chi2"] / 15000 > 0.4


def test_hotellings_p_value_at_its_threshold_is_the_target():
    point = wp.hotelling(0.02, k=5, n_train=30)
    assert wp.hotelling_p_values(np.array([point.threshold]), k=5, n_train=30) == pytest.approx(0.02)
    assert "ignores the shrinkage" in point.how


def test_hotelling_needs_more_images_than_dimensions():
    with pytest.raises(wp.SampleTooSmall, match="add 11 images") as refusal:
        wp.hotelling(0.05, k=50, n_train=40)
    assert refusal.value.needed == 51


@pytest.mark.parametrize("percent", ["50", "10", "5", "1", "0.5", "0.27", "12.5", "33.3"])
@pytest.mark.parametrize("n", [1, 9, 19, 20, 99, 199, 209, 999])
def test_the_conformal_rank_is_exact(n, percent):
    exact = Fraction(percent) / 100
    rank = math.ceil((n + 1) * (1 - exact))
    scores = np.random.default_rng(0).permutation(np.arange(1.0, n + 1))
    if rank > n:
        with pytest.raises(wp.SampleTooSmall) as refusal:
            wp.cross_conformal(scores, float(exact))
        assert refusal.value.needed == math.ceil(1 / exact - 1)
    else:
        assert wp.cross_conformal(scores, float(exact)).threshold == rank
        assert wp.split_conformal(scores, float(exact)).threshold == rank
        assert wp.split_conformal(scores, float(exact), groups=[None] * n).threshold == rank
        assert wp.split_conformal(scores, float(exact), groups=[str(i) for i in range(n)]).threshold == rank


def test_split_conformal_keeps_its_promise_for_a_new_group():
    rng = np.random.default_rng(4)
    target, flagged, naive = 0.1, 0, 0
    for _ in range(3000):
        sizes = rng.integers(1, 30, 24)
        level = rng.normal(size=24)
        groups = [str(i) for i, size in enumerate(sizes) for _ in range(size)]
        scores = np.repeat(level, sizes) + 0.3 * rng.normal(size=sizes.sum())
        new = rng.normal() + 0.3 * rng.normal()  # an image of another lot
        flagged += new > wp.split_conformal(scores, target, groups=groups).threshold
        naive += new > wp.split_conformal(scores, target).threshold
    assert 0.05 <= flagged / 3000 <= 0.113  # at most the target, within three standard errors
    assert naive > flagged


def test_split_conformal_refuses_by_groups_not_by_images():
    with pytest.raises(wp.SampleTooSmall, match="19 groups") as refusal:
        wp.split_conformal(np.arange(100.0), 0.05, groups=["a", "b"] * 50)
    assert (refusal.value.needed, refusal.value.n) == (19, 2)


def test_left_out_images_are_never_judged_by_their_own_scores():
    rng = np.random.default_rng(2)
    scores, folds = rng.normal(size=60), np.arange(60) % 6
    actual = wp.left_out_rate(wp.cross_conformal(scores, 0.1), scores, folds)
    flagged = 0
    for fold in range(6):
        others = np.sort(scores[folds != fold])
        flagged += (scores[folds == fold] > others[math.ceil(51 * 0.9) - 1]).sum()
    assert (actual.count, actual.n) == (flagged, 60)


def test_the_left_out_rate_of_a_law_is_the_share_above_its_threshold():
    scores = np.linspace(1, 8, 50)
    point = wp.chi2(0.2, law=ChiLaw(9), n_train=50)
    assert wp.left_out_rate(point, scores, np.arange(50) % 5).count == (scores > point.threshold).sum()


def test_the_left_out_rate_is_unknown_where_the_other_folds_are_too_few():
    scores = np.arange(19.0)
    assert wp.left_out_rate(wp.cross_conformal(scores, 0.05), scores, np.arange(19)) is None


def test_conformal_p_values_count_normal_scores_at_or_above():
    normal, scores = np.array([3.0, 1.0, 2.0, 2.0]), np.array([0.0, 2.0, 2.5, 9.0])
    expected = [(1 + (normal >= s).sum()) / 5 for s in scores]
    np.testing.assert_allclose(wp.conformal_p_values(scores, normal), expected)


def test_a_p_value_is_at_most_the_target_exactly_where_the_image_is_flagged():
    rng = np.random.default_rng(9)
    normal, scores = rng.normal(size=99), rng.normal(1, 1, size=400)
    point = wp.cross_conformal(normal, 0.07)
    np.testing.assert_array_equal(wp.conformal_p_values(scores, normal) <= 0.07, scores > point.threshold)


@pytest.mark.parametrize("target", [0, 1, -0.1, 5, math.nan])
def test_a_target_that_is_no_rate_is_refused(target):
    with pytest.raises(GadError, match="between 0 and 1"):
        wp.cross_conformal(np.arange(50.0), target)
