"""Presets held against each other: DeLong's paired test by its definition, and which preset is taken."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from gad_core.data.datasets import read_dataset
from gad_core.decision.curves import auroc, auroc_difference
from gad_core.decision.evaluation import Projected, level_scores
from gad_core.decision.preset_comparison import compare_presets
from gad_core.features.engines import load_engine
from gad_core.features.extract import extract
from gad_core.features.registry import get_backbone
from gad_core.gaussian.fit import fit_images
from gad_core.gaussian.settings import FitSettings
from gad_core.gaussian.tuning import presets


def drawn(seed, m=25, n=40, shared=0.7, rounded=False):
    rng = np.random.default_rng(seed)
    anomalous = np.arange(m + n) < m
    common = rng.normal(size=m + n) + anomalous
    first, second = (shared * common + (1 - shared) * rng.normal(size=m + n) for _ in range(2))
    return (np.round(first, 1), np.round(second, 1), anomalous) if rounded else (first, second, anomalous)


def delong(first, second, anomalous):
    """Difference and its variance, pair by pair, as DeLong et al. write them."""
    v10, v01 = [], []
    for scores in (first, second):
        x, y = scores[anomalous], scores[~anomalous]
        psi = (x[:, None] > y[None]) + 0.5 * (x[:, None] == y[None])
        v10.append(psi.mean(axis=1))
        v01.append(psi.mean(axis=0))
    s = np.cov(v10) / anomalous.sum() + np.cov(v01) / (~anomalous).sum()
    return v10[0].mean() - v10[1].mean(), s[0, 0] + s[1, 1] - 2 * s[0, 1]


@pytest.mark.parametrize("rounded", [False, True], ids=["all different", "with ties"])
def test_the_difference_is_delongs(rounded):
    first, second, anomalous = drawn(1, rounded=rounded)
    found = auroc_difference(first, second, anomalous)
    value, variance = delong(first, second, anomalous)
    assert found.value == pytest.approx(value)
    assert (found.high - found.low) / 2 == pytest.approx(stats.norm.ppf(0.975) * np.sqrt(variance))
    assert found.p_value == pytest.approx(2 * stats.norm.sf(abs(value) / np.sqrt(variance)))
    back = auroc_difference(second, first, anomalous)
    assert (back.value, back.low, back.high) == pytest.approx((-found.value, -found.high, -found.low))


def test_where_nothing_differs_there_is_no_chance_in_it():
    first, second, anomalous = drawn(2)
    same = auroc_difference(first, 3 * first - 7, anomalous)
    assert (same.value, same.low, same.high, same.p_value) == (0, 0, 0, 1)
    one = anomalous & (np.cumsum(anomalous) == 1)  # a single defect says nothing of its kind
    kept = one | ~anomalous
    unknown = auroc_difference(first[kept], second[kept], anomalous[kept])
    assert (unknown.low, unknown.high, unknown.p_value) == (-1, 1, 1)
    assert unknown.by_chance


def test_equally_good_scores_are_told_apart_as_seldom_as_promised():
    wrong = sum(not auroc_difference(*drawn(seed)).by_chance for seed in range(400))
    assert stats.binomtest(wrong, 400, 0.05).pvalue > 0.01


@pytest.fixture(scope="module")
def engine():
    return load_engine("tf_efficientnet_lite0")


def compared(stripes: Path, engine, *, labels=None, settings=None):
    data = read_dataset(stripes)
    detector = fit_images(data.train, engine, settings or FitSettings(n_folds=3)).detector
    test = extract(data.test, engine, regions=detector.regions)
    projected, labels = Projected.of(detector, test.features), test.images.labels if labels is None else labels
    return projected, labels, compare_presets(projected, labels, 0.2)


def test_every_preset_is_read_off_the_same_fit(stripes, engine):
    projected, labels, found = compared(stripes, engine)
    tunings = presets(get_backbone("tf_efficientnet_lite0"), projected.detector.regions)
    assert [(one.name, one.tuning) for one in found.results] == list(tunings.items())
    for one in found.results:
        scores = level_scores(projected, one.tuning)["sum"]
        assert one.area.value == pytest.approx(auroc(scores.test, labels).value)
        flagged = int((scores.test[labels] > one.rates.point.threshold).sum())
        assert (one.rates.tpr.count, one.rates.tpr.n) == (flagged, 6)
    assert found.best.area.value == max(one.area.value for one in found.results)


def test_the_first_is_taken_unless_another_is_better_by_more_than_chance(stripes, engine):
    projected, _, found = compared(stripes, engine)
    assert found.taken is found.results[0]
    # Call defective what the whole image finds stranger than the regions do.
    first, whole = (level_scores(projected, one.tuning)["sum"].test for one in found.results[:2])
    order = stats.rankdata(whole) - stats.rankdata(first)
    seen = set()
    by_chance = np.arange(16) % 3 == 0
    for labels in (order >= np.sort(order)[-5], by_chance):
        again = compare_presets(projected, labels, 0.2)
        assert (again.taken is again.results[0]) is again.results[0].behind.by_chance
        seen.add(again.results[0].behind.by_chance)
    assert seen == {True, False}


def test_without_labels_and_without_regions_there_is_still_a_first(stripes, engine):
    labels = np.zeros(16, bool)
    projected, _, found = compared(stripes, engine, labels=labels, settings=FitSettings(n_folds=3, regions=None))
    assert found.best is None
    assert found.taken.name == "Whole image, levels 6-8"
    assert all(one.area is None and one.behind is None and one.rates.tpr is None for one in found.results)
    few = compare_presets(projected, labels, 0.001)  # thirty images do not support it
    assert all(one.rates is None for one in few.results)
