"""Detectors side by side: fixed rates by counting, areas and resampling against libraries."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from gad_core.decision.curves import auroc_difference, rank_area
from gad_core.decision.detector_comparison import (
    bootstrap_difference,
    compare,
    disagreements,
    places,
    winner,
)


@pytest.fixture
def scored():
    """Three detectors of falling merit on 60 good and 40 defective images, with ties."""
    rng = np.random.default_rng(0)
    anomalous = np.arange(100) >= 60
    scores = {
        name: np.round(rng.normal(size=100) + shift * anomalous, 1)
        for name, shift in (("good", 4.0), ("fair", 1.5), ("poor", 0.3))
    }
    return scores, anomalous


def test_areas_are_scikit_learns(scored):
    scores, anomalous = scored
    for one in compare(scores, anomalous):
        assert one.area.value == pytest.approx(roc_auc_score(anomalous, scores[one.name]))
        own = scores[one.name]
        assert rank_area(own[anomalous], own[~anomalous]) == pytest.approx(one.area.value)


def test_fixed_rates_are_the_best_of_all_thresholds(scored):
    scores, anomalous = scored
    for one in compare(scores, anomalous):
        own = scores[one.name]
        normal, defects = own[~anomalous], own[anomalous]
        cuts = np.concatenate([[-np.inf], np.unique(own)])
        allowed = [np.count_nonzero(defects > cut) for cut in cuts if np.mean(normal > cut) <= 0.05]
        assert one.tpr.count == max(allowed)
        needed = [np.count_nonzero(normal > cut) for cut in cuts if np.mean(defects > cut) >= 0.95]
        assert one.fpr.count == min(needed)


def test_nobody_wins_where_intervals_overlap(scored):
    scores, anomalous = scored
    apart = compare({name: scores[name] for name in ("good", "poor")}, anomalous)
    assert winner(apart).name == "good"
    near = {"good": scores["good"], "again": scores["good"] + np.random.default_rng(1).normal(0, 0.1, 100)}
    assert winner(compare(near, anomalous)) is None
    assert winner(compare({"good": scores["good"]}, anomalous)) is None


def test_resampling_agrees_with_delong(scored):
    scores, anomalous = scored
    delong = auroc_difference(scores["good"], scores["fair"], anomalous)
    resampled = bootstrap_difference(scores["good"], scores["fair"], anomalous)
    assert resampled.value == pytest.approx(delong.value)
    assert resampled.low == pytest.approx(delong.low, abs=0.015)
    assert resampled.high == pytest.approx(delong.high, abs=0.015)
    assert resampled.p_value < 0.05
    back = bootstrap_difference(scores["fair"], scores["good"], anomalous)
    assert (back.low, back.high) == pytest.approx((-resampled.high, -resampled.low))


def test_equal_scores_do_not_differ(scored):
    scores, anomalous = scored
    same = bootstrap_difference(scores["fair"], scores["fair"], anomalous, draws=50)
    assert (same.value, same.low, same.high, same.p_value) == (0, 0, 0, 1)


def test_a_place_is_the_percentile_among_good_images(scored):
    scores, anomalous = scored
    own = scores["fair"]
    expected = [stats.percentileofscore(own[~anomalous], value, kind="mean") / 100 for value in own]
    np.testing.assert_allclose(places(own, anomalous), expected)


def test_the_largest_disagreement_comes_first():
    anomalous = np.array([False] * 4 + [True] * 2)
    first = np.array([1, 2, 3, 4, 9, 0.0])
    second = np.array([1, 2, 3, 4, 0.0, 9])
    order, difference = disagreements(first, second, anomalous)
    assert set(order[:2]) == {4, 5}
    assert (difference[4], difference[5]) == (1, -1)
