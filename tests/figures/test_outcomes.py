"""Figures of outcomes say what the core has counted."""

import numpy as np
import plotly.graph_objects as go
import pytest
from scipy import stats

from gad_core.decision.costs import cost_curve as costs
from gad_core.decision.costs import parts_per_shift
from gad_core.decision.rates import rate
from gad_core.figures import DEFECT, LEFT_OUT, NORMAL, confusion, cost_curve, qq_plot
from gad_core.figures.palette import faint


@pytest.fixture
def curve():
    rng = np.random.default_rng(0)
    sample = rng.lognormal(3, 0.2, 50), rng.lognormal(4, 0.2, 50)
    return costs(*sample, parts=100, defect_share=0.1, miss=5, false_alarm=1)


def test_plotly_knows_every_property(curve):
    shift = parts_per_shift(0.9, 0.1, parts=100, defect_share=0.1)
    for figure in (
        confusion(shift, shift, shift),
        cost_curve(curve, 25.0),
        qq_plot(np.arange(1.0, 99), np.arange(1.0, 99), colour=LEFT_OUT),
    ):
        go.Figure(figure.to_dict())


def shifts(*rates, parts=1000):
    return [parts_per_shift(tpr, fpr, parts=parts, defect_share=0.1) for tpr, fpr in rates]


def test_every_tile_says_its_parts_and_what_the_intervals_leave_possible():
    figure = confusion(*shifts((0.9, 0.1), (0.8, 0.05), (1.0, 0.2)))
    texts = [label.text for label in figure.layout.annotations]
    assert [text.split("<br>") for text in texts] == [
        ["<b>810</b> good, passed", "720 to 855"],
        ["<b>90</b> false alarms", "45 to 180"],
        ["<b>10</b> missed", "0 to 20"],
        ["<b>90</b> caught", "80 to 100"],
    ]


def test_none_of_a_few_flagged_is_not_none_of_many():
    few = rate(0, 26)
    text = confusion(*shifts((1, few.value), (1, few.low), (1, few.high))).layout.annotations[1].text
    assert text == "<b>0</b> false alarms<br>0 to 119"  # 900 good parts, 95 % interval up to 13.2 %


def test_what_goes_wrong_has_the_colour_of_defects():
    figure = confusion(*shifts((0.9, 0.1), (0.9, 0.1), (0.9, 0.1)))
    colours = {((s.x0 + s.x1) / 2, (s.y0 + s.y1) / 2): s.fillcolor for s in figure.layout.shapes}
    right, wrong = faint(NORMAL, 0.28), faint(DEFECT, 0.28)
    assert colours == {(0, 0): right, (1, 0): wrong, (0, 1): wrong, (1, 1): right}


def test_the_present_threshold_is_a_line(curve):
    (line,) = cost_curve(curve, 25.0).layout.shapes
    assert (line.x0, line.x1) == (25, 25)


def test_the_adopted_threshold_is_a_dashed_line_on_the_axis(curve):
    figure = cost_curve(curve, 25.0, adopted=900.0)
    assert [(line.x0, line.line.dash) for line in figure.layout.shapes] == [(25, None), (900, "dash")]
    assert 10 ** figure.layout.xaxis.range[1] == pytest.approx(900)


def test_the_dotted_line_is_the_diagonal():
    (line,) = qq_plot(np.array([1.0, 2.0]), np.array([1.5, 4.0]), colour=LEFT_OUT).layout.shapes
    assert (line.x0, line.y0, line.x1, line.y1) == (1, 1, 4, 4)
    assert line.line.dash == "dot"


def test_the_cheapest_threshold_is_marked(curve):
    marker = cost_curve(curve, 25.0).data[1]
    assert (marker.x[0], marker.y[0]) == (curve.cheapest, curve.cost.min())


@pytest.mark.parametrize(("high", "kind"), [(10.0, None), (1000.0, "log")])
def test_a_wide_range_has_logarithmic_axes(high, kind):
    values = np.geomspace(1, high, 20)
    assert qq_plot(values, values, colour=LEFT_OUT).layout.xaxis.type == kind


@pytest.mark.parametrize("inflation", [1.0, 10.0])
@pytest.mark.parametrize("degrees", [3, 146])
def test_the_points_of_the_qq_plot_fill_its_width_and_much_of_its_height(degrees, inflation):
    theory = stats.chi2.ppf((np.arange(200) + 0.5) / 200, degrees)
    observed = inflation * theory
    figure = qq_plot(theory, observed, colour=LEFT_OUT)
    for axis, values, share in ((figure.layout.xaxis, theory, 0.9), (figure.layout.yaxis, observed, 0.45)):
        ends = np.log10([values[0], values[-1]]) if axis.type == "log" else values[[0, -1]]
        assert np.ptp(ends) > share * np.ptp(axis.range)
        assert axis.range[0] < ends[0] < ends[1] < axis.range[1]


def test_a_cost_is_drawn_without_a_threshold(curve):
    assert not cost_curve(curve, None).layout.shapes
