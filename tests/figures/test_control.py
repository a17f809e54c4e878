"""Control charts and the martingale of drifting scores."""

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from benchmarks.monitoring import TARGET, scores_of
from gad_core.decision.drift import watch
from gad_core.decision.working_point import split_conformal
from gad_core.figures import DEFECT, NORMAL, control_chart, martingale


def drift_of(shift, *, n=220, name="L{}"):
    rng = np.random.default_rng(1)
    normal, test = rng.normal(5, 1, 200), rng.normal(5, 1, n)
    test[100:] += shift
    lots = [name.format(i // 20) for i in range(n)]
    return watch(scores_of(normal, test), split_conformal(normal, TARGET).threshold, target_fpr=TARGET, lots=lots)


def test_every_good_looking_part_is_a_dot_at_its_number_and_those_out_of_limits_have_the_colour_of_defects():
    drift = drift_of(-2.5)
    figure = control_chart(drift)
    go.Figure(figure.to_dict())  # validates
    dots, outside = figure.data[0], figure.data[4]
    np.testing.assert_array_equal(dots.x, drift.places + 1)
    np.testing.assert_array_equal(dots.y, drift.normal_scores)
    expected = [DEFECT if abs(z) > 3 else NORMAL for z in drift.normal_scores]
    assert list(dots.marker.color) == expected
    np.testing.assert_array_equal(outside.x, drift.places[np.abs(drift.ewma) > drift.ewma_limits] + 1)
    assert len(outside.x) > 0


def test_the_ewma_lies_between_its_two_limits():
    drift = drift_of(0.0)
    upper, lower, averages = control_chart(drift).data[1:4]
    np.testing.assert_array_equal(upper.y, drift.ewma_limits)
    np.testing.assert_array_equal(lower.y, -drift.ewma_limits)
    np.testing.assert_array_equal(averages.y, drift.ewma)


def test_a_lots_mean_runs_from_its_first_part_to_its_last_in_the_colour_of_its_state():
    drift = drift_of(-2.5)
    inside, outside = control_chart(drift).data[5:]
    drawn = {lot.name for lot in drift.lots if any(f"lot {lot.name}:" in text for text in outside.hovertext)}
    assert drawn == {lot.name for lot in drift.lots if lot.outside}
    assert outside.line.color == DEFECT
    first = drift.lots[0]
    assert (inside.x[0], inside.x[1]) == pytest.approx((first.first + 0.6, first.last + 1.4))
    assert inside.y[:2] == (first.mean, first.mean)


def test_a_name_from_outside_is_text():
    inside, outside = control_chart(drift_of(0.0, name="<b>{}</b>")).data[5:]
    assert any("&lt;b&gt;0&lt;/b&gt;" in text for text in [*inside.hovertext, *outside.hovertext])


def test_both_charts_mark_the_alarm_and_since_when_only_where_there_is_one():
    drift = drift_of(-2.5)
    for draw in (control_chart, martingale):
        places = [shape.x0 for shape in draw(drift).layout.shapes if shape.yref == "paper"]
        assert places == [drift.since + 1, drift.alarm + 1]
        assert not [shape for shape in draw(drift_of(0.0)).layout.shapes if shape.yref == "paper"]


def test_the_martingale_starts_at_1_and_its_alarm_stands_at_one_over_alpha():
    drift = drift_of(-2.5)
    figure = martingale(drift)
    go.Figure(figure.to_dict())  # validates
    path = figure.data[0]
    assert (path.x[0], path.y[0]) == (0, 0)
    np.testing.assert_allclose(10 ** np.asarray(path.y[1:]), np.exp(drift.log_martingale))
    (alarm,) = [shape for shape in figure.layout.shapes if shape.xref == "paper"]
    assert 10**alarm.y0 == pytest.approx(20)
    assert path.y[int(np.searchsorted(path.x, drift.alarm + 1))] >= alarm.y0


def test_evidence_beyond_every_float_has_an_axis_of_few_ticks():
    drift = drift_of(0.0)
    figure = martingale(replace(drift, log_martingale=np.linspace(0, 5000, len(drift.places))))
    assert 2 <= len(figure.layout.yaxis.ticktext) <= 8
    assert figure.layout.yaxis.ticktext[-1] == "1.0 × 10<sup>2172</sup>"


def test_parts_that_are_all_flagged_leave_empty_charts():
    drift = watch(scores_of(np.arange(50.0), np.full(9, 99.0)), 40.0, target_fpr=TARGET)
    assert len(control_chart(drift).data[0].x) == 0
    assert list(martingale(drift).data[0].y) == [0]
