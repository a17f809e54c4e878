"""Signed attribution maps: blue lowers the distance, red raises it, and where nothing does the page shines through."""

import base64
from collections.abc import Mapping, Sequence
from functools import lru_cache
from html import escape

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from gad_core.data.images import encode_png
from gad_core.figures.canvas import EMPTY, TEXT, Part, axis, figure, line
from gad_core.figures.palette import INK, LEFT_OUT, PROMISE, SELECTED, faint

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]

_BLUE, _GREY, _RED = (0, 90, 181), (128, 128, 128), (220, 50, 32)
_COLOURS = ((*_BLUE, 1), (*_GREY, 0), (*_RED, 1))  # of the lowest value, zero and the highest
_AT = (0, 0.5, 1)  # where they lie on the scale
_SCALE = [[at, f"rgba{colour}"] for at, colour in zip(_AT, _COLOURS, strict=True)]


def attribution_map(
    values: Array | None,
    *,
    limit: float,
    image: Pixels | None = None,
    mask: NDArray[np.bool_] | None = None,
    opacity: float = 1.0,
    height: int = 320,
) -> go.Figure:
    """A map (S, S) over an image (S, S, 3), either may be missing; colours run from -`limit` to `limit`.

    A pixel's tooltip tells its value; the mask (S, S) is outlined.
    """
    size = (values if values is not None else image if image is not None else np.zeros((1, 1))).shape[0]
    traces = [EMPTY] if values is None else [_colours(values, limit, opacity)]
    return figure(traces, bare_layout(size, height, image), marks=outline(mask))


def bare_layout(size: int, height: int, image: Pixels | None) -> Part:
    """Pixels of an image (size, size, 3) as coordinates, without axes."""
    place = {"xref": "x", "yref": "y", "x": -0.5, "y": -0.5, "sizex": size, "sizey": size, "sizing": "stretch"}
    bare: Part = {"visible": False, "fixedrange": True, "constrain": "domain"}
    return {
        "height": height,
        "images": [{"source": data_url(image), "layer": "below", **place}] if image is not None else [],
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
        "xaxis": {**bare, "range": [-0.5, size - 0.5]},
        "yaxis": {**bare, "range": [size - 0.5, -0.5], "scaleanchor": "x"},
    }


def map_gradient(n: int = 41) -> str:
    """The colours of maps from left to right, for CSS, which mixes two colours otherwise than Plotly: in `n` stops."""
    channels = (np.interp(np.linspace(0, 1, n), _AT, channel) for channel in zip(*_COLOURS, strict=True))
    colours = (f"rgba({r:.0f}, {g:.0f}, {b:.0f}, {seen:.3f})" for r, g, b, seen in zip(*channels, strict=True))
    return f"linear-gradient(to right, {', '.join(colours)})"


def _colours(values: Array, limit: float, opacity: float) -> Part:
    """The map itself, a colour a pixel."""
    return {
        "type": "heatmap",
        "z": values.astype(np.float32),
        "zmin": -limit,
        "zmax": limit,
        "zmid": 0,
        "colorscale": _SCALE,
        "opacity": opacity,
        "showscale": False,
        "hovertemplate": "%{z:.3g} distance<extra></extra>",
    }


def outline(mask: NDArray[np.bool_] | None) -> list[tuple[Part, Part]]:
    """The edge of a mask (S, S) as a mark of a figure; none of an empty one."""
    if mask is None or not mask.any():
        return []
    return [({"type": "path", "path": edges(mask), "line": {"color": SELECTED, "width": 2.5}}, {})]


def edges(mask: NDArray[np.bool_]) -> str:
    """The sides of pixels that a mask (S, S) ends at, as runs of a path; pixels have their centres at whole numbers."""
    return _edges(mask.tobytes(), mask.shape)


@lru_cache(maxsize=8)  # as of `_data_url`
def _edges(mask: bytes, shape: tuple[int, ...]) -> str:
    padded = np.pad(np.frombuffer(mask, np.bool_).reshape(shape), 1)
    runs = []
    for across, flipped in ((padded, False), (padded.T, True)):
        ends = across[1:, 1:-1] != across[:-1, 1:-1]  # between a row and the next
        steps = np.diff(np.pad(ends, ((0, 0), (1, 1))).astype(np.int8), axis=1)
        for (row, start), (_, stop) in zip(np.argwhere(steps == 1) - 0.5, np.argwhere(steps == -1) - 0.5, strict=True):
            runs.append(f"M{row} {start}V{stop}" if flipped else f"M{start} {row}H{stop}")
    return "".join(runs)


def overlay(image: Pixels, values: Array, *, limit: float, opacity: float = 1.0) -> Pixels:
    """The same as pixels (S, S, 3), for files."""
    share = np.clip(values / limit if limit else values, -1, 1)[..., None]
    colour = np.where(share > 0, _RED, _BLUE)
    weight = np.abs(share) * opacity
    return np.rint(image * (1 - weight) + colour * weight).astype(np.uint8)


def explanation_plane(points: Sequence[Mapping[str, float | str]]) -> go.Figure:
    """Detectors by AUROC and explanation score, both in percent; the corner is the ideal."""
    traces = [
        {
            "type": "scatter",
            "mode": "markers+text",
            "x": [point["auroc"] for point in points],
            "y": [point["score"] for point in points],
            "text": [escape(str(point["name"])) for point in points],
            "textposition": "middle left",
            "textfont": {"color": INK, "size": TEXT},
            "error_y": {
                "type": "data",
                "array": [point["sem"] for point in points],
                "color": faint(INK, 0.7),
                "thickness": 1.4,
                "width": 4,
            },
            "marker": {"size": 11, "color": LEFT_OUT},
            "customdata": [point["distance"] for point in points],
            "hovertemplate": "%{text}<br>AUROC %{x:.1f} %, explanation score %{y:.1f}"
            "<br>%{customdata:.1f} from the ideal<extra></extra>",
        }
    ]
    ideal = {"type": "circle", "x0": 98.5, "x1": 101.5, "y0": 97, "y1": 103, "line": {"color": PROMISE, "dash": "dot"}}
    low = min([50.0, *(float(point["auroc"]) - 5 for point in points)])
    layout = {
        "xaxis": axis("AUROC, %", range=[low, 103], tickvals=[0, 25, 50, 60, 70, 80, 90, 100]),
        "yaxis": axis("mean explanation score", range=[-10, 108], tickvals=[0, 25, 50, 75, 100]),
    }
    return figure(traces, layout, marks=[(ideal, {})])


def deletion_curve(shares: Array, by_attribution: Array, by_chance: Array) -> go.Figure:
    """Deletion: score over the share of the image that has given way to a normal one."""
    series = (
        ("highest attribution first", by_attribution, LEFT_OUT, "solid"),
        ("by chance", by_chance, PROMISE, "dash"),
    )
    traces = [
        line(100 * shares, values, colour, f"{name}: %{{x:.0f}} % exchanged, distance %{{y:.3g}}", dash=dash)
        for name, values, colour, dash in series
    ]
    labels: list[tuple[Part, Part]] = [
        ({}, {"x": 100 * shares[3], "y": values[3], "text": name, "xanchor": "left", "yanchor": "bottom"})
        for name, values, *_ in series
    ]
    layout = {
        "height": 240,
        "xaxis": axis("share of the image exchanged, %", range=[-1, 101]),
        "yaxis": axis("distance", rangemode="tozero"),
    }
    return figure(traces, layout, marks=labels)


def data_url(pixels: Pixels) -> str:
    """Pixels (S, S, 3) as a URL that holds them."""
    return _data_url(pixels.tobytes(), pixels.shape)


@lru_cache(maxsize=8)  # a page shows an image in several charts, and draws them at every move of a slider
def _data_url(pixels: bytes, shape: tuple[int, ...]) -> str:
    packed = encode_png(np.frombuffer(pixels, np.uint8).reshape(shape))
    return f"data:image/png;base64,{base64.b64encode(packed).decode()}"
