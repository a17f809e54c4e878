"""Costs and bands count what brute force counts."""

import numpy as np
import pytest
from scipy import stats

from gad_core.decision.costs import Band, band_rates, cost_curve, expected_cost, parts_per_shift, qq_points
from gad_core.errors import GadError

LINE = {"parts": 2000, "defect_share": 0.02}


@pytest.fixture
def scores():
    rng = np.random.default_rng(3)
    return rng.lognormal(3, 0.3, 40).round(1), rng.lognormal(3.5, 0.4, 25).round(1)  # rounded: there are ties


def brute_force(normal, defects, threshold, miss, alarm):
    fpr, tpr = (normal > threshold).mean(), (defects > threshold).mean()
    return expected_cost(parts_per_shift(tpr, fpr, **LINE), miss=miss, false_alarm=alarm)


def test_a_shift_adds_up_to_its_parts():
    shift = parts_per_shift(0.9, 0.05, **LINE)
    assert (shift.good_passed, shift.good_flagged) == pytest.approx((1862, 98))
    assert (shift.bad_caught, shift.bad_missed) == pytest.approx((36, 4))
    assert expected_cost(shift, miss=10, false_alarm=2) == pytest.approx(4 * 10 + 98 * 2)


def test_the_curve_is_the_cost_at_each_of_its_thresholds(scores):
    curve = cost_curve(*scores, **LINE, miss=30, false_alarm=2)
    assert len(curve.threshold) == len(np.unique(np.concatenate(scores))) + 1
    by_hand = [brute_force(*scores, t, 30, 2) for t in curve.threshold]
    np.testing.assert_allclose(curve.cost, by_hand)


def test_no_threshold_is_cheaper_than_the_cheapest(scores):
    curve = cost_curve(*scores, **LINE, miss=30, false_alarm=2)
    anywhere = [brute_force(*scores, t, 30, 2) for t in np.linspace(0, 100, 3000)]
    assert brute_force(*scores, curve.cheapest, 30, 2) == pytest.approx(curve.cost.min())
    assert curve.cost.min() <= min(anywhere) + 1e-9


def test_with_equal_costs_and_halves_the_cheapest_maximises_youdens_index(scores):
    normal, defects = scores
    curve = cost_curve(normal, defects, parts=100, defect_share=0.5, miss=1, false_alarm=1)
    youden = [(defects > t).mean() - (normal > t).mean() for t in np.linspace(0, 100, 3000)]
    at = (defects > curve.cheapest).mean() - (normal > curve.cheapest).mean()
    assert at == pytest.approx(max(youden))


def test_the_cheapest_threshold_lies_midway_between_its_neighbours():
    curve = cost_curve(np.array([1.0, 2.0]), np.array([20.0, 21.0]), **LINE, miss=1, false_alarm=1)
    assert curve.cheapest == 11


def test_of_equally_cheap_thresholds_the_one_in_the_widest_gap_wins():
    curve = cost_curve(np.array([1.0, 8.0]), np.array([2.0, 20.0]), parts=2, defect_share=0.5, miss=1, false_alarm=1)
    np.testing.assert_allclose(curve.cost, [1, 0.5, 1, 0.5, 1])
    assert curve.cheapest == 14  # 8 to 20 grows 2.5-fold, 1 to 2 twofold


def test_where_alarms_are_free_everything_is_flagged_even_a_score_of_zero():
    normal, defects = np.array([0.0, 3.0]), np.array([0.0, 4.0])
    curve = cost_curve(normal, defects, **LINE, miss=1, false_alarm=0)
    assert (defects > curve.cheapest).all()
    np.testing.assert_allclose(curve.cost, [brute_force(normal, defects, t, 1, 0) for t in (-1, 1, 3.5, 5)])


@pytest.mark.parametrize(("parts", "share", "words"), [(0, 0.1, "at least 1 part"), (10, 1.5, "between 0 and 1")])
def test_a_shift_that_cannot_be_is_refused(parts, share, words):
    with pytest.raises(GadError, match=words):
        parts_per_shift(1, 0, parts=parts, defect_share=share)


def test_a_cost_needs_both_kinds(scores):
    with pytest.raises(GadError, match="got 40 and 0"):
        cost_curve(scores[0], np.array([]), **LINE, miss=1, false_alarm=1)


def test_a_band_divides_all_images(scores):
    values, anomalous = np.concatenate(scores), np.arange(65) >= 40
    band = Band(20.0, 30.0)
    rates = band_rates(values, anomalous, band)
    for three, part in ((rates.good, scores[0]), (rates.bad, scores[1])):
        assert [rate.count for rate in three] == [
            (part <= 20).sum(),
            ((part > 20) & (part <= 30)).sum(),
            (part > 30).sum(),
        ]
        assert sum(rate.value for rate in three) == pytest.approx(1)
    assert band_rates(values[:40], anomalous[:40], band).bad is None


def test_a_score_on_an_edge_of_the_band_is_on_its_lower_side():
    rates = band_rates(np.array([2.0, 3.0]), np.zeros(2, bool), Band(2.0, 3.0))
    assert [rate.count for rate in rates.good] == [1, 1, 0]


def test_a_band_the_wrong_way_round_is_refused(scores):
    with pytest.raises(GadError, match="exchange them"):
        band_rates(scores[0], np.zeros(40, bool), Band(30.0, 20.0))


def test_exact_chi_square_quantiles_lie_on_the_diagonal():
    distances = np.sqrt(stats.chi2.ppf((np.arange(50) + 0.5) / 50, 7))
    theory, observed = qq_points(distances[::-1], 7)
    np.testing.assert_allclose(theory, observed)


def test_scores_below_zero_can_all_be_flagged_and_all_be_passed():
    normal, defects = np.array([-3.0, -2.0, -1.0]), np.array([-2.5, 4.0])
    curve = cost_curve(normal, defects, parts=100, defect_share=0.5, false_alarm=1, miss=1)
    assert curve.threshold[0] < -3
    assert curve.threshold[-1] > 4
    assert curve.cost[0] == pytest.approx(50)
    assert curve.cost[-1] == pytest.approx(50)
    assert -1 < curve.cheapest < 4
