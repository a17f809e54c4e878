"""Curves equal scikit-learn's; the area's interval follows DeLong's definition and covers."""

import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import binomtest, norm
from sklearn.metrics import precision_recall_curve, roc_auc_score, roc_curve

from gad_core.decision.curves import auroc, precision_recall, roc, roc_band
from gad_core.errors import GadError


def draw(m, n, shift=1.0, seed=0, decimals=1):
    rng = np.random.default_rng(seed)
    scores = np.concatenate([rng.normal(size=n), rng.normal(shift, 1.3, size=m)]).round(decimals)  # rounding makes ties
    return scores, np.repeat([False, True], [n, m])


def test_the_roc_passes_through_scikit_learns_points():
    scores, anomalous = draw(30, 40)
    curve = roc(scores, anomalous)
    fpr, tpr, thresholds = roc_curve(anomalous, scores, drop_intermediate=False)
    np.testing.assert_allclose(curve.x, fpr)
    np.testing.assert_allclose(curve.y, tpr)
    np.testing.assert_array_equal(curve.thresholds, thresholds)


def test_the_band_of_the_roc_covers_the_true_rates_at_a_threshold():
    threshold, covered = 0.8, 0
    truth = norm.sf(threshold), norm.sf(threshold, 1.0, 1.3)
    for seed in range(300):
        scores, anomalous = draw(30, 40, seed=seed, decimals=9)
        curve = roc(scores, anomalous)
        at = np.flatnonzero(curve.thresholds > threshold)[-1]
        low, high = roc_band(curve, n_normal=40, n_anomalous=30)
        covered += high.x[at] <= truth[0] <= low.x[at] and low.y[at] <= truth[1] <= high.y[at]
    assert 0.94 < covered / 300 <= 1


def test_the_band_has_the_exact_binomial_corners_and_a_width_where_the_classes_are_separated():
    curve = roc(np.arange(50.0), np.arange(50) >= 20)
    low, high = roc_band(curve, n_normal=20, n_anomalous=30)
    corner = int(np.flatnonzero((curve.x == 0) & (curve.y == 1))[0])
    level = np.sqrt(0.95)
    assert low.y[corner] == pytest.approx(binomtest(30, 30).proportion_ci(level).low)
    assert low.x[corner] == pytest.approx(binomtest(0, 20).proportion_ci(level).high)
    assert (high.x[corner], high.y[corner]) == (0, 1)


def test_precision_and_recall_equal_scikit_learns():
    scores, anomalous = draw(30, 40)
    curve = precision_recall(scores, anomalous)
    precision, recall, thresholds = precision_recall_curve(anomalous, scores)
    np.testing.assert_allclose(curve.y[::-1], precision[:-1])
    np.testing.assert_allclose(curve.x[::-1], recall[:-1])
    np.testing.assert_array_equal(curve.thresholds[::-1], thresholds)


@pytest.mark.parametrize(("m", "n"), [(30, 40), (2, 50), (60, 3), (1, 9)])
def test_the_area_equals_pair_counting_and_scikit_learn(m, n):
    scores, anomalous = draw(m, n)
    positive, negative = scores[anomalous], scores[~anomalous]
    pairs = (positive[:, None] > negative).mean() + 0.5 * (positive[:, None] == negative).mean()
    assert auroc(scores, anomalous).value == pytest.approx(pairs, rel=1e-12)
    assert auroc(scores, anomalous).value == pytest.approx(roc_auc_score(anomalous, scores), rel=1e-12)


def test_the_interval_follows_delongs_structural_components():
    scores, anomalous = draw(25, 35)
    positive, negative = scores[anomalous], scores[~anomalous]
    psi = (positive[:, None] > negative) + 0.5 * (positive[:, None] == negative)  # (25, 35)
    se = np.sqrt(psi.mean(1).var(ddof=1) / 25 + psi.mean(0).var(ddof=1) / 35)
    a = psi.mean()
    bounds = expit(logit(a) + np.array([-1, 1]) * 1.959963984540054 * se / (a * (1 - a)))
    area = auroc(scores, anomalous)
    assert area.interval == "DeLong"
    assert (area.low, area.high) == pytest.approx(bounds, rel=1e-9)


@pytest.mark.parametrize("flip", [1, -1])
def test_a_perfect_area_gets_an_interval_that_has_a_width(flip):
    scores = flip * np.concatenate([np.arange(20.0), np.arange(100.0, 130.0)])
    area = auroc(scores, np.repeat([False, True], [20, 30]))
    assert area.interval == "Newcombe"
    low, high = (area.low, area.high) if flip > 0 else (1 - area.high, 1 - area.low)
    assert high == 1
    assert 0.8 < low < 1
    # At the bound the observed area is exactly z standard errors away (Hanley & McNeil 1982, exponential model).
    extra = (30 + 20) / 2 - 1
    variance = low * (1 - low) * (1 + extra * ((1 - low) / (2 - low) + low / (1 + low))) / (30 * 20)
    assert (1 - low) / np.sqrt(variance) == pytest.approx(1.959963984540054, rel=1e-6)


def test_one_anomaly_is_enough_for_an_interval():
    area = auroc(np.array([1.0, 2.0, 3.0, 4.0]), np.array([False, False, True, False]))
    assert area.interval == "Newcombe"
    assert area.low < area.value < area.high


def test_the_interval_covers_the_true_area():
    covered = 0
    for seed in range(300):
        scores, anomalous = draw(40, 40, shift=2.0, seed=seed, decimals=9)
        area = auroc(scores, anomalous)
        covered += area.low <= 0.8887 <= area.high  # Phi(2 / sqrt(1 + 1.3^2))
    assert 0.92 <= covered / 300 <= 0.98


@pytest.mark.parametrize("anomalous", [[True, True], [False, False]])
def test_a_missing_class_is_refused(anomalous):
    with pytest.raises(GadError, match="normal and anomalous"):
        auroc(np.array([1.0, 2.0]), np.array(anomalous))


def test_scores_that_are_not_finite_are_refused():
    with pytest.raises(GadError, match="not finite"):
        roc(np.array([1.0, np.nan]), np.array([True, False]))
