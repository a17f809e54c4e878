"""Plotly figures from plain arrays: one palette, thin grids, direct labels, transparent for both themes.

Figures are built from plain dictionaries in one call, which takes a quarter of the time of adding traces one by one.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from gad_core.decision.curves import Auroc, Curve
from gad_core.decision.rates import Rate
from gad_core.wording import number, percent

Array = NDArray[np.float64]

# Okabe & Ito, safe for colour-blind eyes, the same everywhere.
LEFT_OUT, NORMAL, DEFECT = "#0072B2", "#56B4E9", "#D55E00"
PROMISE, FINITE_SAMPLE, SELECTED = "#8A8A8A", "#009E73", "#F0E442"
GRID = "rgba(128, 128, 128, 0.18)"
METHOD_COLOURS = {
    "chi2": PROMISE,
    "hotelling": "#CC79A7",
    "cross-conformal": FINITE_SAMPLE,
    "split-conformal": "#E69F00",
}
METHOD_NAMES = {
    "chi2": "Chi-square",
    "hotelling": "Hotelling",
    "cross-conformal": "Cross-conformal",
    "split-conformal": "Split-conformal",
}

_BINS = 48


def score_histogram(groups: Mapping[str, tuple[Array, str]], threshold: float, *, ink: str) -> go.Figure:
    """Shares of each group's images by distance, in common bins, with the threshold; groups are name -> scores, colour.

    The axis is logarithmic: defects may lie ten times as far out as normal images, which must not be squeezed for it.
    """
    present = {name: (scores, colour) for name, (scores, colour) in groups.items() if len(scores)}
    low, high = _distance_range([scores for scores, _ in present.values()], threshold)
    edges = np.geomspace(low, high, _BINS + 1)
    centres = (edges[:-1] + edges[1:]) / 2
    traces = []
    for name, (scores, colour) in present.items():
        share = 100 * np.histogram(scores, edges)[0] / len(scores)
        traces.append(
            {
                "type": "bar",
                "name": f"{name} · n = {len(scores)}",
                "x": centres,
                "y": share,
                "width": np.diff(edges),
                "marker": {"color": colour, "opacity": 0.62, "line": {"width": 0}},
                "hovertemplate": f"{name}: %{{y:.1f}} % at distance %{{x:.3g}}<extra></extra>",
            }
        )
    layout = _layout("distance", "share of images, %", legend=True) | {"barmode": "overlay", "bargap": 0}
    layout["xaxis"] |= _log_axis(low, high)
    return _figure(traces, layout, [_threshold_line(threshold, ink)], [_threshold_label(threshold, ink)])


def score_ecdf(groups: Mapping[str, tuple[Array, str]], threshold: float, *, ink: str) -> go.Figure:
    """Share of each group's images at or below a distance, with the threshold."""
    present = {name: (scores, colour) for name, (scores, colour) in groups.items() if len(scores)}
    low, high = _distance_range([scores for scores, _ in present.values()], threshold)
    traces = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": f"{name} · n = {len(scores)}",
            "x": np.sort(scores),
            "y": 100 * np.arange(1, len(scores) + 1) / len(scores),
            "line": {"color": colour, "width": 2, "shape": "hv"},
            "hovertemplate": f"{name}: %{{y:.1f}} % at or below %{{x:.3g}}<extra></extra>",
        }
        for name, (scores, colour) in present.items()
    ]
    layout = _layout("distance", "share at or below, %", legend=True)
    layout["xaxis"] |= _log_axis(low, high)
    return _figure(traces, layout, [_threshold_line(threshold, ink)], [_threshold_label(threshold, ink)])


def roc_curve(curve: Curve, point: tuple[float, float], area: Auroc, *, ink: str) -> go.Figure:
    """Caught defects against false alarms with the operating point (false-positive rate, true-positive rate)."""
    chance = {"type": "line", "x0": 0, "y0": 0, "x1": 100, "y1": 100, "line": {"color": GRID, "dash": "dot"}}
    traces = [_step(curve.x, curve.y, "%{x:.1f} % false alarms, %{y:.1f} % caught"), _operating_point(point, ink)]
    layout = _layout("false alarms on test normals, %", "defects caught, %")
    layout["xaxis"] |= {"range": [-2, 102]}
    layout["yaxis"] |= {"range": [-2, 102]}
    words = f"AUROC {100 * area.value:.1f}<br>[{100 * area.low:.1f}, {100 * area.high:.1f}]"
    label = {"x": 98, "y": 4, "text": words, "showarrow": False, "xanchor": "right", "yanchor": "bottom"}
    return _figure(traces, layout, [chance], [label])


def precision_recall_curve(curve: Curve, point: tuple[float, float], *, ink: str) -> go.Figure:
    """Precision against recall with the operating point (recall, precision)."""
    traces = [_step(curve.x, curve.y, "%{x:.1f} % caught, %{y:.1f} % of alarms right"), _operating_point(point, ink)]
    layout = _layout("defects caught (recall), %", "alarms that are right (precision), %")
    layout["xaxis"] |= {"range": [-2, 102]}
    layout["yaxis"] |= {"range": [-2, 102]}
    return _figure(traces, layout)


def promised_against_achieved(
    targets: Sequence[float], achieved: Mapping[str, Sequence[Rate | None]], current: float, *, ink: str
) -> go.Figure:
    """False-positive rate achieved on one sample against the target, a line a method, with its interval as a band."""
    traces: list[dict[str, Any]] = []
    x = 100 * np.asarray(targets)
    floor = float(x.min()) / 2  # a logarithmic axis has no zero: "none of n" lies on its edge
    for method, rates in achieved.items():
        known = [(target, rate) for target, rate in zip(x, rates, strict=True) if rate is not None]
        if not known:
            continue
        at = [target for target, _ in known]
        low, value, high = (
            np.maximum([100 * getattr(rate, name) for _, rate in known], floor) for name in ("low", "value", "high")
        )
        colour = METHOD_COLOURS[method]
        band = {"type": "scatter", "mode": "lines", "hoverinfo": "skip", "showlegend": False, "line": {"width": 0}}
        traces += [
            band | {"x": at, "y": high},
            band | {"x": at, "y": low, "fill": "tonexty", "fillcolor": _faint(colour)},
            {
                "type": "scatter",
                "mode": "lines",
                "name": METHOD_NAMES[method],
                "x": at,
                "y": value,
                "line": {"color": colour, "width": 2, "dash": "dash" if method == "chi2" else "solid"},
                "hovertemplate": f"{METHOD_NAMES[method]}: asked for %{{x:.3g}} %, got %{{y:.3g}} %<extra></extra>",
            },
        ]
    layout = _layout("promised false-positive rate, %", "achieved, %", legend=True)
    span = [np.log10(floor), 2]
    layout["xaxis"] |= {"type": "log", "range": [np.log10(x.min()), np.log10(x.max())], "dtick": 1}
    layout["yaxis"] |= {"type": "log", "range": span, "dtick": 1}
    ends = {"x0": float(x.min()), "y0": float(x.min()), "x1": float(x.max()), "y1": float(x.max())}
    ideal = {"type": "line", "line": {"color": ink, "width": 1, "dash": "dot"}} | ends
    return _figure(traces, layout, [ideal, _threshold_line(100 * current, ink)])


def rate_bars(rates: Mapping[str, Rate], colour: str) -> go.Figure:
    """A horizontal bar a name, with its interval, value and n."""
    names = [name.replace("_", " ") for name in rates]
    values = [100 * rate.value for rate in rates.values()]
    trace = {
        "type": "bar",
        "orientation": "h",
        "y": names,
        "x": values,
        "marker": {"color": colour},
        "error_x": _whiskers(values, [(100 * rate.low, 100 * rate.high) for rate in rates.values()]),
        "text": [f"{percent(rate.value)} · {rate.count} of {rate.n}" for rate in rates.values()],
        "textposition": "inside",
        "insidetextanchor": "start",
        "hovertemplate": "%{y}: %{text}<extra></extra>",
    }
    layout = _layout("caught, %", "")
    layout["xaxis"] |= {"range": [0, 102]}
    layout["yaxis"] |= {"autorange": "reversed", "showgrid": False}
    return _figure([trace], layout)


def level_bars(areas: Mapping[str, Auroc], summed: Sequence[int]) -> go.Figure:
    """AUROC of every level and of the sum with intervals; the levels in the sum are darker."""
    values = [100 * area.value for area in areas.values()]
    chosen = {str(level) for level in summed} | {"sum"}
    trace = {
        "type": "bar",
        "x": [name if name == "sum" else f"level {name}" for name in areas],
        "y": values,
        "marker": {"color": [LEFT_OUT if name in chosen else NORMAL for name in areas]},
        "error_y": _whiskers(values, [(100 * area.low, 100 * area.high) for area in areas.values()]),
        "text": [f"{value:.1f}" for value in values],
        "textposition": "inside",
        "insidetextanchor": "start",
        "hovertemplate": "%{x}: AUROC %{y:.2f} %<extra></extra>",
    }
    layout = _layout("", "AUROC, %")
    layout["yaxis"] |= {"range": [min(50.0, min(values) - 5), 101]}
    return _figure([trace], layout)


def _distance_range(samples: Sequence[Array], threshold: float) -> tuple[float, float]:
    """Ends of a logarithmic axis with room on both sides; a distance of zero lies on its edge."""
    low = min(float(scores[scores > 0].min(initial=threshold)) for scores in samples)
    high = max(float(scores.max()) for scores in samples)
    return 0.95 * min(low, threshold), 1.05 * max(high, threshold)


def _log_axis(low: float, high: float) -> dict[str, Any]:
    """A logarithmic axis with whole numbers as ticks; a label for each power of ten alone would be too few."""
    steps = (1, 2, 3, 5, 7) if high < 30 * low else (1, 2, 5)
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    ticks = [step * 10.0**power for power in powers for step in steps if low <= step * 10.0**power <= high]
    span = [float(np.log10(low)), float(np.log10(high))]
    return {"type": "log", "range": span, "tickvals": ticks, "ticktext": [f"{tick:g}" for tick in ticks]}


def _step(x: Array, y: Array, words: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": 100 * x,
        "y": 100 * y,
        "line": {"color": LEFT_OUT, "width": 2},
        "hovertemplate": words + "<extra></extra>",
    }


def _operating_point(point: tuple[float, float], ink: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [100 * point[0]],
        "y": [100 * point[1]],
        "marker": {"size": 13, "color": SELECTED, "line": {"color": ink, "width": 2}},
        "hovertemplate": "this threshold: %{x:.1f} %, %{y:.1f} %<extra></extra>",
    }


def _threshold_line(x: float, ink: str) -> dict[str, Any]:
    return {"type": "line", "x0": x, "x1": x, "yref": "paper", "y0": 0, "y1": 1, "line": {"color": ink, "width": 2}}


def _threshold_label(x: float, ink: str) -> dict[str, Any]:
    words = {"text": f"threshold {number(x)}", "font": {"color": ink}, "showarrow": False}
    return words | {
        "x": float(np.log10(x)),
        "yref": "paper",
        "y": 1.0,
        "xanchor": "left",
        "yanchor": "top",
        "xshift": 5,
    }


def _whiskers(values: Sequence[float], bounds: Sequence[tuple[float, float]]) -> dict[str, Any]:
    return {
        "type": "data",
        "symmetric": False,
        "array": [high - value for value, (_, high) in zip(values, bounds, strict=True)],
        "arrayminus": [value - low for value, (low, _) in zip(values, bounds, strict=True)],
        "color": PROMISE,
        "thickness": 1.2,
        "width": 4,
    }


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, 0.15)"


def _layout(x: str, y: str, *, legend: bool = False) -> dict[str, Any]:
    axis = {"gridcolor": GRID, "zeroline": False, "showline": False, "automargin": True}
    return {
        "height": 320,
        "margin": {"l": 8, "r": 8, "t": 34 if legend else 12, "b": 8},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "showlegend": legend,
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "xaxis": {"title": {"text": x}} | axis,
        "yaxis": {"title": {"text": y}} | axis,
        "hovermode": "closest",
        "uirevision": "stay",  # a zoom survives a move of the slider
    }


def _figure(
    traces: Sequence[dict[str, Any]],
    layout: dict[str, Any],
    shapes: Sequence[dict[str, Any]] = (),
    annotations: Sequence[dict[str, Any]] = (),
) -> go.Figure:
    return go.Figure({"data": traces, "layout": layout | {"shapes": list(shapes), "annotations": list(annotations)}})
