"""Rates and areas with their intervals: by method, by defect type, by level."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from gad_core.decision.curves import Auroc
from gad_core.decision.rates import Rate
from gad_core.figures.canvas import Part, axis, band, diagonal, figure, key, line, vertical, whiskers
from gad_core.figures.palette import INK, LEFT_OUT, METHOD_COLOURS, METHOD_NAMES, NORMAL, faint
from gad_core.wording import interval, number, percent

_TICKS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100)
_ROW = 34  # pixels that a bar takes


def promised_against_achieved(
    targets: Sequence[float], by_method: Mapping[str, Sequence[Rate | None]], current: float
) -> go.Figure:
    """False-positive rate achieved against the promised one, a line a method with its interval; ideal is the diagonal.

    Both axes are logarithmic and begin where a third of an image would: below, a sample of that size shows nothing.
    """
    asked = 100 * np.asarray(targets)
    sizes = [rate.n for rates in by_method.values() for rate in rates if rate is not None]
    low, high = max(float(asked.min()), 100 / (3 * max(sizes, default=100))), 100.0
    low = min(low, 80 * current)
    traces: list[Part] = []
    for method, rates in by_method.items():
        known = [(x, rate) for x, rate in zip(asked, rates, strict=True) if rate is not None and x >= low]
        if known:
            traces += _method(method, known, low)
    names = [(METHOD_NAMES[method], METHOD_COLOURS[method]) for method in by_method if any(by_method[method])]
    span: Part = {
        "type": "log",
        "range": [math.log10(low), math.log10(high)],
        "tickvals": _TICKS,
        "ticktext": list(map(str, _TICKS)),
    }
    layout = {
        "xaxis": axis("promised false-positive rate, %", **span),
        "yaxis": axis("achieved false-positive rate, %", **span),
    }
    target = vertical(100 * current, f"target {number(100 * current)} %", (low, high), log=True)
    return figure(traces, layout, marks=[(diagonal(low, high), {}), target, *key(names)])


def rate_bars(rates: Mapping[str, Rate], colour: str) -> go.Figure:
    """A horizontal bar a name with its interval; value, count and n stand at its end."""
    values = [100 * rate.value for rate in rates.values()]
    names = [name.replace("_", " ") for name in rates]
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": names,
        "x": values,
        "width": 0.5,
        "marker": {"color": faint(colour, 0.85)},
        "error_x": whiskers(list(rates.values())),
        "customdata": [f"{percent(rate.value)} {interval(rate.low, rate.high)}" for rate in rates.values()],
        "hovertemplate": "%{y}: %{customdata}<extra></extra>",
    }
    at_end = {"xref": "paper", "x": 1, "xanchor": "left", "xshift": 8, "yanchor": "middle"}
    ends: list[tuple[Part, Part]] = [
        ({}, at_end | {"y": name, "text": f"{percent(rate.value)}, {rate.count} of {rate.n}"})
        for name, rate in zip(names, rates.values(), strict=True)
    ]
    layout = {
        "height": _ROW * len(names) + 28,
        "margin": {"r": 120, "t": 4},
        "xaxis": axis("", range=[0, 101], tickvals=[0, 25, 50, 75, 100], ticksuffix=" %"),
        "yaxis": axis("", grid=False, tickvals=names, ticktext=names, autorange="reversed", fixedrange=True),
    }
    return figure([bars], layout, marks=ends)


def level_areas(areas: Mapping[str, Auroc], summed: Sequence[int]) -> go.Figure:
    """AUROC of every level and of the sum with intervals; the levels in the sum are filled."""
    values = [100 * area.value for area in areas.values()]
    chosen = {str(level) for level in summed} | {"sum"}
    colours = [LEFT_OUT if name in chosen else NORMAL for name in areas]
    names = [name if name == "sum" else f"level {name}" for name in areas]
    points = {
        "type": "scatter",
        "mode": "markers+text",
        "x": names,
        "y": values,
        "marker": {
            "size": 13,
            "color": colours,
            "symbol": ["circle" if name in chosen else "circle-open" for name in areas],
            "line": {"color": colours, "width": 2.5},
        },
        "error_y": whiskers(list(areas.values())),
        "text": [f"{value:.1f}" for value in values],
        "textposition": "middle right",
        "textfont": {"color": INK, "size": 12},
        "cliponaxis": False,
        "customdata": [interval(area.low, area.high) for area in areas.values()],
        "hovertemplate": "%{x}: AUROC %{y:.2f} % %{customdata}<extra></extra>",
    }
    low = min(50.0, *(100 * area.low for area in areas.values()))
    layout = {
        "height": 270,
        "xaxis": axis("", grid=False, fixedrange=True),
        "yaxis": axis("AUROC, %", range=[low - 2, 102], tickvals=[0, 25, 50, 60, 70, 80, 90, 100]),
    }
    return figure([points], layout)


def _method(method: str, known: Sequence[tuple[float, Rate]], floor: float) -> list[Part]:
    """Interval and line; what is rarer than the axis reaches, "none of n" above all, runs along its edge."""
    x = [target for target, _ in known]
    low, value, high = (
        np.maximum([100 * getattr(rate, name) for _, rate in known], floor) for name in ("low", "value", "high")
    )
    colour, name = METHOD_COLOURS[method], METHOD_NAMES[method]
    words = f"{name}, promised %{{x:.3g}} %<br>achieved %{{customdata}}"
    achieved = line(x, value, colour, words, dash="dash" if method == "chi2" else "solid") | {
        "customdata": [f"{percent(rate.value)} {interval(rate.low, rate.high)}, n = {rate.n}" for _, rate in known]
    }
    return [band(x, low, high, colour), achieved]
