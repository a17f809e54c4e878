"""Promises with confidence: against binomial laws, simulation, and the numbers of the literature."""

import numpy as np
import pytest
from scipy import stats

from gad_core.decision import assurance
from gad_core.decision import working_point as wp
from gad_core.errors import SampleTooSmall


@pytest.mark.parametrize("n", [60, 100, 209, 998])
@pytest.mark.parametrize("target", [0.05, 0.1, 0.003])
def test_the_rank_is_the_first_whose_broken_promises_are_5_percent_at_most(n, target):
    """The true rate above number k exceeds the target where fewer than k of n uniform scores lie below 1 - target."""
    broken = [stats.binom.sf(k - 1, n, 1 - target) for k in range(1, n + 1)]
    kept = [k for k, chance in enumerate(broken, start=1) if chance <= 0.05]
    assert assurance.assured_ranks(n, np.array([target]))[0] == (kept[0] if kept else 0)


def test_normals_needed_for_confidence_are_those_of_the_literature():
    assert [assurance.needed_for_assurance(target) for target in (0.05, 0.02, 0.01, 0.003)] == [59, 149, 299, 998]


@pytest.mark.parametrize("target", [0.1, 0.05])
def test_normals_needed_at_every_target_are_the_fewest(target):
    n = assurance.needed_for_assurance(target, simultaneous=True)
    assert assurance.assured_ranks(n, np.array([target]), simultaneous=True)[0] == n
    assert assurance.assured_ranks(n - 1, np.array([target]), simultaneous=True)[0] == 0


@pytest.mark.parametrize("n", [1, 7, 100, 500])
def test_all_bounds_hold_at_once_in_95_of_100(n):
    uniform = np.sort(np.random.default_rng(n).random((20_000, n)), axis=1)
    rates = 1 - uniform  # above each of the sorted scores
    held = (rates <= assurance.upper_bounds(n, simultaneous=True)).all(axis=1).mean()
    assert held == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / 20_000))


def test_a_bound_at_any_threshold_is_clopper_and_pearsons():
    scores = np.arange(50.0)
    for threshold, above in ((48.0, 1), (40.5, 9)):
        exact = stats.binomtest(above, 50, alternative="less").proportion_ci(0.95).high
        assert assurance.rate_at_most(scores, threshold) == pytest.approx(exact)
    assert assurance.rate_at_most(scores, -1.0) == 1


def test_a_conformal_threshold_exceeds_its_target_in_45_of_100_calibrations():
    n, target = 200, 0.05
    rank = wp.conformal_rank(n, target)
    rates = 1 - np.sort(np.random.default_rng(0).random((20_000, n)), axis=1)[:, rank - 1]
    share = assurance.exceeding(n, rank, target)
    assert share == pytest.approx(np.mean(rates > target), abs=0.015)
    assert round(share, 2) == 0.45


@pytest.mark.parametrize("split", [True, False])
def test_confident_thresholds_say_what_they_promise(split):
    scores = np.random.default_rng(1).permutation(np.arange(1.0, 301.0))
    point = wp.confident(scores, 0.05, split=split)
    assert point.threshold == assurance.assured_ranks(300, np.array([0.05]))[0]
    assert point.method == ("split-confident" if split else "cross-confident")
    assert ("about 95 %" in point.how) == (not split)
    higher = wp.confident(scores, 0.05, split=split, simultaneous=True)
    assert higher.threshold > point.threshold
    assert "at every target at once" in higher.how


def test_too_few_normals_are_told_how_many_are_needed():
    with pytest.raises(SampleTooSmall, match="needs at least 59 calibration images, got 40; add 19") as refusal:
        wp.confident(np.arange(40.0), 0.05, split=True)
    assert (refusal.value.needed, refusal.value.n) == (59, 40)
    with pytest.raises(SampleTooSmall, match="at every target at once needs at least 119 left-out"):
        wp.confident(np.arange(100.0), 0.05, split=False, simultaneous=True)


def test_with_groups_the_promise_is_for_a_new_group():
    """Lots of equal parts: images of one lot say nothing of another, and a lot counts once."""
    rng = np.random.default_rng(7)
    broken, naive = 0, 0
    for _ in range(400):
        lots = rng.normal(size=90)
        scores, groups = (
            np.repeat(lots, 8) + 0.1 * rng.normal(size=720),
            np.repeat(np.arange(90).astype(str), 8).tolist(),
        )
        sd = np.sqrt(1 + 0.1**2)
        broken += stats.norm.sf(wp.confident(scores, 0.1, split=True, groups=groups).threshold, scale=sd) > 0.1
        naive += stats.norm.sf(wp.confident(scores, 0.1, split=True).threshold, scale=sd) > 0.1
    assert broken / 400 < 0.09
    assert naive / 400 > 0.2
    with pytest.raises(SampleTooSmall, match="groups of calibration images, got 20"):
        wp.confident(np.arange(200.0), 0.05, split=True, groups=[str(i % 20) for i in range(200)])


def test_left_out_rates_of_a_confident_threshold_are_those_of_the_other_folds():
    scores, folds = np.random.default_rng(8).normal(size=240), np.arange(240) % 4
    groups = [str(i % 120) for i in range(240)]
    for group_ids in (None, groups):
        point = wp.confident(scores, 0.1, split=False, groups=group_ids)
        flagged = 0
        for fold in range(4):
            others = [g for g, f in zip(groups, folds, strict=True) if f != fold] if group_ids else None
            limit = wp.confident(scores[folds != fold], 0.1, split=False, groups=others).threshold
            flagged += int((scores[folds == fold] > limit).sum())
        assert wp.left_out_rate(point, scores, folds, groups=group_ids).count == flagged
