"""From regions to one score: each on its own scale, then the highest, a power mean, the mean, or the maximum."""

import numpy as np
import pytest
from scipy import stats

from gad_core.errors import GadError
from gad_core.gaussian.pooling import Pool, Standard

VALUES = np.random.default_rng(0).normal(size=(6, 49))


def test_the_highest_tenth_of_49_regions_are_five():
    expected = np.sort(VALUES, axis=1)[:, -5:].mean(axis=1)
    np.testing.assert_allclose(Pool("top", 0.1)(VALUES), expected)
    np.testing.assert_allclose(Pool("top", 1.0)(VALUES), VALUES.mean(axis=1))
    np.testing.assert_allclose(Pool("top", 1e-3)(VALUES), VALUES.max(axis=1))


def test_the_power_mean_is_scipys_of_what_lies_above_the_median():
    above = np.maximum(VALUES, 0.0)
    for power in (1.0, 2.0, 8.0):
        np.testing.assert_allclose(Pool("power", power)(VALUES), stats.pmean(above, power, axis=1))


def test_the_mean_and_the_maximum():
    np.testing.assert_allclose(Pool("mean")(VALUES), VALUES.mean(axis=1))
    np.testing.assert_allclose(Pool("max")(VALUES), VALUES.max(axis=1))


@pytest.mark.parametrize("text", ["top:0.1", "top:1", "power:8", "power:1.5", "mean", "max"])
def test_a_pool_reads_what_it_writes(text):
    assert str(Pool.parse(text)) == text


@pytest.mark.parametrize("text", ["", "top", "top:0", "top:1.5", "top:a", "power:0.5", "power:nan", "mean:3", "median"])
def test_what_is_no_pool_is_refused(text):
    with pytest.raises(GadError, match="to pool regions; write"):
        Pool.parse(text)


def test_the_left_out_have_median_0_and_90th_percentile_1_in_every_region():
    left_out = np.random.default_rng(1).gamma(3, size=(201, 4)) * [1, 10, 0.1, 1e3]
    standardised = Standard.of(left_out)(left_out)
    np.testing.assert_allclose(np.median(standardised, axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(np.quantile(standardised, 0.9, axis=0), 1)


def test_a_region_that_is_the_same_for_all_stays_finite():
    assert np.isfinite(Standard.of(np.full((20, 2), 7.0))(np.array([[7.0, 8.0]]))).all()
