"""Rates promised and achieved: over all targets, at every level, at multiples of sigma."""

import numpy as np
import plotly.graph_objects as go
import pytest

from gad_core.decision.chi_law import ChiLaw
from gad_core.decision.curves import auroc
from gad_core.decision.evaluation import PointRates
from gad_core.decision.rates import rate
from gad_core.decision.sigma_table import SIGMAS, SigmaColumn
from gad_core.decision.working_point import chi2, sigma_fpr
from gad_core.figures import level_promises, promised_against_achieved, sigma_rates
from gad_core.figures.palette import DEFECT, LEFT_OUT, NORMAL, PROMISE

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


def names(figure):
    return " ".join(label.text for label in figure.layout.annotations)


def test_methods_that_give_the_same_rates_share_one_name():
    same = [rate(n, 100) for n in (90, 95, 100, 100, 100)]
    figure = promises(**{"chi2": same, "hotelling": [None, *same[1:]], "cross-conformal": [rate(5, 100)] * 5})
    assert "Chi-square = Hotelling" in names(figure)
    assert "Cross-conformal = " not in names(figure)


def test_methods_that_differ_at_one_target_have_a_name_each():
    figure = promises(chi2=[rate(50, 100)] * 5, hotelling=[rate(50, 100)] * 4 + [rate(51, 100)])
    assert " = " not in names(figure)


def test_a_line_that_runs_over_another_leaves_it_to_be_seen():
    same = [rate(100, 100)] * 5
    chi2_line, hotelling_line = (trace.line for trace in promises(chi2=same, hotelling=same).data[1::2])
    assert (chi2_line.dash, hotelling_line.dash) == ("dash", None)
    assert chi2_line.width > 2 * hotelling_line.width


def test_a_line_at_the_very_top_is_seen_whole():
    figure = promises(chi2=[rate(100, 100)] * 5)
    assert 10 ** figure.layout.yaxis.range[1] > 105


def point(left_out, test, tpr=None):
    return PointRates(chi2(0.05, law=ChiLaw(5), n_train=30), left_out, test, tpr)


@pytest.fixture
def levels():
    rates = {"1": point(rate(3, 60), rate(1, 20)), "2": point(rate(40, 60), rate(15, 20))}
    return level_promises(rates, 0.05, marked={"2"})


def test_every_level_shows_left_out_and_test_rates_with_their_exact_intervals(levels):
    left_out, test = levels.data
    np.testing.assert_allclose(left_out.y, [5, 100 * 40 / 60])
    np.testing.assert_allclose(test.y, [5, 75])
    assert (left_out.marker.color, test.marker.color) == (LEFT_OUT, NORMAL)
    assert left_out.y[1] + left_out.error_y.array[1] == pytest.approx(100 * rate(40, 60).high)
    assert test.y[1] - test.error_y.arrayminus[1] == pytest.approx(100 * rate(15, 20).low)


def test_the_promise_is_a_grey_dashed_line_at_the_target(levels):
    (promise,) = levels.layout.shapes
    assert (promise.y0, promise.y1) == (5, 5)
    assert (promise.line.color, promise.line.dash) == (PROMISE, "dash")
    assert "promised" in names(levels)


def test_the_marked_levels_are_filled_and_bold(levels):
    assert list(levels.data[0].marker.symbol) == ["circle-open", "circle"]
    assert list(levels.layout.xaxis.ticktext) == ["1", "<b>2</b>"]


def test_without_good_test_parts_only_the_left_out_ones_are_drawn():
    figure = level_promises({"7": point(rate(40, 60), None)}, 0.05, marked={"7"})
    assert len(figure.data) == 1
    assert "good test" not in names(figure)


def column(name, test, *, area=None):
    rates = [
        PointRates(
            chi2(sigma_fpr(n), law=ChiLaw(5), n_train=30), rate(9, 30), test and rate(test, 20), rate(10 - n, 10)
        )
        for n in SIGMAS
    ]
    return SigmaColumn(name, area, tuple(rates))


@pytest.fixture
def sigma():
    area = auroc(np.array([0.0, 1.0, 2.0, 3.0]), np.array([False, True, False, True]))
    return sigma_rates((column("PCA 99 %", 3, area=area), column("NPCA 1 %", 20, area=area)))


def test_the_promise_at_n_sigma_is_the_tail_of_a_normal_distribution(sigma):
    promise = sigma.data[0]
    np.testing.assert_allclose(promise.x, [31.7311, 4.55003, 0.269980, 6.33425e-3, 5.73303e-5], rtol=1e-5)
    np.testing.assert_array_equal(promise.x, promise.y)
    assert (promise.line.color, promise.line.dash) == (PROMISE, "dash")
    assert sigma.layout.xaxis.type == "log"


def test_every_reduction_has_a_strip_with_flagged_and_caught_parts(sigma):
    strips = {name: [trace for trace in sigma.data if trace.yaxis == name] for name in ("y", "y2")}
    for (_, flagged, caught), expected in zip(strips.values(), (15, 100), strict=True):
        assert (flagged.marker.color, caught.marker.color) == (NORMAL, DEFECT)
        np.testing.assert_allclose(flagged.y, [expected] * 5)
        np.testing.assert_allclose(caught.y, [90, 80, 70, 60, 50])
    assert "<b>NPCA 1 %</b>, AUROC 75.0" in names(sigma)


def test_flagged_and_caught_parts_that_coincide_are_both_seen(sigma):
    flagged, caught = sigma.data[4:6]
    assert flagged.line.width > 2 * caught.line.width
    assert flagged.marker.size > 1.5 * caught.marker.size


def test_the_axis_writes_every_promise_out(sigma):
    assert [text.split("<br>") for text in sigma.layout.xaxis.ticktext] == [
        ["1σ", "32 %"],
        ["2σ", "4.6 %"],
        ["3σ", "0.27 %"],
        ["4σ", "0.0063 %"],
        ["5σ", "0.000057 %"],
    ]


def test_the_strips_lie_below_each_other(sigma):
    first, second = sigma.layout.yaxis.domain, sigma.layout.yaxis2.domain
    assert first[0] > second[1]
    assert (first[1], second[0]) == (1, pytest.approx(0))


def test_without_good_test_parts_the_left_out_ones_stand_for_them():
    figure = sigma_rates((column("all", None),))
    np.testing.assert_allclose(figure.data[1].y, [30] * 5)
    assert "left-out flagged" in names(figure)


def test_plotly_knows_every_property(levels, sigma):
    for figure in (levels, sigma, level_promises({}, 0.05, marked=())):
        go.Figure(figure.to_dict())
