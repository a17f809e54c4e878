"""Rates and areas with their intervals: by defect type, by level."""

from collections.abc import Mapping, Sequence
from html import escape

import plotly.graph_objects as go

from gad_core.decision.curves import Auroc
from gad_core.decision.rates import Rate
from gad_core.figures.canvas import MOVES, Part, axis, figure, moving, whiskers
from gad_core.figures.palette import LEFT_OUT, NORMAL, faint
from gad_core.wording import interval, percent

_ROW = 34  # pixels that a bar takes
_LEVEL = 26  # and a level
_NAME = 44  # letters of a detector's name


def rate_bars(rates: Mapping[str, Rate], colour: str) -> go.Figure:
    """A horizontal bar a name with its interval; value, count and n stand at its end.

    Names come from outside: Plotly would take them for markup, and two that read the same for one.
    """
    values = [100 * rate.value for rate in rates.values()]
    names = [escape(name.replace("_", " ")) for name in rates]
    rows = [*range(len(names))]
    bars = {
        "meta": MOVES,
        "type": "bar",
        "orientation": "h",
        "y": rows,
        "x": values,
        "width": 0.5,
        "marker": {"color": faint(colour, 0.85)},
        "error_x": whiskers(list(rates.values())),
        "hovertext": [
            f"{name}: {percent(rate.value)} {interval(rate.low, rate.high)}"
            for name, rate in zip(names, rates.values(), strict=True)
        ],
        "hoverinfo": "text",
    }
    at_end = {"xref": "paper", "x": 1, "xanchor": "left", "xshift": 8, "yanchor": "middle"}
    ends: list[tuple[Part, Part]] = [
        moving(({}, at_end | {"y": row, "text": bar_words(rate)}))
        for row, rate in zip(rows, rates.values(), strict=True)
    ]
    layout = {
        "height": _ROW * len(names) + 28,
        "margin": {"r": 142, "t": 4},
        "xaxis": axis("", range=[0, 101], tickvals=[0, 25, 50, 75, 100], ticksuffix=" %"),
        "yaxis": axis("", grid=False, tickvals=rows, ticktext=names, range=[len(names) - 0.5, -0.5], fixedrange=True),
    }
    return figure([bars], layout, marks=ends)


def bar_words(rate: Rate) -> str:
    """What stands at the end of a bar."""
    return f"{percent(rate.value)}, {rate.count} of {rate.n}"


def level_areas(areas: Mapping[str, Auroc], summed: Sequence[int], *, own: str = "sum") -> go.Figure:
    """AUROC of every level and of the tuning's `own` score with intervals, a row each; the levels in it are filled."""
    chosen = {str(level) for level in summed} | {"sum"}
    names = [own if name == "sum" else f"level {name}" for name in areas]
    return _areas(names, list(areas.values()), [name in chosen for name in areas])


def areas_beside(areas: Mapping[str, Auroc]) -> go.Figure:
    """AUROC of several detectors with intervals, a row each; the highest is filled. Names come from outside."""
    best = max(area.value for area in areas.values())
    names = [escape(name if len(name) <= _NAME else f"{name[: _NAME - 1]}…") for name in areas]
    return _areas(names, list(areas.values()), [area.value == best for area in areas.values()])


def _areas(names: Sequence[str], areas: Sequence[Auroc], filled: Sequence[bool]) -> go.Figure:
    colours, rows = [LEFT_OUT if full else NORMAL for full in filled], [*range(len(names))]
    points = {
        "type": "scatter",
        "mode": "markers",
        "y": rows,
        "x": [100 * area.value for area in areas],
        "marker": {
            "size": 13,
            "color": colours,
            "symbol": ["circle" if full else "circle-open" for full in filled],
            "line": {"color": colours, "width": 2.5},
        },
        "error_x": whiskers(areas),
        "cliponaxis": False,
        "hovertext": [
            f"{name}: AUROC {100 * area.value:.2f} % {interval(area.low, area.high)}"
            for name, area in zip(names, areas, strict=True)
        ],
        "hoverinfo": "text",
    }
    at_end = {"xref": "paper", "x": 1, "xanchor": "left", "xshift": 8, "yanchor": "middle"}
    ends: list[tuple[Part, Part]] = [
        ({}, at_end | {"y": row, "text": f"{100 * area.value:.1f} {interval(area.low, area.high)}"})
        for row, area in zip(rows, areas, strict=True)
    ]
    low = min(50.0, *(100 * area.low for area in areas))
    layout = {
        "height": _LEVEL * len(names) + 60,
        "margin": {"r": 142, "t": 4},
        "xaxis": axis("AUROC, %", range=[low - 2, 101], tickvals=[0, 25, 50, 60, 70, 80, 90, 100]),
        "yaxis": axis(
            "", grid=False, range=[len(names) - 0.5, -0.5], fixedrange=True, tickvals=rows, ticktext=list(names)
        ),
    }
    return figure([points], layout, marks=ends)
