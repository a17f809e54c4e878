"""Probability of detection: curves through 90 % at a90, real defects above or below, blind spots where they are."""

import json

import numpy as np
import plotly.graph_objects as go
import pytest

from benchmarks.detection import simulate
from gad_core.detectability.detection import fit_pod
from gad_core.detectability.real import RealDefect
from gad_core.figures import DEFECT, blind_spots, detection_curves

REAL = (RealDefect("a", "<b>dent", 3.0, 2.0, False), RealDefect("b", "scratch", 6.0, 9.0, True))
SHARES = np.array([[1.0, 0.25], [0.5, np.nan]])
IMAGE = np.full((12, 12, 3), 100, np.uint8)


@pytest.fixture(scope="module")
def pods():
    return {
        "contrast 0.1": fit_pod(*simulate(np.random.default_rng(0), 200, floor=False)),
        "contrast 0.2": fit_pod([1, 2, 3] * 40, [True] * 120),  # without a curve
    }


@pytest.fixture(params=["curves", "spots"])
def figure(request, pods):
    if request.param == "curves":
        return detection_curves(pods, side=256, real=REAL)
    return blind_spots(SHARES, np.full((2, 2), 8), IMAGE)


def test_plotly_knows_every_property_and_all_is_finite(figure):
    go.Figure(figure.to_dict())
    json.dumps(json.loads(figure.to_json()), allow_nan=False)
    assert figure.layout.uirevision


def test_the_diamond_is_a90_and_its_bar_ends_at_a90_95(pods):
    figure, pod = detection_curves(pods, side=256), pods["contrast 0.1"]
    (diamond,) = [trace for trace in figure.data if trace.marker.symbol == "diamond"]
    assert (diamond.x[0], diamond.y[0]) == (pod.a90, 90)
    assert diamond.x[0] + diamond.error_x.array[0] == pytest.approx(pod.a90_95)
    (curve,) = [trace for trace in figure.data if trace.mode == "lines" and trace.fill is None]
    assert np.interp(pod.a90, curve.x, curve.y) == pytest.approx(90, abs=0.5)


def test_points_are_the_shares_caught_and_a_kind_without_a_curve_has_points_alone(pods):
    figure = detection_curves({"contrast 0.2": pods["contrast 0.2"]}, side=256)
    (points,) = figure.data
    np.testing.assert_allclose(points.y, 100)
    assert "2 % (5.12 px)" in points.hovertext[1]


def test_real_defects_lie_above_where_caught_and_below_where_missed(pods):
    traces = [trace for trace in detection_curves(pods, side=256, real=REAL).data if trace.customdata is not None]
    caught, missed = traces
    assert caught.x[0] == 6
    assert caught.y[0] > 100
    assert missed.x[0] == 3
    assert missed.y[0] < 0
    assert missed.customdata[0][0] == "&lt;b&gt;dent"  # text, never markup
    assert any(DEFECT in label.text for label in detection_curves(pods, side=256, real=REAL).layout.annotations)


def test_a_place_lies_over_its_pixels_and_is_covered_by_what_it_misses():
    (tiles,) = blind_spots(SHARES, np.full((2, 2), 8), IMAGE).data
    assert (tiles.x0, tiles.dx, tiles.y0, tiles.dy) == (2.5, 6, 2.5, 6)
    np.testing.assert_array_equal(tiles.z, 100 * SHARES)
    assert (tiles.zmin, tiles.zmax) == (25, 100)
    opacity = [float(colour.rsplit(",", 1)[1].strip(" )")) for _, colour in tiles.colorscale]
    assert opacity == sorted(opacity, reverse=True)
    assert opacity[-1] == 0
    assert tiles.text[0][1] == "row 1, column 2: 25.0 % of 8 caught"
