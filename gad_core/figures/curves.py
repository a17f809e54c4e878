"""ROC and precision-recall curve, with the rates at the chosen threshold."""

import numpy as np
import plotly.graph_objects as go

from gad_core.decision.curves import Auroc, Curve, roc_band
from gad_core.decision.rates import Rate, rate
from gad_core.figures.canvas import CHOSEN, MOVES, Part, axis, diagonal, figure, line, whiskers
from gad_core.figures.palette import GRID, INK, LEFT_OUT, faint
from gad_core.wording import interval

_RANGE = [-2.5, 102.5]
_TICKS = [0, 25, 50, 75, 100]


def roc_curve(
    curve: Curve, area: Auroc, *, chosen: tuple[Rate, Rate] | None = None, adopted: tuple[Rate, Rate] | None = None
) -> go.Figure:
    """ROC: true-positive against false-positive rate with a 95 % band.

    `chosen` are false alarms and caught defects at the threshold, a point with two intervals; `adopted` are those at an
    adopted one, an open diamond.
    """
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
        *([_chosen(*chosen, "false alarms", "caught")] if chosen else []),
        *([_adopted(*adopted)] if adopted else []),
    ]
    layout = {
        "xaxis": axis("false-positive rate (good test parts flagged), %", range=_RANGE, tickvals=_TICKS),
        "yaxis": axis("true-positive rate (defects caught), %", range=_RANGE, tickvals=_TICKS),
    }
    chance = diagonal(0, 100, color=GRID, width=2)
    words = f"AUROC <b>{100 * area.value:.1f}</b><br>{interval(area.low, area.high)}"
    label = {"x": 99, "y": 4, "xanchor": "right", "yanchor": "bottom", "align": "right", "text": words}
    return figure(traces, layout, marks=[(chance, {}), ({}, label)])


def precision_recall_curve(curve: Curve, *, chosen: tuple[Rate, Rate] | None = None) -> go.Figure:
    """Precision against recall; `chosen` are false alarms and caught defects at the threshold.

    A threshold that raises no alarm has no precision, and is not drawn.
    """
    traces = [_curve(curve, "%{x:.1f} % caught<br>%{y:.1f} % of alarms right")]
    if chosen and (alarms := sum(rates.count for rates in chosen)):
        caught = chosen[1]
        traces.append(_chosen(caught, rate(caught.count, alarms), "caught", "of alarms right"))
    layout = {
        "xaxis": axis("recall (defects caught), %", range=_RANGE, tickvals=_TICKS),
        "yaxis": axis("precision (alarms that are right), %", range=_RANGE, tickvals=_TICKS),
    }
    return figure(traces, layout)


def _curve(curve: Curve, words: str) -> Part:
    return line(100 * curve.x, 100 * curve.y, LEFT_OUT, words, width=2.2) | {
        "mode": "lines+markers",
        "customdata": curve.thresholds,
        "marker": {"size": 9, "opacity": 0, "maxdisplayed": 1},  # to be clicked, not to be drawn
    }


def _chosen(x: Rate, y: Rate, x_words: str, y_words: str) -> Part:
    return {
        "meta": MOVES,
        "type": "scatter",
        "mode": "markers",
        "x": [100 * x.value],
        "y": [100 * y.value],
        "error_x": whiskers([x]),
        "error_y": whiskers([y]),
        "marker": CHOSEN,
        "cliponaxis": False,
        "hovertemplate": f"at this threshold<br>%{{x:.1f}} % {x_words}<br>%{{y:.1f}} % {y_words}<extra></extra>",
    }


def _adopted(alarms: Rate, caught: Rate) -> Part:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [100 * alarms.value],
        "y": [100 * caught.value],
        "marker": {"symbol": "diamond-open", "size": 13, "color": INK, "line": {"width": 2}},
        "cliponaxis": False,
        "hovertemplate": "adopted threshold<br>%{x:.1f} % false alarms<br>%{y:.1f} % caught<extra></extra>",
    }
