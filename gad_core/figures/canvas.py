"""What all figures share: axes, margins, labels in the plot, and the fast way to build them."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from gad_core.decision.curves import Auroc
from gad_core.decision.rates import Rate
from gad_core.figures.palette import GRID, INK, PROMISE, SELECTED, faint
from gad_core.wording import number, percent, rate_note

Array = NDArray[np.float64]
Part = dict[str, Any]  # of a figure, as Plotly's JSON has it

HEIGHT = 320  # pixels
#: Pixels: every text of a chart is at least as large, so that it can be read from a projector.
TEXT = 14
LINE = 19  # pixels from one line of text to the next
#: The marker of what is chosen.
CHOSEN: Part = {"size": 12, "color": SELECTED, "line": {"color": INK, "width": 2}}
#: A figure without a series needs a trace, so that its axes are drawn.
EMPTY: Part = {"type": "scatter", "x": [], "y": []}
#: The name of lines, bands and labels, and the `meta` of series, that a page draws itself while a slider moves them.
MOVES = "moves"
_CHARACTER = 7.7  # pixels: a generous mean width at the size of tick labels
_TITLE = 24  # pixels that an axis title takes
_EDGE = 0.15  # of the axis: so near to its end, a centred label would stick out


def figure(traces: Sequence[Part], layout: Part, *, marks: Iterable[tuple[Part, Part]] = ()) -> go.Figure:
    """A figure of plain parts; `marks` are shapes with their labels (either may be empty)."""
    shapes, labels = [], []
    for shape, label in marks:
        shapes += [shape] if shape else []
        labels += [{"showarrow": False, "font": {"color": INK, "size": TEXT}, **label}] if label else []
    common = {
        "template": {"layout": {}},  # the page's theme fills it; Plotly's default would be 7 kB a figure
        "height": HEIGHT,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "showlegend": False,
        "hovermode": "closest",
        "font": {"size": TEXT},
        "hoverlabel": {"font": {"size": TEXT}},
        "uirevision": "stay",
        "shapes": shapes,
        "annotations": labels,
    }
    # Without Plotly's validation a figure takes a tenth of the time, and a move of a slider builds four; the tests
    # validate every figure instead.
    return go.Figure({"data": list(traces), "layout": common | layout | {"margin": _margin(layout)}}, _validate=False)


def axis(title: str, *, grid: bool = True, **options: Any) -> Part:
    """An axis with a thin grid and quiet numbers."""
    quiet = faint(INK, 0.75)
    named = {"title": {"text": title, "font": {"color": quiet, "size": TEXT}, "standoff": 8}} if title else {}
    return {
        **named,
        "tickfont": {"color": quiet, "size": TEXT},
        "showgrid": grid,
        "gridcolor": GRID,
        "gridwidth": 1,
        "zeroline": False,
        **options,
    }


def _margin(layout: Part) -> Part:
    """Room in pixels for the labels and titles of both axes.

    Plotly's `automargin` would measure them in the browser and draw every chart twice, at each move of a slider.
    """
    x, y = layout.get("xaxis", {}), layout.get("yaxis", {})
    lines = [line for text in y.get("ticktext", ["0.001"]) for line in str(text).split("<br>")]
    left = 10 + _CHARACTER * max(map(len, lines), default=0) + (_TITLE if "title" in y else 0)
    bottom = 4 if x.get("side") == "top" else 26 + (_TITLE if "title" in x else 0)
    return {"l": left, "r": 12, "t": 26, "b": bottom, **layout.get("margin", {})}


def line(x: Sequence[float] | Array, y: Sequence[float] | Array, colour: str, words: str, **options: Any) -> Part:
    """A series as a line; `words` is its tooltip, `options` are those of the line itself (`dash`, `shape`, `width`)."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "y": y,
        "line": {"color": colour, "width": 2.4, **options},
        "hovertemplate": f"{words}<extra></extra>",
    }


def vertical(x: float, words: str, span: tuple[float, float], *, log: bool = False) -> tuple[Part, Part]:
    """A vertical line across the plot with its name above it; the axis runs from and to `span`."""
    scale = math.log10 if log else float
    start, here, end = (scale(value) for value in (span[0], x, span[1]))
    share = (here - start) / (end - start)
    shape = {"type": "line", "yref": "paper", "x0": x, "x1": x, "y0": 0, "y1": 1, "line": {"color": INK, "width": 2}}
    label = {
        "text": words,
        "x": here,  # Plotly takes logarithms for labels, but not for lines
        "yref": "paper",
        "y": 1,
        "yanchor": "bottom",
        "xanchor": "left" if share < _EDGE else "right" if share > 1 - _EDGE else "center",
    }
    return shape, label


def adopted_line(x: float, span: tuple[float, float], *, log: bool = False) -> tuple[Part, Part]:
    """The adopted threshold as a dashed line, its name inside the plot, clear of that of the present threshold."""
    shape, label = vertical(x, f"adopted {number(x)}", span, log=log)
    beside = {"yanchor": "top", "y": 0.9, "xanchor": "right" if label["xanchor"] == "right" else "left"}
    return shape | {"line": {"color": INK, "width": 2, "dash": "dash"}}, label | beside


def moving(mark: tuple[Part, Part]) -> tuple[Part, Part]:
    """A shape with its label, named as what a slider moves."""
    shape, label = ({**part, "name": MOVES} if part else part for part in mark)
    return shape, label


def predicted_line(x: float, span: tuple[float, float], *, log: bool = False) -> tuple[Part, Part]:
    """The threshold that chi-square predicts as a grey dashed line, its name above that of the present threshold."""
    shape, label = vertical(x, f"chi-square {number(x)}", span, log=log)
    return shape | {"line": {"color": PROMISE, "width": 2.5, "dash": "dash"}}, label | {"yshift": LINE}


def review_band(low: float, high: float, span: tuple[float, float], *, above: bool) -> tuple[Part, Part]:
    """The distances between two thresholds, shaded; a person reviews what lies there. An axis from above 0 on is a log.

    Its name stands at the upper end (`above`) or at the lower one.
    """
    start, end = (min(max(value, span[0]), span[1]) for value in (low, high))
    shape = {"type": "rect", "yref": "paper", "x0": start, "x1": end, "y0": 0, "y1": 1, "layer": "below"}
    label = {
        "text": "review",
        "x": math.log10(start) if span[0] > 0 else start,
        "xanchor": "left",
        "xshift": 4,
        "yref": "paper",
    }
    edge = {"color": faint(INK, 0.5), "width": 1}
    return shape | {"fillcolor": faint(INK, 0.13), "line": edge}, label | (
        {"y": 1, "yanchor": "top"} if above else {"y": 0.04, "yanchor": "bottom"}
    )


def horizontal(y: float, **options: Any) -> Part:
    """A dotted line across the plot."""
    dots = {"color": INK, "width": 1.5, "dash": "dot", **options}
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": y, "y1": y, "line": dots}


def diagonal(low: float, high: float, **options: Any) -> Part:
    """A dotted line on which both axes say the same, from (low, low) to (high, high)."""
    dots = {"color": faint(INK, 0.6), "width": 1.5, "dash": "dot", **options}
    return {"type": "line", "x0": low, "y0": low, "x1": high, "y1": high, "line": dots}


def key(entries: Sequence[tuple[str, str]]) -> list[tuple[Part, Part]]:
    """The names of the series (name, colour) one above the other in the lower right corner of the plot."""
    return [
        (
            {},
            {
                "text": f'{name} <span style="color:{colour}">━━</span>',
                "xref": "paper",
                "yref": "paper",
                "x": 1,
                "y": 0.02,
                "xanchor": "right",
                "yanchor": "bottom",
                "xshift": -4,
                "yshift": LINE * (len(entries) - 1 - place),
            },
        )
        for place, (name, colour) in enumerate(entries)
    ]


def rate_points(x: Sequence[float] | Array, rates: Sequence[Rate | None], colour: str, words: Sequence[str]) -> Part:
    """Those rates that are known as points in percent with their intervals; `words` name each in its tooltip."""
    known = [(place, rate, name) for place, rate, name in zip(x, rates, words, strict=True) if rate is not None]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [place for place, _, _ in known],
        "y": [100 * rate.value for _, rate, _ in known],
        "error_y": whiskers([rate for _, rate, _ in known]),
        "marker": {"color": colour, "size": 8},
        "cliponaxis": False,
        "hovertext": [f"{name}<br>{percent(rate.value)} {rate_note(rate)}" for _, rate, name in known],
        "hoverinfo": "text",
    }


def key_above(entries: Sequence[tuple[str, str, str]], *, lines: int = 0) -> tuple[Part, Part]:
    """The names of the series (sign, name, colour of the sign) side by side above the plot and `lines` of text."""
    words = [f'<span style="color:{colour}">{sign}</span> {name}' for sign, name, colour in entries]
    place = {
        "xref": "paper",
        "x": 0,
        "xanchor": "left",
        "yref": "paper",
        "y": 1,
        "yanchor": "bottom",
        "yshift": 4 + lines * LINE,
    }
    return {}, place | {"text": " &nbsp; ".join(words), "align": "left"}


def band(x: Sequence[float], low: Sequence[float] | Array, high: Sequence[float] | Array, colour: str) -> Part:
    """The area between two lines over the same x."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [*x, *reversed(x)],
        "y": np.concatenate([low, high[::-1]]),
        "fill": "toself",
        "fillcolor": faint(colour, 0.16),
        "line": {"width": 0},
        "hoverinfo": "skip",
    }


def whiskers(estimates: Sequence[Rate | Auroc]) -> Part:
    """Intervals of shares, in percent about their values."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [100 * (estimate.high - estimate.value) for estimate in estimates],
        "arrayminus": [100 * (estimate.value - estimate.low) for estimate in estimates],
        "color": faint(INK, 0.7),
        "thickness": 1.4,
        "width": 4,
    }
