"""Table VI as a chart: what chi-square promises at multiples of sigma, and what comes, by reduction."""

import math
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from gad_core.decision.sigma_table import SIGMAS, SigmaColumn
from gad_core.decision.working_point import sigma_fpr
from gad_core.figures.canvas import Part, axis, figure, key_above, line, rate_points
from gad_core.figures.palette import DEFECT, NORMAL, PROMISE

_PROMISED = [100 * sigma_fpr(n) for n in SIGMAS]  # percent
_STRIP, _ROOM = 122, 116  # pixels: the height of a reduction's strip, and of what stands around all of them
_GAP = 0.27  # between two strips, in strips: room for a name


def sigma_rates(columns: Sequence[SigmaColumn]) -> go.Figure:
    """Promised against achieved rates at one to five sigma: a strip a reduction, on one logarithmic axis of promises.

    Good parts are those of the test, or the left-out ones where there are none.
    """
    of_test = any(rates.test for column in columns for rates in column.rates)
    traces: list[Part] = []
    marks: list[tuple[Part, Part]] = []
    layout: Part = {
        "height": _STRIP * len(columns) + _ROOM,
        "margin": {"b": 68, "t": 48},
        "xaxis": _promises(len(columns)),
    }
    size = 1 / (len(columns) * (1 + _GAP) - _GAP)  # of a strip, in heights of the plot
    for row, column in enumerate(columns):
        number = "" if row == 0 else str(row + 1)
        top = 1 - row * size * (1 + _GAP)
        layout["yaxis" + number] = axis("%", range=[-6, 106], tickvals=[0, 50, 100], fixedrange=True) | {
            "domain": [max(top - size, 0), top]
        }
        traces += [trace | {"yaxis": "y" + number} for trace in _strip(column, of_test=of_test)]
        area = f", AUROC {100 * column.auroc.value:.1f}" if column.auroc else ""
        place = {"xref": "paper", "x": 1, "xanchor": "right", "yref": "paper", "y": top, "yanchor": "bottom"}
        marks.append(({}, place | {"text": f"<b>{column.name}</b>{area}"}))
    good = "good test flagged" if of_test else "left-out flagged"
    names = [("●", good, NORMAL), ("●", "defects caught", DEFECT), ("╌╌", "promised", PROMISE)]
    return figure(traces, layout, marks=[*marks, key_above(names, lines=1)])


def _strip(column: SigmaColumn, *, of_test: bool) -> list[Part]:
    promise = line(_PROMISED, _PROMISED, PROMISE, f"{column.name}: promised %{{x:.3g}} %", dash="dash", width=2.5)
    traces = [promise]
    good = [point.test if of_test else point.left_out for point in column.rates]
    # Where everything is flagged the two run over each other: the lower one is broad enough to be seen.
    for name, colour, rates, width, size in (
        ("good parts flagged", NORMAL, good, 5, 11),
        ("defects caught", DEFECT, [point.tpr for point in column.rates], 2, 6),
    ):
        if any(rates):
            points = rate_points(_PROMISED, rates, colour, [f"{column.name}, {n}σ: {name}" for n in SIGMAS])
            drawn = {"line": {"color": colour, "width": width}, "marker": {"color": colour, "size": size}}
            traces.append(points | drawn | {"mode": "lines+markers"})
    return traces


def _promises(n_strips: int) -> Part:
    """The axis below the last strip."""
    return axis(
        "promised share of good parts beyond n sigma (logarithmic)",
        type="log",
        range=[math.log10(1.7 * _PROMISED[0]), math.log10(_PROMISED[-1] / 4)],
        tickvals=_PROMISED,
        ticktext=[f"{n}σ<br>{_short(share)}" for n, share in zip(SIGMAS, _PROMISED, strict=True)],
        fixedrange=True,
        anchor=f"y{n_strips}" if n_strips > 1 else "y",
    )


def _short(share: float) -> str:
    return f"{np.format_float_positional(share, precision=2, fractional=False, trim='-')} %"
