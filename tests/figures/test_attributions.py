"""Figures of attributions: symmetric about zero, as large as the image, valid for Plotly."""

import base64
import re

import numpy as np
import plotly.graph_objects as go
from plotly.colors import find_intermediate_color

from gad_core.data.images import decode
from gad_core.figures import attribution_map, data_url, deletion_curve, explanation_plane, map_gradient, overlay

IMAGE = np.random.default_rng(0).integers(0, 256, (20, 20, 3), np.uint8)
VALUES = np.random.default_rng(1).normal(size=(20, 20))


def test_plotly_knows_every_property():
    mask = VALUES > 1
    point = {"name": "levels 6", "auroc": 97.0, "score": 90.0, "sem": 1.0, "distance": 10.4}
    shares = np.linspace(0, 1, 6)
    for figure in (
        attribution_map(VALUES, limit=2, image=IMAGE, mask=mask),
        attribution_map(None, limit=1, image=IMAGE),
        explanation_plane([point, point]),
        deletion_curve(shares, 1 - shares, 1 - shares**2),
    ):
        go.Figure(figure.to_dict())


def test_the_scale_is_symmetric_and_zero_is_transparent():
    tiles = attribution_map(VALUES, limit=2).data[0]
    assert (tiles.zmin, tiles.zmax) == (-2, 2)
    assert tiles.colorscale[1][1].endswith(", 0)")


def test_the_picture_lies_exactly_below_the_map():
    figure = attribution_map(VALUES, limit=2, image=IMAGE)
    picture = figure.layout.images[0]
    assert (picture.x, picture.y, picture.sizex, picture.sizey) == (-0.5, -0.5, 20, 20)
    assert figure.layout.yaxis.scaleanchor == "x"
    np.testing.assert_array_equal(decode(base64.b64decode(data_url(IMAGE).partition(",")[2])), IMAGE)


def test_an_empty_mask_has_no_outline():
    assert not attribution_map(VALUES, limit=2, mask=np.zeros((20, 20), bool)).layout.shapes


def test_an_overlay_leaves_pixels_without_attribution_alone():
    values = np.zeros((20, 20))
    values[3, 4], values[5, 6] = 2, -2
    drawn = overlay(IMAGE, values, limit=2)
    changed = (drawn != IMAGE).any(axis=2)
    assert changed.sum() == 2
    assert drawn[3, 4, 0] > drawn[3, 4, 2]  # red raises
    assert drawn[5, 6, 2] > drawn[5, 6, 0]  # blue lowers
    np.testing.assert_array_equal(overlay(IMAGE, np.zeros((20, 20)), limit=0.0), IMAGE)


def test_the_scale_stands_apart_from_the_maps_and_has_plotlys_colours():
    tiles = attribution_map(VALUES, limit=2).data[0]
    assert not tiles.showscale
    shares = np.linspace(0, 1, 21)
    stops = np.array([stop.split(",") for stop in re.findall(r"rgba\((.*?)\)", map_gradient(len(shares)))], float)
    low, middle, high = (tuple(map(float, re.findall(r"\d+", colour)[:3])) for _, colour in tiles.colorscale)
    halves = [(low, middle, 2 * at) if at < 0.5 else (middle, high, 2 * at - 1) for at in shares]
    expected = [find_intermediate_color(*half) for half in halves]
    np.testing.assert_allclose(stops[:, :3], expected, atol=1)
    np.testing.assert_allclose(stops[:, 3], np.abs(2 * shares - 1))
