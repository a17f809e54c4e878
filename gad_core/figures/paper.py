"""A table of the paper as a chart: our means with their standard errors, the paper's figures as hollow marks."""

import math
from collections.abc import Iterable, Sequence

import pandas as pd
import plotly.graph_objects as go

from gad_core.figures.canvas import HEIGHT, TEXT, Part, axis, figure
from gad_core.figures.palette import DEFECT, FINITE_SAMPLE, INK, LEFT_OUT, NORMAL, PROMISE
from gad_core.wording import number

_COLOURS = (DEFECT, LEFT_OUT, FINITE_SAMPLE, NORMAL, "#E69F00", "#CC79A7", "#8A6D3B", INK)
_ROW = 26  # pixels for each row, and as many again for each further column
_WIDTH = 40  # letters of a row's name
_AXIS, _NAMES = 62, 24  # pixels below the plot: for its axis, and for each row of names
#: In a chart of rows: a metric with a few decades of its own scale.
_PERCENT = {"AUROC", "FPR", "TPR", "Explanation score"}


def table_chart(summary: pd.DataFrame, *, metric: str) -> go.Figure:
    """One metric of a table: curves over its levels, sigmas or shares of noise, or else marks in a line for each row.

    `summary` has row, column, metric, mean, sem, n, paper_mean and paper_sem, as `paper.results` gives them.
    """
    rows = summary[summary["metric"] == metric]
    if rows["row"].isin(["1"]).any():
        return _curves(rows, metric, "level")
    if rows["row"].str.endswith(" sigma").all():
        return _curves(rows, metric, "threshold at")
    if rows["column"].str.fullmatch(r"[0-9.]+ %").all():
        turned = rows.rename(columns={"row": "column", "column": "row"})
        return _curves(turned, metric, "training images that are defects labelled good")
    return _by_row(rows, metric)


def _curves(rows: pd.DataFrame, metric: str, title: str) -> go.Figure:
    places = list(dict.fromkeys(rows["row"]))
    places.sort(key=lambda place: (not place[0].isdigit(), float(place.split()[0]) if place[0].isdigit() else 0))
    traces = list[Part]()
    for index, (column, own) in enumerate(rows.groupby("column", sort=False)):
        colour = _COLOURS[index % len(_COLOURS)]
        known = own.set_index("row").reindex(places)
        if known["mean"].notna().any():
            traces.append(
                _marks(places, known["mean"], colour, _words(known, str(column)), name=str(column))
                | {"mode": "lines+markers", "error_y": _error(known["sem"], colour)}
            )
        if known["paper_mean"].notna().any():
            words = _paper_words(known, str(column))
            traces.append(_of_paper(places, known["paper_mean"], colour, words, known, str(column)))
    layout = {
        "xaxis": axis(title, type="category", categoryorder="array", categoryarray=places),
        "yaxis": axis(f"{metric}, %"),
        **_legend(traces),
    }
    return figure(traces, layout)


def _by_row(rows: pd.DataFrame, metric: str) -> go.Figure:
    names, columns = list(dict.fromkeys(rows["row"])), list(dict.fromkeys(rows["column"]))
    traces = list[Part]()
    for place, column in enumerate(columns):
        colour = _COLOURS[place % len(_COLOURS)]
        known = rows[rows["column"] == column]
        ours, theirs = known[known["mean"].notna()], known[known["paper_mean"].notna()]
        if len(ours):
            traces.append(
                _marks(ours["mean"], list(ours["row"]), colour, _words(ours, str(column)), name=str(column))
                | {"error_x": _error(ours["sem"], colour)}
            )
        if len(theirs):
            words = _paper_words(theirs, str(column))
            traces.append(_of_paper(theirs["paper_mean"], list(theirs["row"]), colour, words, known, str(column)))
    labels = [name if len(name) <= _WIDTH else f"{name[: _WIDTH - 1]}…" for name in names]
    layout = {
        "xaxis": axis(f"{metric}, %" if metric in _PERCENT else metric),
        "yaxis": axis(
            "", type="category", categoryorder="array", categoryarray=names[::-1], tickvals=names, ticktext=labels
        ),
        **_legend(traces),
    }
    layout["height"] = 40 + _ROW * len(names) + layout["margin"]["b"]
    return figure(traces, layout)


def _marks(
    x: Iterable[object], y: Iterable[object], colour: str, words: Sequence[str], *, name: str, hollow: bool = False
) -> Part:
    symbol = {"symbol": "diamond-open" if hollow else "circle", "size": 11 if hollow else 9, "color": colour}
    return {
        "type": "scatter",
        "mode": "markers",
        "x": list(x),
        "y": list(y),
        "name": name,
        "showlegend": True,
        "marker": symbol,
        "line": {"color": colour, "width": 2},
        "customdata": list(words),
        "hovertemplate": "%{customdata}<extra></extra>",
    }


def _of_paper(
    x: Iterable[object], y: Iterable[object], colour: str, words: Sequence[str], known: pd.DataFrame, column: str
) -> Part:
    """The paper's marks; a name of their own only where none of ours shows the colour."""
    marks = _marks(x, y, colour, words, name=f"paper: {column}", hollow=True)
    return marks | {"showlegend": bool(known["mean"].isna().all())}


def _error(sem: Iterable[float], colour: str) -> Part:
    return {"type": "data", "array": [0 if math.isnan(s) else s for s in sem], "color": colour, "thickness": 1.5}


def _words(rows: pd.DataFrame, column: str) -> list[str]:
    values = zip(rows["mean"], rows["sem"], rows["n"], strict=True)
    return [f"{column}: {with_error(mean, sem)}, {_count(n)}" for mean, sem, n in values]


def _paper_words(rows: pd.DataFrame, column: str) -> list[str]:
    pairs = zip(rows["paper_mean"], rows["paper_sem"], strict=True)
    return [f"paper, {column}: {with_error(mean, sem)}" for mean, sem in pairs]


def _count(n: float) -> str:
    return "no category" if math.isnan(n) else "1 category" if n == 1 else f"{n:.0f} categories"


def with_error(mean: float, sem: float) -> str:
    """A mean with its standard error: "95.2 ± 1.5"; a dash where there is none."""
    if math.isnan(mean):
        return "–"
    words = f"{mean:.1f}" if abs(mean) >= 0.1 or not mean else number(mean)
    return words if math.isnan(sem) else f"{words} ± {sem:.1f}"


def _legend(traces: Sequence[Part]) -> Part:
    """Names at the foot of the figure, three in a row, and room for them."""
    rows = math.ceil(sum(trace["showlegend"] for trace in traces) / 3)
    foot = {"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0}
    return {
        "showlegend": True,
        "legend": foot | {"font": {"color": PROMISE, "size": TEXT}},
        "margin": {"b": _AXIS + _NAMES * rows},
        "height": HEIGHT + _NAMES * rows,
    }
