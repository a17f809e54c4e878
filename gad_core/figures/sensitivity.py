"""What a defect must measure to be caught: probability of detection against size, and by place in the image."""

import math
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from gad_core.detectability.detection import POD, Pod
from gad_core.detectability.real import RealDefect
from gad_core.figures.attributions import Pixels, bare_layout
from gad_core.figures.canvas import EMPTY, TEXT, Part, axis, band, figure, horizontal, key_above, line, rate_points
from gad_core.figures.palette import DEFECT, FAMILY, INK, faint
from gad_core.wording import number, percent

Array = NDArray[np.float64]

_POINTS = 61  # of a curve
_TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)
_CAUGHT, _MISSED = 106.0, -6.0  # percent at which real defects lie: above all curves and below them
_SPREAD = 2.5  # percent up or down, so that they do not hide each other
_HIDDEN = 0.8  # of the image below a place where nothing is caught
_STEPS = 11  # of the colours
_LEAST = 80.0  # percent caught: where all is caught about as often, nothing stands out


def detection_curves(curves: Mapping[str, Pod], *, side: int, real: Sequence[RealDefect] = ()) -> go.Figure:
    """POD against size, a curve a name with its band and the shares at the sizes drawn; the line is at 90 %.

    Sizes are percent of a shorter side of `side` pixels, on a log axis. A diamond is a90, and the bar to its right ends
    at a90/95. Real defects lie above the plot where they were caught and below where they were missed.
    """
    traces: list[Part] = []
    for (name, pod), colour in zip(curves.items(), _colours(len(curves)), strict=True):
        traces += _curve(name, pod, colour, side)
    for caught, height in ((True, _CAUGHT), (False, _MISSED)):
        if shown := [one for one in real if one.caught == caught]:
            traces.append(_real(shown, height, side))
    sizes = [*(size for pod in curves.values() for size in pod.counts.sizes), *(one.size for one in real)]
    layout = {
        "height": 380,
        "xaxis": axis(
            f"size, % of the shorter side (1 % is {number(side / 100)} px)",
            type="log",
            range=[math.log10(0.85 * min(sizes, default=1)), math.log10(1.15 * max(sizes, default=10))],
            tickvals=_TICKS,
            ticktext=[f"{tick:g}" for tick in _TICKS],
        ),
        "yaxis": axis("caught, %", range=[-11, 111], tickvals=[0, 25, 50, 75, 90, 100]),
    }
    names = [("━━", name, colour) for name, colour in zip(curves, _colours(len(curves)), strict=True)]
    if real:
        names.append(("●", "real defects", DEFECT))
    return figure(traces or [EMPTY], layout, marks=[(horizontal(100 * POD), {}), key_above(names)])


def _colours(n: int) -> list[str]:
    return [FAMILY[place % len(FAMILY)] for place in range(n)]


def _curve(name: str, pod: Pod, colour: str, side: int) -> list[Part]:
    """Band, curve, counts, and a90 with its bound."""
    sizes, rates = pod.counts.sizes, pod.counts.rates
    words = [f"{name}, {_size(size, side)}" for size in sizes]
    points = rate_points(sizes, rates, colour, words)
    points["marker"] |= {"size": 6}
    points["error_y"] |= {"color": faint(colour, 0.6), "thickness": 1, "width": 2}
    if pod.curve is None:
        return [points]
    x = np.geomspace(sizes[0], sizes[-1], _POINTS)
    low, high = pod.curve.band(x)
    fitted = line(x, 100 * pod.curve.at(x), colour, f"{name}, %{{x:.3g}} %: %{{y:.1f}} % caught")
    traces = [band(x.tolist(), 100 * low, 100 * high, colour), fitted, points]
    if pod.a90 is not None:
        traces.append(_a90(name, pod.a90, pod.a90_95, colour, side))
    return traces


def _a90(name: str, a90: float, bound: float | None, colour: str, side: int) -> Part:
    told = f", 95 % confident from {_size(bound, side)}" if bound is not None else ""
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [a90],
        "y": [100 * POD],
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [(bound or a90) - a90],
            "arrayminus": [0],
            "color": colour,
            "thickness": 3,
            "width": 6,
        },
        "marker": {"symbol": "diamond", "size": 11, "color": colour, "line": {"color": INK, "width": 1.5}},
        "hovertext": [f"{name}: a90 {_size(a90, side)}{told}"],
        "hoverinfo": "text",
    }


def _real(defects: Sequence[RealDefect], height: float, side: int) -> Part:
    """Real defects at a height, a little apart."""
    apart = np.resize([0, 1, -1, 0.5, -0.5], len(defects)) * _SPREAD
    verdict = "caught" if defects[0].caught else "missed"
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [one.size for one in defects],
        "y": height + apart,
        "marker": {"color": faint(DEFECT, 0.75), "size": 7},
        "cliponaxis": False,
        "customdata": [[escape(one.defect.replace("_", " ")), _size(one.size, side)] for one in defects],
        "hovertemplate": f"%{{customdata[0]}}, %{{customdata[1]}}: {verdict}<extra></extra>",
    }


def _size(size: float, side: int) -> str:
    return f"{number(size)} % ({number(size * side / 100)} px)"


def blind_spots(shares: Array, draws: NDArray[np.intp], image: Pixels, *, height: int = 380) -> go.Figure:
    """The share caught by place (rows, columns) over an image (S, S, 3): where most is missed, it is covered most.

    All places have seen the same defects; NaN, where none was drawn, is left bare.
    """
    rows, columns = shares.shape
    tall, wide = image.shape[0] / rows, image.shape[1] / columns
    quiet = faint(INK, 0.75)
    tiles: Part = {
        "type": "heatmap",
        "z": 100 * shares,
        "x0": wide / 2 - 0.5,
        "dx": wide,
        "y0": tall / 2 - 0.5,
        "dy": tall,
        "zmin": min(_LEAST, float(np.nanmin(100 * shares))),
        "zmax": 100,
        "colorscale": [[step, faint(DEFECT, round(_HIDDEN * (1 - step), 3))] for step in np.linspace(0, 1, _STEPS)],
        "colorbar": {
            "title": {"text": "caught, %", "side": "right", "font": {"color": quiet, "size": TEXT}},
            "tickfont": {"color": quiet, "size": TEXT},
            "thickness": 10,
            "outlinewidth": 0,
        },
        "xgap": 1,
        "ygap": 1,
        "text": [
            [
                f"row {row + 1}, column {column + 1}: {percent(shares[row, column])} of {draws[row, column]} caught"
                if np.isfinite(shares[row, column])
                else ""
                for column in range(columns)
            ]
            for row in range(rows)
        ],
        "hovertemplate": "%{text}<extra></extra>",
        "hoverongaps": False,
    }
    return figure([tiles], bare_layout(image.shape[0], height, image) | {"margin": {"l": 0, "r": 0, "t": 0, "b": 0}})
