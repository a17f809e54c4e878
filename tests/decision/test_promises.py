"""What chi-square promises at every level, and what comes of it."""

from functools import partial

import numpy as np
import pytest
from scipy import stats

from gad_core.decision.chi_law import ChiLaw, CoupledChiLaws
from gad_core.decision.evaluation import LevelScores
from gad_core.decision.promises import chi2_rates, most_broken
from gad_core.decision.rates import rate

ANOMALOUS = np.array([False] * 20 + [True] * 5)
K = 12
LAW = ChiLaw(K)


def scores(level, law=LAW, inflation=1.0):
    """Distances of a Gaussian in K dimensions, `inflation` times as far out."""
    rng = np.random.default_rng(int(level) if level != "sum" else 0)
    left_out, test = (np.sqrt(inflation * rng.chisquare(K, n)) for n in (400, 25))
    return LevelScores(level, law, 400, np.zeros(400, np.intp), left_out, test)


@pytest.fixture
def by_level():
    return {"1": scores("1"), "2": scores("2", inflation=2.0), "sum": scores("sum", law=None)}


def test_every_level_is_judged_at_its_own_chi_square_threshold(by_level):
    rates = chi2_rates(by_level, ANOMALOUS, 0.05)
    threshold = np.sqrt(stats.chi2.ppf(0.95, K))
    for level, point in rates.items():
        assert point.point.threshold == pytest.approx(threshold)
        assert point.left_out == rate(int((by_level[level].left_out > threshold).sum()), 400)
        assert point.test == rate(int((by_level[level].test[:20] > threshold).sum()), 20)


def test_a_promise_to_true_gaussians_is_kept(by_level):
    kept, broken = chi2_rates(by_level, ANOMALOUS, 0.05).values()
    assert not kept.breaks_promise
    assert broken.breaks_promise


def test_a_target_too_rare_to_simulate_is_left_out(by_level):
    coupled = CoupledChiLaws(np.random.default_rng(0).normal(size=(50, 2)), np.array([K, K]), partial(np.sum, axis=1))
    assert list(chi2_rates(by_level | {"sum": scores("sum", law=coupled)}, ANOMALOUS, 1e-5)) == ["1", "2"]


def test_what_has_no_chi_square_law_is_left_out(by_level):
    assert list(chi2_rates(by_level, ANOMALOUS, 0.05)) == ["1", "2"]
    assert chi2_rates({"1": scores("1", law=None)}, ANOMALOUS, 0.05) == {}


def test_the_most_broken_promise_is_the_one_furthest_off(by_level):
    assert most_broken(chi2_rates(by_level, ANOMALOUS, 0.05)).level == "2"


def test_too_few_flagged_break_a_promise_as_well():
    by_level = {"1": scores("1", inflation=1.1), "2": scores("2", inflation=0.3)}  # 2 flags nothing at all
    rates = chi2_rates(by_level, ANOMALOUS, 0.5)
    assert rates["2"].left_out.value == 0
    assert 0.5 < rates["1"].left_out.value < 0.9
    assert most_broken(rates).level == "2"
