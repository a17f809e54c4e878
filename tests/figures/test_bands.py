"""Bars of bands reach their shares, and the chosen band is the one that is filled."""

import numpy as np
import plotly.graph_objects as go
import pytest

from gad_core.figures import DEFECT, LEFT_OUT, band_shares
from gad_core.figures.palette import faint

OWN, USUAL = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.5])


@pytest.fixture
def figure():
    return band_shares(["1-7", "8-34", "35-85"], OWN, USUAL, colour=DEFECT, chosen=1)


def test_plotly_knows_every_property(figure):
    go.Figure(figure.to_dict())


def test_the_image_stands_left_of_what_is_usual(figure):
    own, usual = figure.data
    np.testing.assert_allclose(own.y, 100 * OWN)
    np.testing.assert_allclose(usual.y, 100 * USUAL)
    centres = np.array(own.x), np.array(usual.x)
    assert all(left + own.width / 2 < right - usual.width / 2 for left, right in zip(*centres, strict=True))
    np.testing.assert_allclose(np.mean(centres, axis=0), [0, 1, 2])
    assert list(figure.layout.xaxis.ticktext) == ["1-7", "8-34", "35-85"]


def test_values_stand_on_the_images_bars(figure):
    labels = figure.layout.annotations
    assert [label.text for label in labels[:3]] == ["50.0 %", "30.0 %", "20.0 %"]
    assert [label.x for label in labels[:3]] == list(figure.data[0].x)


def test_the_chosen_band_is_filled(figure):
    for trace, colour in zip(figure.data, (DEFECT, LEFT_OUT), strict=True):
        assert list(trace.marker.color) == [faint(colour, opacity) for opacity in (0.45, 0.9, 0.45)]
