"""Rates by defect type, areas by level."""

import numpy as np

from gad_core.decision.curves import Auroc
from gad_core.decision.rates import rate
from gad_core.figures import DEFECT, LEFT_OUT, NORMAL, level_areas, rate_bars


def test_bars_reach_their_rates_and_whiskers_their_intervals():
    rates = {"broken_large": rate(18, 20), "scratch": rate(5, 10)}
    figure = rate_bars(rates, DEFECT)
    trace = figure.data[0]
    assert list(figure.layout.yaxis.ticktext) == ["broken large", "scratch"]
    x, up, down = (np.array(values) for values in (trace.x, trace.error_x.array, trace.error_x.arrayminus))
    np.testing.assert_allclose(x, [90, 50])
    np.testing.assert_allclose(x + up, [100 * entry.high for entry in rates.values()])
    np.testing.assert_allclose(x - down, [100 * entry.low for entry in rates.values()])


def test_the_end_of_a_bar_says_value_count_and_n():
    label = rate_bars({"scratch": rate(5, 10)}, DEFECT).layout.annotations[0]
    assert label.text == "50.0 %, 5 of 10"


def test_the_name_of_a_type_is_text_and_never_markup():
    figure = rate_bars({"<b>dent</b>_&amp;": rate(5, 10)}, DEFECT)
    assert list(figure.layout.yaxis.ticktext) == ["&lt;b&gt;dent&lt;/b&gt; &amp;amp;"]
    assert figure.data[0].hovertext[0].startswith("&lt;b&gt;dent")


def test_two_types_that_read_the_same_have_a_bar_each():
    figure = rate_bars({"deep_dent": rate(5, 10), "deep dent": rate(1, 10)}, DEFECT)
    assert list(figure.data[0].y) == [0, 1]
    assert [label.y for label in figure.layout.annotations] == [0, 1]


def test_the_levels_in_the_sum_are_filled():
    areas = {name: Auroc(0.9, 0.8, 0.95, "DeLong", 20, 60) for name in ("1", "2", "3", "sum")}
    marker = level_areas(areas, (2, 3)).data[0].marker
    assert list(marker.symbol) == ["circle-open", "circle", "circle", "circle"]
    assert list(marker.color) == [NORMAL, LEFT_OUT, LEFT_OUT, LEFT_OUT]


def test_an_area_below_one_half_is_on_the_axis():
    figure = level_areas({"1": Auroc(0.3, 0.2, 0.4, "DeLong", 20, 60)}, (1,))
    assert figure.layout.xaxis.range[0] < 20


def test_no_two_areas_are_told_at_one_height():
    areas = {name: Auroc(0.9 + i / 100, 0.8, 0.99, "DeLong", 20, 60) for i, name in enumerate(("1", "2", "sum"))}
    layout = level_areas(areas, (1, 2)).layout
    names = dict(zip(layout.yaxis.tickvals, layout.yaxis.ticktext, strict=True))
    assert [(names[label.y], label.text) for label in layout.annotations] == [
        ("level 1", "90.0 [80.0, 99.0]"),
        ("level 2", "91.0 [80.0, 99.0]"),
        ("sum", "92.0 [80.0, 99.0]"),
    ]
