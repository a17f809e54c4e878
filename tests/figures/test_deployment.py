"""Figures of deployment shift: rates at every step with the target, the culprit in colour, bands where they move."""

import json

import numpy as np
import plotly.graph_objects as go
import pytest

from gad_core.decision.rates import rate
from gad_core.figures import DEFECT, LEFT_OUT, Fall, indifference_curves, moved_bands, shift_curve

LEFT = [rate(count, 60) for count in (2, 3, 30)]
CAUGHT = [rate(20, 30), rate(18, 30), None]
FALLS = {
    "Blur": Fall([0.3, 0.9], [0.98, 0.88], ["0.4 px of blur", "0.8 px of blur"]),
    "JPEG compression": Fall([0.7, 2.0], [1.0, 0.99], ["JPEG 95", "JPEG 30"]),
}
RATIOS = np.arange(1.0, 25.0).reshape(2, 3, 4)


def curve(**options):
    return shift_curve(
        ["none", "0.4", "0.8"], LEFT, CAUGHT, **({"target_fpr": 0.05, "held": 1, "unit": "px"} | options)
    )


def bands():
    return moved_bands(RATIOS, ["Blur", "Noise"], ["0.8 px of blur", "noise"], [1, 2, 3])


@pytest.mark.parametrize(
    "figure",
    [curve(), indifference_curves(FALLS, culprit="Blur", before=1.0), bands()],
    ids=["curve", "falls", "bands"],
)
def test_plotly_knows_every_property_and_all_is_finite(figure):
    go.Figure(figure.to_dict())
    json.dumps(json.loads(figure.to_json()), allow_nan=False)
    assert figure.layout.uirevision


def test_rates_stand_at_their_steps_with_their_intervals():
    figure = curve()
    points = {trace.marker.color: trace for trace in figure.data if trace.mode == "markers"}
    np.testing.assert_allclose(points[LEFT_OUT].y, [100 * 2 / 60, 5, 50])
    np.testing.assert_allclose(points[LEFT_OUT].x, [0, 1, 2])
    upper = points[LEFT_OUT].y[2] + points[LEFT_OUT].error_y.array[2]
    assert upper == pytest.approx(100 * LEFT[2].high)
    np.testing.assert_allclose(points[DEFECT].x, [0, 1])
    assert "0.4: caught" in points[DEFECT].hovertext[1]


@pytest.mark.parametrize(("held", "last"), [(0, 0), (1, 1), (2, 2)])
def test_the_ground_reaches_the_last_step_that_holds_and_the_target_is_a_line(held, last):
    ground, target = curve(held=held).layout.shapes
    assert last < ground.x1 < last + 1
    assert (target.y0, target.y1) == (5, 5)


def test_the_culprit_has_its_colour_and_name_and_lies_over_the_others():
    figure = indifference_curves(FALLS, culprit="Blur", before=1.0)
    assert [trace.line.color == DEFECT for trace in figure.data] == [False, True]
    np.testing.assert_allclose(figure.data[1].y, [98, 88])
    (name,) = [label for label in figure.layout.annotations if label.text == "Blur"]
    assert (10**name.x, name.y) == pytest.approx((0.9, 88))
    assert figure.data[1].hovertext[1] == "0.8 px of blur: 88.0 % at 0.9 grey levels"
    quiet = indifference_curves(FALLS, culprit=None, before=1.0)
    assert all(trace.line.color != DEFECT for trace in quiet.data)


def test_a_band_stands_in_its_level_and_is_coloured_by_its_logarithm():
    (tiles,) = bands().data
    assert np.shape(tiles.z) == (2, 12)
    assert tiles.z[1][5] == pytest.approx(np.log10(RATIOS[1, 1, 1]))
    assert tiles.text[1][5] == "noise: level 2, band 2 of 4, 18 times"
    assert list(bands().layout.xaxis.tickvals) == [1.5, 5.5, 9.5]
    assert len(bands().layout.shapes) == 2
