"""Learning curves with the spread of their repetitions."""

import json
import math

import numpy as np
import plotly.graph_objects as go
import pytest

from gad_core.decision.planner import Size
from gad_core.figures.planning import learning_curves

NAN = math.nan
SIZES = (
    Size(10, (0.6, 0.8), (NAN, NAN), (0.5, 0.7)),
    Size(30, (0.7, 0.9), (0.02, NAN), (0.3, 0.4)),
    Size(90, (0.95, 1.0), (0.04, 0.08), (0.1, 0.2)),
)


def curve(what, sizes=SIZES):
    return learning_curves(sizes, what=what, target_fpr=0.05)


@pytest.mark.parametrize("what", ["auroc", "left_out_fpr", "shrinkage"])
def test_plotly_knows_every_name_and_value(what):
    figure = curve(what)
    go.Figure(figure.to_dict())
    json.loads(figure.to_json())


def test_the_line_is_the_mean_in_percent():
    _, line = curve("auroc").data
    assert list(line.x) == [10, 30, 90]
    assert list(line.y) == pytest.approx([70, 80, 97.5])


def test_the_band_runs_from_the_least_to_the_greatest():
    band, _ = curve("auroc").data
    assert list(band.y) == pytest.approx([60, 70, 95, 100, 90, 80])


def test_shrinkage_is_no_percentage():
    assert list(curve("shrinkage").data[1].y) == pytest.approx([0.6, 0.35, 0.15])


def test_repetitions_that_are_nan_are_left_out():
    _, line = curve("left_out_fpr").data
    assert list(line.x) == [30, 90]
    assert list(line.y) == pytest.approx([2, 6])


def test_the_target_stands_at_its_rate():
    figure = curve("left_out_fpr")
    assert figure.layout.shapes[0].y0 == figure.layout.shapes[0].y1 == pytest.approx(5)
    assert figure.layout.annotations[0].text == "target 5 %"


@pytest.mark.parametrize("what", ["auroc", "shrinkage"])
def test_only_the_rate_has_a_target(what):
    assert not curve(what).layout.shapes


def test_without_test_images_the_figure_holds_no_curve():
    figure = curve("auroc", [Size(10, None, (NAN,), (0.5,))])
    assert not figure.data
    go.Figure(figure.to_dict())


@pytest.mark.parametrize("what", ["auroc", "left_out_fpr", "shrinkage"])
def test_every_value_is_on_the_axes(what):
    figure = curve(what, [*SIZES, Size(200, (0.1,), (0.9,), (1.0,))])
    low, high = figure.layout.yaxis.range
    band = np.array(figure.data[0].y)
    assert low <= band.min()
    assert band.max() <= high
    start, end = (10**value for value in figure.layout.xaxis.range)
    assert start < 10
    assert end > 200
