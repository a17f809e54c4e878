"""Numbers in words: digits, percent, intervals."""

import pytest

from gad_core.decision.curves import Auroc
from gad_core.decision.rates import rate
from gad_core.wording import area, number, percent, rate_note
from gad_core.wording import rate as rate_words


@pytest.mark.parametrize(
    ("value", "words"),
    [(0, "0"), (5, "5"), (13.449, "13.4"), (-3.14159, "-3.14"), (0.0012345, "0.00123"), (12345.6, "12,300")],
)
def test_a_number_has_three_significant_digits_and_no_exponent(value, words):
    assert number(value) == words


@pytest.mark.parametrize(("value", "words"), [(1.2345e-4, "1.23e-04"), (123456.0, "1.23e+05")])
def test_very_small_and_very_large_numbers_have_an_exponent(value, words):
    assert number(value) == words


@pytest.mark.parametrize(("value", "words"), [(0, "0.0 %"), (0.05, "5.0 %"), (1 / 3, "33.3 %"), (1, "100.0 %")])
def test_percent_has_one_decimal(value, words):
    assert percent(value) == words


@pytest.mark.parametrize(("value", "words"), [(0.00063, "0.063 %"), (0.0003, "0.03 %"), (0.000063, "0.0063 %")])
def test_a_rare_event_is_not_rounded_to_never(value, words):
    assert percent(value) == words


@pytest.mark.parametrize(("value", "words"), [(0.9995, "99.95 %"), (0.99994, "99.994 %")])
def test_an_almost_sure_event_is_not_rounded_to_always(value, words):
    assert percent(value) == words


def test_a_rate_stands_with_its_exact_interval():
    # scipy.stats.binomtest(10, 209).proportion_ci(method="exact") is [0.0232, 0.0862].
    assert rate_words(rate(10, 209)) == "4.8 % [2.3, 8.6]"
    assert rate_note(rate(10, 209)) == "[2.3, 8.6] · 10 of 209"


def test_an_area_is_in_percent_with_its_interval():
    assert area(Auroc(0.9537, 0.869, 0.9847, "DeLong", 20, 63)) == "95.4 [86.9, 98.5]"
