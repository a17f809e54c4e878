"""Variance components, shares of the tolerance and verdicts of parts that were imaged several times."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.formula.api import ols

from gad_core.decision.repeatability import repeatability
from gad_core.errors import GadError


def study(seed=0, sizes=(3,) * 10, *, repeat=0.5, parts=2.0, threshold=30.0, centre=20.0):
    rng = np.random.default_rng(seed)
    names = [f"part {i}" for i, size in enumerate(sizes) for _ in range(size)]
    scores = np.repeat(rng.normal(20, parts, len(sizes)), sizes) + repeat * rng.normal(size=len(names))
    return scores, names, repeatability(scores, names, threshold=threshold, centre=centre)


@pytest.mark.parametrize("sizes", [(3,) * 10, (2, 5, 3, 2, 8)])
def test_the_components_are_those_of_statsmodels_anova(sizes):
    scores, names, found = study(3, sizes)
    table = sm.stats.anova_lm(ols("score ~ C(part)", pd.DataFrame({"score": scores, "part": names})).fit())
    within, between = table["mean_sq"]["Residual"], table["mean_sq"]["C(part)"]
    n, n_squared = sum(sizes), sum(size**2 for size in sizes)
    usual = (n - n_squared / n) / (len(sizes) - 1)
    assert found.sigma == pytest.approx(np.sqrt(within))
    assert found.sigma_parts == pytest.approx(np.sqrt((between - within) / usual))
    assert found.p_value == pytest.approx(table["PR(>F)"]["C(part)"], rel=1e-6)


def test_the_f_test_is_scipys():
    _, _, found = study(1, parts=0.2)
    assert found.p_value == pytest.approx(stats.f_oneway(*(part.scores for part in found.parts)).pvalue)


def test_the_interval_of_the_repeatability_covers_the_truth():
    covered = [(found.sigma_low <= 0.5 <= found.sigma_high) for found in (study(seed)[2] for seed in range(800))]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.025)


def test_the_components_are_found_where_they_are_known():
    found = [study(seed)[2] for seed in range(300)]
    assert np.mean([one.sigma**2 for one in found]) == pytest.approx(0.25, rel=0.04)
    assert np.mean([one.sigma_parts**2 for one in found]) == pytest.approx(4, rel=0.09)


@pytest.mark.parametrize(("repeat", "word"), [(0.1, "passes"), (0.7, "doubtful"), (2.0, "fails")])
def test_the_verdict_follows_three_standard_deviations_over_the_tolerance(repeat, word):
    _, _, found = study(5, repeat=repeat)
    assert found.grr == pytest.approx(3 * found.sigma / 10)
    low, high = found.grr_interval
    assert low < found.grr < high
    assert found.word == word


def test_shares_do_not_depend_on_unit_and_zero():
    scores, names, found = study(7)
    moved = repeatability(5 * scores - 300, names, threshold=5 * 30 - 300, centre=5 * 20 - 300)
    assert (moved.grr, moved.p_value, moved.sigma_parts) == pytest.approx(
        (found.grr, found.p_value, 5 * found.sigma_parts)
    )
    assert (moved.categories, moved.agreement, moved.word) == (found.categories, found.agreement, found.word)


def test_categories_are_those_of_the_ratio_of_the_components():
    _, _, found = study(2)
    assert found.categories == int(1.41 * found.sigma_parts / found.sigma) >= 3
    assert study(2, parts=0)[2].categories == 1


def test_verdicts_agree_where_all_pictures_of_a_part_fall_on_one_side():
    scores = np.array([1.0, 2.0, 5.0, 6.0, 2.9, 3.1])
    found = repeatability(scores, ["a", "a", "b", "b", "c", "c"], threshold=3, centre=1)
    assert (found.agreement.count, found.agreement.n) == (2, 3)
    interval = stats.binomtest(2, 3).proportion_ci(0.95, "exact")
    assert (found.agreement.low, found.agreement.high) == pytest.approx((interval.low, interval.high))
    assert [part.name for part in found.parts] == ["a", "c", "b"]


def test_pictures_that_are_mostly_flagged_are_said_to_be():
    names = ["a", "a", "b", "b"]
    assert repeatability(np.array([1.0, 9.0, 8.0, 7.0]), names, threshold=3, centre=1).mostly_flagged
    assert not repeatability(np.array([1.0, 9.0, 8.0, 2.0]), names, threshold=3, centre=1).mostly_flagged


def test_a_part_imaged_once_is_named_and_left_out():
    scores, names, found = study(4)
    more = repeatability(np.append(scores, 500.0), [*names, "alone"], threshold=30, centre=20)
    assert more.once == ("alone",)
    assert (more.sigma, more.sigma_parts) == (found.sigma, found.sigma_parts)


@pytest.mark.parametrize(
    ("scores", "names", "threshold", "words"),
    [
        ([1, 2, 3], ["a", "a", "b"], 9, "needs 2 parts or more that were imaged at least twice, got 1 among 2"),
        ([1, 2, 3, 4], list("abcd"), 9, "got 0 among 4"),
        ([1, 1, 3, 3], list("aabb"), 9, "take the pictures anew"),
        ([1, 2, 3, 4], list("aabb"), 0.5, "leaves no tolerance"),
    ],
)
def test_what_tells_nothing_is_refused(scores, names, threshold, words):
    with pytest.raises(GadError, match=words):
        repeatability(np.array(scores, float), names, threshold=threshold, centre=1.0)
