"""Confusion matrix, cost curve and QQ plot: what a threshold does to a shift's parts, and whether chi-square holds."""

import math
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from gad_core.decision.costs import CostCurve, Shift
from gad_core.figures.canvas import CHOSEN, EMPTY, Part, adopted_line, axis, diagonal, figure, line, moving, vertical
from gad_core.figures.palette import DEFECT, INK, LEFT_OUT, NORMAL, faint
from gad_core.wording import number

Array = NDArray[np.float64]


#: Of a confusion matrix: place (x, y), name in a shift, words, colour.
TILES = (
    (0, 0, "good_passed", "good, passed", NORMAL),
    (1, 0, "good_flagged", "false alarms", DEFECT),
    (0, 1, "bad_missed", "missed", DEFECT),
    (1, 1, "bad_caught", "caught", NORMAL),
)


def tile_words(shift: Shift, low: Shift, high: Shift) -> dict[str, tuple[str, str]]:
    """The parts of each tile, and between which numbers they lie, by its name."""
    found = {}
    for _, _, name, _, _ in TILES:
        ends = sorted((float(getattr(low, name)), float(getattr(high, name))))
        found[name] = (number(getattr(shift, name)), f"{number(ends[0])} to {number(ends[1])}")
    return found


def confusion(shift: Shift, low: Shift, high: Shift) -> go.Figure:
    """Confusion matrix: four tiles of good and defective parts, passed and flagged; what goes wrong is vermilion.

    `low` and `high` are the shifts at the ends of both rates' intervals: few images leave room for many parts.
    """
    marks: list[tuple[Part, Part]] = []
    for x, y, name, words, colour in TILES:
        box = {"type": "rect", "x0": x - 0.49, "x1": x + 0.49, "y0": y - 0.47, "y1": y + 0.47}
        box |= {"fillcolor": faint(colour, 0.28), "line": {"width": 0}, "layer": "below"}
        parts, ends = tile_words(shift, low, high)[name]
        text = {"x": x, "y": y, "text": f"<b>{parts}</b> {words}<br>{ends}", "font": {"color": INK, "size": 15}}
        marks += [(box, {}), moving(({}, text))]
    layout = {
        "height": 240,
        "xaxis": axis("", grid=False, range=[-0.5, 1.5], tickvals=[0, 1], ticktext=["passed", "flagged"], side="top")
        | {"fixedrange": True},
        "yaxis": axis("", grid=False, range=[1.5, -0.5], tickvals=[0, 1], ticktext=["good parts", "defects"])
        | {"fixedrange": True},
    }
    return figure([EMPTY], layout, marks=marks)


def cost_curve(
    curve: CostCurve, threshold: float | None, *, adopted: float | None = None, reach: Sequence[float] = ()
) -> go.Figure:
    """Expected cost per shift over the threshold, with the present one, the adopted one and the cheapest.

    The axis goes as far as `reach`, where a slider takes the threshold.
    """
    ends = [*(value for value in (threshold, adopted) if value is not None), *reach]
    high = float(max([curve.threshold[-1], *ends]))
    low = float(min([curve.threshold[0], *ends]))
    log = low >= 0
    low = max(low, 1e-6 * high) if log else low
    costs = line(
        np.maximum(curve.threshold, low),
        curve.cost,
        LEFT_OUT,
        "threshold %{x:.3g}: cost %{y:.3g}",
        width=2.2,
        shape="hvh",
    )
    cheapest = {
        "type": "scatter",
        "mode": "markers",
        "x": [max(curve.cheapest, low)],
        "y": [float(curve.cost.min())],
        "marker": CHOSEN,
        "cliponaxis": False,
        "hovertemplate": "cheapest on these images<br>threshold %{x:.3g}: cost %{y:.3g}<extra></extra>",
    }
    layout = {
        "height": 240,
        "xaxis": axis("threshold (logarithmic)", type="log", range=[math.log10(low), math.log10(high)])
        if log
        else axis("threshold", range=[low, high]),
        "yaxis": axis("cost per shift", rangemode="tozero"),
    }
    marks = [] if threshold is None else [moving(vertical(max(threshold, low), "now", (low, high), log=log))]
    if adopted is not None and adopted != threshold:
        marks.append(adopted_line(max(adopted, low), (low, high), log=log))
    return figure([costs, cheapest], layout, marks=marks)


def qq_plot(
    theory: Array,
    observed: Array,
    *,
    colour: str,
    titles: tuple[str, str] = ("chi-square quantile", "squared distance"),
) -> go.Figure:
    """QQ plot: what was observed (n,) against the quantiles of a law (n,), both rising; on the dotted line it holds."""
    low, high = float(min(theory[0], observed[0])), float(max(theory[-1], observed[-1]))
    log = low > 0 and high / low > 20
    points = {
        "type": "scatter",
        "mode": "markers",
        "x": theory,
        "y": observed,
        "marker": {"size": 5, "color": colour},
        "hovertemplate": "expected %{x:.3g}, observed %{y:.3g}<extra></extra>",
    }
    # An axis each: the quantiles spread over a fraction of what the squared distances do.
    layout = {
        "height": 240,
        "xaxis": axis(titles[0], **_scale(float(theory[0]), float(theory[-1]), log=log)),
        "yaxis": axis(titles[1], **_scale(low, high, log=log)),
    }
    return figure([points], layout, marks=[(diagonal(low, high), {})])


def _scale(low: float, high: float, *, log: bool) -> Part:
    """An axis from a little below the lowest to a little above the highest."""
    start, end = (math.log10(low), math.log10(high)) if log else (low, high)
    room = 0.04 * ((end - start) or 1.0)
    return {"range": [start - room, end + room]} | (
        {"type": "log", "dtick": "D2", "exponentformat": "none"} if log else {"nticks": 6}
    )
