"""Learning curves against fits by hand, and sample sizes against exact binomial bounds."""

import math
from functools import partial

import numpy as np
import pytest
from scipy import stats
from sklearn.covariance import LedoitWolf
from sklearn.metrics import roc_auc_score

from gad_core.decision.assurance import certifiable
from gad_core.decision.planner import certifiable_with, learning_curve
from gad_core.errors import GadError
from gad_core.features.regions import Regions
from gad_core.gaussian.by_region import fit_regions
from gad_core.gaussian.pooling import Pool
from gad_core.gaussian.reduction import Reduction
from gad_core.gaussian.spectrum import fit_gaussian
from gad_core.gaussian.tuning import Tuning

SLICES = (slice(0, 8), slice(8, 20), slice(20, 40))
TUNING = Tuning((1, 3))


@pytest.fixture(scope="module")
def normal(features) -> np.ndarray:
    return features[:100]


@pytest.fixture(scope="module")
def curve(normal):
    return partial(learning_curve, normal, SLICES, TUNING, repeats=2)


@pytest.mark.parametrize("keep", [Reduction(), Reduction("npca", 0.3)], ids=str)
def test_all_images_once_are_the_plain_fit(normal, features, anomalous, keep):
    test = features[100:]
    tuning = Tuning((1, 3), keep)
    (size,) = learning_curve(
        normal, SLICES, tuning, test_features=test, anomalous=anomalous, sizes=[100], repeats=1, seed=3
    )
    parts = [SLICES[0], SLICES[2]]
    fits = [fit_gaussian(normal[:, part]) for part in parts]
    distance = sum(g.spectrum.distances(g.coordinates(test[:, p]), keep) for g, p in zip(fits, parts, strict=True))
    assert size.auroc == pytest.approx([roc_auc_score(anomalous, distance)])
    assert size.shrinkage == pytest.approx([np.mean([g.spectrum.shrinkage(keep) for g in fits])])
    assert np.isnan(size.left_out_fpr).all()


def test_shrinkage_is_that_of_ledoit_and_wolf_over_the_tuned_levels(normal, curve):
    (size,) = curve(sizes=[100])
    oracle = np.mean([LedoitWolf().fit(normal[:, part]).shrinkage_ for part in (SLICES[0], SLICES[2])])
    assert size.shrinkage == pytest.approx([oracle] * 2, rel=1e-5)


def test_the_flagged_share_is_that_of_a_threshold_made_by_hand(normal, curve):
    def distance(fitted, other):
        fits = [(part, LedoitWolf().fit(fitted[:, part])) for part in (SLICES[0], SLICES[2])]
        return sum(np.sqrt(fit.mahalanobis(other[:, part])) for part, fit in fits)

    def by_hand(repetition):
        order = np.random.default_rng((5, repetition)).permutation(100)
        drawn, rest = normal[order[:60]].astype(float), normal[order[60:]].astype(float)
        folds = np.arange(60) % 20
        left_out = np.concatenate([distance(drawn[folds != fold], drawn[folds == fold]) for fold in range(20)])
        threshold = np.sort(left_out)[math.ceil(61 * 0.8) - 1]
        return (distance(drawn, rest) > threshold).mean()

    (size,) = curve(sizes=[60], repeats=8, seed=5, target_fpr=0.2)
    assert size.left_out_fpr == pytest.approx([by_hand(repetition) for repetition in range(8)])


def test_shrinkage_falls_with_images(curve):
    small, large = curve(sizes=[20, 80])
    assert np.mean(large.shrinkage) < np.mean(small.shrinkage)


def test_a_subset_too_small_for_the_target_knows_no_rate(curve):
    small, enough = curve(sizes=[18, 19])
    assert np.isnan(small.left_out_fpr).all()
    assert np.isfinite(enough.left_out_fpr).all()


def test_the_same_seed_gives_the_same_curve_and_another_seed_another(curve):
    first, again, other = (curve(sizes=[40, 60], seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert all(one.shrinkage != two.shrinkage for one, two in zip(first, other, strict=True))


def test_repetitions_draw_different_images(curve):
    (size,) = curve(sizes=[50])
    assert len(set(size.shrinkage)) == 2


def test_a_size_does_not_depend_on_the_sizes_beside_it(curve):
    assert curve(sizes=[40])[0] == curve(sizes=[20, 40])[1]


def test_sizes_are_sorted_and_counted_once(curve):
    assert [size.n for size in curve(sizes=[40, 20, 40])] == [20, 40]


def test_default_sizes_rise_from_ten_to_nine_tenths_in_even_ratios(curve):
    sizes = [size.n for size in curve(repeats=1)]
    assert sizes == [10, 16, 24, 37, 58, 90]


def test_twelve_images_are_enough(normal):
    assert [size.n for size in learning_curve(normal[:12], SLICES, TUNING, repeats=1)] == [10]


@pytest.mark.parametrize("labels", [None, np.zeros(60, bool), np.ones(60, bool)])
def test_without_both_kinds_there_is_no_area(curve, features, labels):
    (size,) = curve(test_features=features[100:], anomalous=labels, sizes=[20])
    assert size.auroc is None


def test_progress_counts_every_fit(curve):
    calls = []
    curve(sizes=[20, 30, 40], progress=lambda done, total: calls.append((done, total)))
    assert calls == [(done, 6) for done in range(1, 7)]


def test_eleven_images_are_refused(normal):
    with pytest.raises(GadError, match="need at least 12 normal images for a learning curve, got 11; add normal"):
        learning_curve(normal[:11], SLICES, TUNING)


@pytest.mark.parametrize("size", [4, 101])
def test_a_size_that_cannot_be_drawn_is_refused(curve, size):
    with pytest.raises(GadError, match=f"needs sizes from 5 to 100, got {size}"):
        curve(sizes=[20, size])


def test_no_repetition_is_refused(curve):
    with pytest.raises(GadError, match="at least 1 repetition"):
        curve(repeats=0)


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("target", [0.001, 0.0027, 0.01, 0.05, 0.2, 0.5])
def test_certifiable_is_the_first_size_at_which_no_flag_would_be_a_surprise(target, confidence):
    n = certifiable(target, confidence)
    assert stats.binom.pmf(0, n, target) <= (1 - confidence) * (1 + 1e-9)
    assert n == 1 or stats.binom.pmf(0, n - 1, target) > 1 - confidence


def test_the_rule_of_three():
    assert certifiable(0.05) == 59
    assert certifiable(0.01) == 299


@pytest.mark.parametrize("target", [0.01, 0.05, 0.3])
def test_no_share_is_no_flag(target):
    assert certifiable_with(target, 0.0) == certifiable(target)


@pytest.mark.parametrize(("target", "share"), [(0.05, 0.02), (0.05, 0.03), (0.2, 0.1), (0.1, 0.07)])
def test_certifiable_with_is_the_first_size_whose_exact_bound_is_below_the_target(target, share):
    def bound(n):
        test = stats.binomtest(math.floor(round(share * n, 9)), n, alternative="less")
        return test.proportion_ci(0.95, method="exact").high

    n = certifiable_with(target, share)
    assert bound(n) <= target
    assert all(bound(smaller) > target for smaller in range(1, n))


@pytest.mark.parametrize("share", [0.05, 0.06, -0.01])
def test_a_share_that_is_no_smaller_than_the_target_is_refused(share):
    with pytest.raises(GadError, match="certified only where fewer are flagged"):
        certifiable_with(0.05, share)


def test_a_share_next_to_the_target_is_refused():
    with pytest.raises(GadError, match="over 100,000 images"):
        certifiable_with(0.05, 0.04999)


@pytest.mark.parametrize(("target", "confidence"), [(0, 0.95), (1, 0.95), (0.05, 0), (0.05, 1)])
def test_rates_and_confidences_lie_between_0_and_1(target, confidence):
    with pytest.raises(GadError, match="lies between 0 and 1"):
        certifiable(target, confidence)


@pytest.fixture(scope="module")
def by_region():
    """Features of the whole (8 + 12 + 20) and of 2 x 3 regions at levels 2 and 3: of 60 normals and 20 others."""
    rng = np.random.default_rng(4)
    X = (rng.normal(size=(80, 40 + 6 * 32)) @ rng.normal(size=(232, 232)) / 15 + 3).astype(np.float32)
    X[65:, 40 + 6 * 12 + 20 : 40 + 6 * 12 + 40] += 2  # a region of level 3
    return X[:60], X[60:], np.arange(20) >= 5


@pytest.mark.parametrize("levels", [(3,), (2, 3)])
def test_a_curve_by_region_is_that_of_fits_by_hand(by_region, levels):
    normal, test, anomalous = by_region
    regions = Regions(2, 3, (2, 3))
    tuning = Tuning(levels, Reduction("npca", 0.3), pool=Pool("top", 0.4))
    (size,) = learning_curve(
        normal,
        SLICES,
        tuning,
        regions=regions,
        test_features=test,
        anomalous=anomalous,
        target_fpr=0.2,
        sizes=[40],
        repeats=1,
        seed=2,
    )
    order = np.random.default_rng((2, 0)).permutation(60)
    drawn, rest = normal[order[:40]], normal[order[40:]]
    folds = np.arange(40) % 5
    fit = fit_regions(drawn, regions, SLICES, folds, reduction=tuning.reduction)
    left_out, scores = fit.left_out_scores(tuning, folds), fit.scores(rest, tuning)
    threshold = np.sort(left_out)[math.ceil(0.8 * 41) - 1]
    assert size.auroc == pytest.approx([roc_auc_score(anomalous, fit.scores(test, tuning))])
    assert size.left_out_fpr == pytest.approx([np.mean(scores > threshold)])
    kept = [fit.gaussians[level - 2] for level in levels]
    expected = np.mean([[g.spectrum.shrinkage(tuning.reduction) for g in level] for level in kept])
    assert size.shrinkage == pytest.approx([expected])


def test_a_pool_without_regions_is_refused(by_region):
    with pytest.raises(GadError, match="name those of the fit"):
        learning_curve(by_region[0], SLICES, Tuning((3,), pool=Pool("max")))
