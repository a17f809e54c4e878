"""What fewer normal images would have given: a learning curve with the spread of its repetitions."""

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from gad_core.decision.planner import Size
from gad_core.figures.canvas import Part, axis, band, figure, horizontal, line
from gad_core.figures.palette import DEFECT, FINITE_SAMPLE, LEFT_OUT
from gad_core.wording import number

Quantity = Literal["auroc", "left_out_fpr", "shrinkage"]

_TITLES: dict[Quantity, str] = {
    "auroc": "AUROC, %",
    "left_out_fpr": "left-out good parts flagged, %",
    "shrinkage": "shrinkage",
}
_COLOURS: dict[Quantity, str] = {"auroc": DEFECT, "left_out_fpr": FINITE_SAMPLE, "shrinkage": LEFT_OUT}


def learning_curves(sizes: Sequence[Size], *, what: Quantity, target_fpr: float) -> go.Figure:
    """Mean over the repetitions by the number of normal images, and the band from their least to their greatest.

    Both rates are in percent. Repetitions that are nan count for nothing; a size without any other is left out.
    """
    unit = 1 if what == "shrinkage" else 100
    measured = [(size.n, unit * _values(size, what)) for size in sizes]
    known = [(n, values) for n, values in measured if len(values)]
    numbers = [n for n, _ in measured]
    ends = [math.log10(numbers[0] / 1.1), math.log10(numbers[-1] * 1.1)] if numbers else [1.0, 2.0]
    top = max((float(values.max()) for _, values in known), default=0.0)
    low = min((float(values.min()) for _, values in known), default=0.0)
    spans = {
        "auroc": [min(50.0, low) - 2, 102.0],
        "left_out_fpr": [0.0, max(1.1 * top, 200 * target_fpr)],
        "shrinkage": [0.0, max(1.1 * top, 0.1)],
    }
    layout = {
        "xaxis": axis(
            "normal images to fit, log scale",
            type="log",
            range=ends,
            tickvals=numbers,
            ticktext=list(map(str, numbers)),
        ),
        "yaxis": axis(_TITLES[what], range=spans[what]),
    }
    marks = [_target(100 * target_fpr)] if what == "left_out_fpr" else []
    return figure(_curve(known, _COLOURS[what], "" if unit == 1 else " %"), layout, marks=marks)


def _values(size: Size, what: Quantity) -> NDArray[np.float64]:
    values = np.asarray(getattr(size, what) or (), np.float64)
    return values[np.isfinite(values)]


def _curve(known: Sequence[tuple[int, NDArray[np.float64]]], colour: str, unit: str) -> list[Part]:
    """Band and line."""
    if not known:
        return []
    x = [n for n, _ in known]
    low, mean, high = (np.array([getattr(values, name)() for _, values in known]) for name in ("min", "mean", "max"))
    means = line(x, mean, colour, "%{x} normal images<br>%{customdata}") | {
        "mode": "lines+markers",
        "marker": {"size": 7, "color": colour},
        "customdata": [
            f"{number(values.mean())}{unit}, from {number(values.min())} to {number(values.max())} in "
            f"{len(values)} draws"
            for _, values in known
        ],
    }
    return [band(x, low, high, colour), means]


def _target(y: float) -> tuple[Part, Part]:
    label = {"text": f"target {number(y)} %", "xref": "paper", "x": 1, "xanchor": "right", "y": y, "yanchor": "bottom"}
    return horizontal(y), label
