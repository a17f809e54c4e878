"""What 5 % thresholds give on new normal images, simulated; `python -m benchmarks.coverage` takes 200 fits each."""

import numpy as np
import pytest

from benchmarks.coverage import DISTRIBUTIONS, METHODS, TARGET, table

#: Images and features, with the rates between which cross-conformal thresholds must come out: a fold's Gaussian has
#: fewer images than the full one and gives larger distances, so that the rate lies a little below its target.
SHAPES = {(100, 320): (0.03, 0.06), (200, 192): (0.035, 0.06)}


@pytest.fixture(scope="module", params=[(shape, kind) for shape in SHAPES for kind in DISTRIBUTIONS], ids=str)
def simulated(request):
    shape, distribution = request.param
    rates = table(distribution, *shape, repetitions=40).mean(axis=0)
    return shape, distribution, dict(zip(METHODS, rates, strict=True))


def test_cross_conformal_thresholds_come_close_to_their_target(simulated):
    shape, _, rates = simulated
    low, high = SHAPES[shape]
    assert low < rates["cross-conformal"] < high


def test_cross_conformal_thresholds_hold_after_a_reduction_that_leaves_a_fold_fewer_components(simulated):
    _, _, rates = simulated
    assert 0.02 < rates["cross-conformal, NPCA 5 %"] < 0.07


def test_split_conformal_thresholds_keep_their_target(simulated):
    _, _, rates = simulated
    assert rates["split-conformal"] == pytest.approx(TARGET, abs=0.007)


def test_chi_square_exceeds_its_target_on_heavy_tails_and_on_weak_components(simulated):
    _, distribution, rates = simulated
    assert rates["chi2, NPCA 5 %"] > 0.1
    if distribution == "student":
        assert rates["chi2"] > 0.1


def test_chi_square_misses_its_target_in_the_whole_space_too(simulated):
    _, _, rates = simulated
    assert not np.isclose(rates["chi2"], TARGET, atol=0.015)
