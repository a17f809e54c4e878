"""Of the images flagged together, the promised share at most is good."""

from dataclasses import replace

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from gad_core.decision.evaluation import LevelScores
from gad_core.decision.false_discovery import flag_batch
from gad_core.decision.verdict import judge
from gad_core.errors import GadError


def scores_of(test, *, left_out=None, calibration=None, groups=None) -> LevelScores:
    left_out = np.zeros(1) if left_out is None else np.asarray(left_out, float)
    held = None if calibration is None else np.asarray(calibration, float)
    n = len(left_out)
    return LevelScores("sum", None, n, np.arange(n), left_out, np.asarray(test, float), held, calibration_groups=groups)


@pytest.mark.parametrize("seed", range(4))
def test_q_values_are_statsmodels_benjamini_hochberg_of_the_conformal_p_values(seed):
    rng = np.random.default_rng(seed)
    calibration, test = rng.normal(size=120), np.concatenate([rng.normal(size=30), rng.normal(3, 1, 20)])
    batch = flag_batch(scores_of(test, calibration=calibration), 0.1)
    p_values = [(1 + (calibration >= score).sum()) / 121 for score in test]
    rejected, corrected, *_ = multipletests(p_values, 0.1, "fdr_bh")
    np.testing.assert_allclose(batch.q_values, corrected, atol=1e-8)
    np.testing.assert_array_equal(batch.flagged, rejected)


def test_the_share_of_good_ones_among_the_flagged_is_the_target_times_that_in_the_batch():
    rng = np.random.default_rng(1)
    shares = []
    for _ in range(3000):
        test = np.concatenate([rng.normal(size=40), rng.normal(3.5, 1, 10)])
        flagged = flag_batch(scores_of(test, calibration=rng.normal(size=499)), 0.1).flagged
        shares.append(flagged[:40].sum() / max(flagged.sum(), 1))
    error = np.std(shares) / np.sqrt(len(shares))
    assert np.mean(shares) == pytest.approx(0.8 * 0.1, abs=4 * error)  # equal where (n + 1) fdr / m is whole
    assert error < 0.003


def test_the_promise_is_a_theorem_only_with_separate_images_that_stand_alone():
    left_out, calibration = np.arange(50.0), np.arange(30.0)
    separate = flag_batch(scores_of([60.0], left_out=left_out, calibration=calibration, groups=[None] * 30), 0.1)
    lots = flag_batch(scores_of([60.0], calibration=calibration, groups=["a", "b", None] * 10), 0.1)
    crossed = flag_batch(scores_of([60.0], left_out=left_out), 0.1)
    assert (separate.exact, lots.exact, crossed.exact) == (True, False, False)
    assert (separate.n_normal, crossed.n_normal) == (30, 50)
    assert "about" not in separate.how
    assert "about, not exactly" in lots.how
    assert "about, not exactly" in crossed.how


@pytest.mark.parametrize(("m", "beyond", "fdr"), [(60, 3, 0.1), (50, 1, 0.2), (7, 2, 0.05), (100, 100, 0.01)])
def test_the_needed_number_of_normals_is_the_least_with_which_those_beyond_are_flagged(m, beyond, fdr):
    test = np.concatenate([np.zeros(m - beyond), np.full(beyond, 9.0)])
    few = flag_batch(scores_of(test, calibration=np.ones(4)), fdr)
    assert not few.flagged.any()
    assert f"it takes {few.needed} of them" in few.too_few
    one_less = flag_batch(scores_of(test, calibration=np.ones(few.needed - 1)), fdr)
    enough = flag_batch(scores_of(test, calibration=np.ones(few.needed)), fdr)
    assert (one_less.flagged.sum(), enough.flagged.sum()) == (0, beyond)
    assert one_less.needed == few.needed
    assert enough.too_few is None


def test_more_normals_are_not_to_blame_where_nothing_lies_beyond_them():
    batch = flag_batch(scores_of(np.zeros(20), calibration=np.arange(5)), 0.1)
    assert not batch.flagged.any()
    assert batch.too_few is None


@pytest.mark.parametrize("fdr", [0, 1, 10, -0.1, float("nan")])
def test_a_rate_that_is_none_is_refused(fdr):
    with pytest.raises(GadError, match="between 0 and 1"):
        flag_batch(scores_of([1.0], calibration=np.arange(5)), fdr)


def test_a_verdict_judges_the_batch_where_it_is_asked_to(detector, features):
    assert judge(detector, features[100:]).batch is None
    verdict = judge(detector, features[100:], target_fpr=0.1, fdr=0.2)
    assert verdict.batch.exact
    calibration = detector.scores(features[60:100])
    p_values = [(1 + (calibration >= score).sum()) / 41 for score in verdict.scores]
    np.testing.assert_array_equal(verdict.batch.flagged, multipletests(p_values, 0.2, "fdr_bh")[0])
    crossed = judge(replace(detector, calibration=None), features[100:], fdr=0.2)
    assert (crossed.batch.exact, crossed.batch.n_normal) == (False, 60)
