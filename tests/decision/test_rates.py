"""Counted rates carry SciPy's exact interval."""

import numpy as np
import pytest
from scipy.stats import binomtest

from gad_core.decision.rates import exceedance, rate, rates_by_type
from gad_core.errors import GadError


@pytest.mark.parametrize(("count", "n"), [(0, 20), (1, 20), (20, 20), (37, 400), (0, 1), (1, 1)])
def test_the_interval_is_that_of_the_exact_binomial_test(count, n):
    actual = rate(count, n)
    expected = binomtest(count, n).proportion_ci(0.95, "exact")
    assert (actual.low, actual.high) == pytest.approx((expected.low, expected.high), rel=1e-12)
    assert actual.value == count / n


@pytest.mark.parametrize(("count", "n"), [(0, 0), (3, 2), (-1, 5)])
def test_what_is_no_rate_is_refused(count, n):
    with pytest.raises(GadError, match="count between 0 and n"):
        rate(count, n)


def test_a_score_on_the_threshold_is_not_flagged():
    assert exceedance(np.array([1.0, 2.0, 3.0]), 2.0).count == 1


def test_each_defect_type_is_counted_alone():
    rates = rates_by_type(np.array([1.0, 5.0, 6.0, 2.0]), ("bite", "dent", "dent", "bite"), 1.5)
    assert {defect: (r.count, r.n) for defect, r in rates.items()} == {"bite": (1, 2), "dent": (2, 2)}
