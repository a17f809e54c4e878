"""What a detector catches against what it gets wrong, at every threshold and at the one that was chosen."""

import numpy as np
import plotly.graph_objects as go

from gad_core.decision.curves import Auroc, Curve, roc_band
from gad_core.decision.rates import Rate, rate
from gad_core.figures.canvas import Part, axis, figure, whiskers
from gad_core.figures.palette import GRID, INK, LEFT_OUT, SELECTED, faint
from gad_core.wording import interval

_RANGE = [-2.5, 102.5]
_TICKS = [0, 25, 50, 75, 100]


def roc_curve(curve: Curve, alarms: Rate, caught: Rate, area: Auroc) -> go.Figure:
    """Defects caught against false alarms with a 95 % band; the chosen threshold's two rates with their intervals."""
    low, high = roc_band(curve, n_normal=area.n_normal, n_anomalous=area.n_anomalous)
    between = {
        "type": "scatter",
        "mode": "lines",
        "x": 100 * np.concatenate([[0], high.x, [1], low.x[::-1]]),
        "y": 100 * np.concatenate([[0], high.y, [1], low.y[::-1]]),
        "fill": "toself",
        "fillcolor": faint(LEFT_OUT, 0.14),
        "line": {"width": 0},
        "hoverinfo": "skip",
    }
    traces = [
        between,
        _curve(curve, "%{x:.1f} % false alarms<br>%{y:.1f} % caught"),
        _chosen(alarms, caught, "false alarms", "caught"),
    ]
    layout = {
        "xaxis": axis("good test parts flagged, %", range=_RANGE, tickvals=_TICKS),
        "yaxis": axis("defects caught, %", range=_RANGE, tickvals=_TICKS),
    }
    dots = {"color": GRID, "dash": "dot", "width": 2}
    chance = {"type": "line", "x0": 0, "y0": 0, "x1": 100, "y1": 100, "line": dots}
    words = f"AUROC <b>{100 * area.value:.1f}</b><br>{interval(area.low, area.high)}"
    label = {"x": 99, "y": 4, "xanchor": "right", "yanchor": "bottom", "align": "right", "text": words}
    return figure(traces, layout, marks=[(chance, {}), ({}, label)])


def precision_recall_curve(curve: Curve, caught: Rate, false_alarms: int) -> go.Figure:
    """Share of alarms that are right against defects caught, with the chosen threshold's two rates and intervals.

    A threshold that raises no alarm has no precision, and is not drawn.
    """
    traces = [_curve(curve, "%{x:.1f} % caught<br>%{y:.1f} % of alarms right")]
    if alarms := caught.count + false_alarms:
        traces.append(_chosen(caught, rate(caught.count, alarms), "caught", "of alarms right"))
    layout = {
        "xaxis": axis("defects caught (recall), %", range=_RANGE, tickvals=_TICKS),
        "yaxis": axis("alarms that are right (precision), %", range=_RANGE, tickvals=_TICKS),
    }
    return figure(traces, layout)


def _curve(curve: Curve, words: str) -> Part:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": 100 * curve.x,
        "y": 100 * curve.y,
        "customdata": curve.thresholds,
        "marker": {"size": 9, "opacity": 0, "maxdisplayed": 1},  # to be clicked, not to be drawn
        "selected": {"marker": {"opacity": 0}},
        "unselected": {"marker": {"opacity": 0}},
        "line": {"color": LEFT_OUT, "width": 2.2},
        "hovertemplate": words + "<extra></extra>",
    }


def _chosen(x: Rate, y: Rate, x_words: str, y_words: str) -> Part:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [100 * x.value],
        "y": [100 * y.value],
        "error_x": whiskers([x]),
        "error_y": whiskers([y]),
        "marker": {"size": 12, "color": SELECTED, "line": {"color": INK, "width": 2}},
        "cliponaxis": False,
        "hovertemplate": f"at this threshold<br>%{{x:.1f}} % {x_words}<br>%{{y:.1f}} % {y_words}<extra></extra>",
    }
