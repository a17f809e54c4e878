"""Control charts of normal scores, and the martingale that raises the alarm."""

import math
from html import escape

import numpy as np
import plotly.graph_objects as go

from gad_core.decision.control_chart import LIMIT
from gad_core.decision.drift import Drift
from gad_core.figures.canvas import Part, axis, figure, horizontal, key_above, line, vertical
from gad_core.figures.palette import DEFECT, FINITE_SAMPLE, INK, LEFT_OUT, NORMAL, faint
from gad_core.wording import number

_TICKS = 6  # of the martingale's axis at most
_EDGE = 0.1  # share of the plot that a name needs beside its line
_LEAST = 1.2  # powers of ten above 1 that the martingale's axis shows at least


def control_chart(drift: Drift) -> go.Figure:
    """Normal scores of good-looking parts as dots, their EWMA, both with limits, and the means of lots.

    What is out of limits is vermilion. Parts are counted from 1. Names of lots come from outside.
    """
    z, x = drift.normal_scores, (drift.places + 1).astype(np.float64)
    dots = {
        "type": "scatter",
        "mode": "markers",
        "x": x,
        "y": z,
        "marker": {"size": 6, "color": np.where(np.abs(z) > LIMIT, DEFECT, NORMAL).tolist()},
        "hovertemplate": "part %{x}: normal score %{y:.2f}<extra></extra>",
    }
    averages = line(x, drift.ewma, LEFT_OUT, "part %{x}: EWMA %{y:.2f}")
    limits = [
        line(x, sign * drift.ewma_limits, LEFT_OUT, "limit of the EWMA %{y:.2f}", width=1.2, dash="dash")
        for sign in (1, -1)
    ]
    beyond = np.abs(drift.ewma) > drift.ewma_limits
    outside = {
        "type": "scatter",
        "mode": "markers",
        "x": x[beyond],
        "y": drift.ewma[beyond],
        "marker": {"size": 7, "color": DEFECT, "symbol": "diamond"},
        "hovertemplate": "part %{x}: EWMA %{y:.2f}, out of limits<extra></extra>",
    }
    lots = [_lot_line(drift, inside) for inside in (True, False)] if drift.lots else []
    high = max(LIMIT, float(np.abs(z).max(initial=0.0))) + 0.4
    layout = {
        "xaxis": axis("part", range=list(_span(drift)), nticks=8),
        "yaxis": axis("normal score", range=[-high, high], ticktext=["-3"], tickmode="linear", dtick=1),
    }
    bounds: list[tuple[Part, Part]] = [(horizontal(sign * LIMIT), {}) for sign in (1, -1)]
    names = [("●", "part", NORMAL), ("━━", "EWMA", LEFT_OUT), *([("━━", "lot", FINITE_SAMPLE)] if lots else [])]
    return figure([dots, *limits, averages, outside, *lots], layout, marks=[*bounds, *_events(drift), key_above(names)])


def martingale(drift: Drift) -> go.Figure:
    """The evidence against "nothing has changed", on a log axis, with the height of the alarm."""
    logs = np.concatenate([[0.0], drift.log_martingale]) / math.log(10)
    x = np.concatenate([[0.0], drift.places + 1.0])
    path = line(x, logs, LEFT_OUT, "part %{x}: %{customdata} to 1") | {"customdata": [_power(log) for log in logs]}
    alarm = -math.log10(drift.alpha)
    low, high = min(logs.min(), -0.2), max(logs.max(), alarm, _LEAST)
    step = max(1, math.ceil((high - low) / _TICKS))
    ticks = [place for place in range(math.floor(low), math.ceil(high) + 1) if place % step == 0]
    room = 0.06 * (high - low)
    layout = {
        "xaxis": axis("part", range=list(_span(drift)), nticks=8),
        "yaxis": axis(
            "martingale",
            range=[low - room, high + room],
            tickvals=ticks,
            ticktext=[_power(tick) for tick in ticks],
        ),
    }
    label = {
        "text": f"alarm from {number(1 / drift.alpha)}",
        "xref": "paper",
        "x": 0,
        "xanchor": "left",
        "xshift": 4,
        "y": alarm,
        "yanchor": "bottom",
    }
    return figure([path], layout, marks=[(horizontal(alarm), label), *_events(drift)])


def _lot_line(drift: Drift, inside: bool) -> Part:
    """The means of lots within limits, or of those outside, each from its first part to its last."""
    lots = [lot for lot in drift.lots if lot.outside != inside]
    texts = [f"lot {escape(lot.name)}: mean {lot.mean:.2f} of {lot.n}, limits ±{lot.limit:.2f}" for lot in lots]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [x for lot in lots for x in (lot.first + 0.6, lot.last + 1.4, None)],
        "y": [y for lot in lots for y in (lot.mean, lot.mean, None)],
        "line": {"color": FINITE_SAMPLE if inside else DEFECT, "width": 4},
        "hovertext": [text for text in texts for _ in range(3)],
        "hoverinfo": "text",
    }


def _events(drift: Drift) -> list[tuple[Part, Part]]:
    """Vertical lines where the shift began and where the alarm came."""
    if drift.alarm is None or drift.since is None:
        return []
    began, name = vertical(drift.since + 1, "since", _span(drift))
    quiet = {"line": {"color": faint(INK, 0.6), "width": 1.5, "dash": "dot"}}
    low = {"yanchor": "bottom", "y": 0.02} | _beside(drift, drift.since, before=True)
    raised, title = vertical(drift.alarm + 1, "alarm", _span(drift))
    high = {"yanchor": "top", "y": 1} | _beside(drift, drift.alarm, before=False)
    return [(began | quiet, name | low), (raised, title | high)]


def _beside(drift: Drift, place: int, *, before: bool) -> Part:
    """Where a name stands beside its line: before or after it, unless the plot ends there."""
    share = (place + 1) / (drift.flagged.n + 1)
    left = share > _EDGE if before else share > 1 - _EDGE
    return {"xanchor": "right", "xshift": -4} if left else {"xanchor": "left", "xshift": 4}


def _span(drift: Drift) -> tuple[float, float]:
    """The parts' axis, with room at its ends."""
    room = 0.02 * drift.flagged.n
    return -room, drift.flagged.n + 1 + room


def _power(log: float) -> str:
    """Ten to the power of `log` as people read it, without a number that overflows."""
    whole = math.floor(log)
    return number(10**log) if -4 < log < 5 else f"{10 ** (log - whole):.1f} × 10<sup>{whole}</sup>"
