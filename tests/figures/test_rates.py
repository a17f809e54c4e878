"""Rates by method and by defect type, areas by level."""

import numpy as np
import pytest

from gad_core.decision.curves import Auroc
from gad_core.decision.rates import rate
from gad_core.figures import DEFECT, LEFT_OUT, NORMAL, level_areas, promised_against_achieved, rate_bars

TARGETS = (0.001, 0.01, 0.05, 0.2, 0.5)


def promises(**by_method):
    return promised_against_achieved(TARGETS, by_method, 0.05)


def test_a_method_is_drawn_only_where_it_has_a_threshold():
    figure = promises(chi2=[None, None, rate(10, 100), rate(30, 100), rate(60, 100)], hotelling=[None] * 5)
    _, line = figure.data
    assert list(line.x) == [5, 20, 50]
    assert list(line.y) == [10, 30, 60]
    assert not any("Hotelling" in label.text for label in figure.layout.annotations)


def test_the_band_holds_the_exact_interval():
    exact = rate(10, 100)
    band, _ = promises(chi2=[None, None, exact, None, None]).data
    assert sorted(band.y) == pytest.approx([100 * exact.low, 100 * exact.high])


def test_none_of_n_runs_along_the_edge_of_the_logarithmic_axis():
    figure = promises(chi2=[None, None, rate(0, 200), rate(3, 200), rate(60, 200)])
    floor = 10 ** figure.layout.yaxis.range[0]
    assert figure.data[1].y[0] == pytest.approx(floor)
    assert "0.0 %" in figure.data[1].customdata[0]


def test_the_axes_are_the_same_and_begin_where_the_sample_says_nothing():
    figure = promises(chi2=[rate(0, 200)] * 5)
    assert figure.layout.xaxis.range == figure.layout.yaxis.range
    assert 10 ** figure.layout.xaxis.range[0] == pytest.approx(100 / 600)


def test_a_target_below_what_the_sample_shows_is_still_on_the_axis():
    figure = promised_against_achieved(TARGETS, {"chi2": [rate(0, 20)] * 5}, 0.001)
    assert 10 ** figure.layout.xaxis.range[0] < 0.1


def test_bars_reach_their_rates_and_whiskers_their_intervals():
    rates = {"broken_large": rate(18, 20), "scratch": rate(5, 10)}
    trace = rate_bars(rates, DEFECT).data[0]
    assert list(trace.y) == ["broken large", "scratch"]
    x, up, down = (np.array(values) for values in (trace.x, trace.error_x.array, trace.error_x.arrayminus))
    np.testing.assert_allclose(x, [90, 50])
    np.testing.assert_allclose(x + up, [100 * entry.high for entry in rates.values()])
    np.testing.assert_allclose(x - down, [100 * entry.low for entry in rates.values()])


def test_the_end_of_a_bar_says_value_count_and_n():
    label = rate_bars({"scratch": rate(5, 10)}, DEFECT).layout.annotations[0]
    assert label.text == "50.0 %, 5 of 10"


def test_the_levels_in_the_sum_are_filled():
    areas = {name: Auroc(0.9, 0.8, 0.95, "DeLong", 20, 60) for name in ("1", "2", "3", "sum")}
    marker = level_areas(areas, (2, 3)).data[0].marker
    assert list(marker.symbol) == ["circle-open", "circle", "circle", "circle"]
    assert list(marker.color) == [NORMAL, LEFT_OUT, LEFT_OUT, LEFT_OUT]


def test_an_area_below_one_half_is_on_the_axis():
    figure = level_areas({"1": Auroc(0.3, 0.2, 0.4, "DeLong", 20, 60)}, (1,))
    assert figure.layout.yaxis.range[0] < 20
