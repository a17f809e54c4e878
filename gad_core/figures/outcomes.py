"""What a threshold does to a shift's parts, what it costs, and whether chi-square describes the distances."""

import math

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from gad_core.decision.costs import CostCurve, Shift
from gad_core.figures.canvas import Part, axis, figure, line_at
from gad_core.figures.palette import DEFECT, INK, LEFT_OUT, NORMAL, SELECTED, faint
from gad_core.wording import number

Array = NDArray[np.float64]


def confusion(shift: Shift) -> go.Figure:
    """Four tiles: good and defective parts, passed and flagged; what goes wrong is vermilion."""
    tiles = (
        (0, 0, shift.good_passed, "good, passed", NORMAL),
        (1, 0, shift.good_flagged, "false alarms", DEFECT),
        (0, 1, shift.bad_missed, "missed", DEFECT),
        (1, 1, shift.bad_caught, "caught", NORMAL),
    )
    marks: list[tuple[Part, Part]] = []
    for x, y, parts, words, colour in tiles:
        box = {"type": "rect", "x0": x - 0.49, "x1": x + 0.49, "y0": y - 0.47, "y1": y + 0.47}
        box |= {"fillcolor": faint(colour, 0.28), "line": {"width": 0}, "layer": "below"}
        marks.append(
            (box, {"x": x, "y": y, "text": f"<b>{number(parts)}</b><br>{words}", "font": {"color": INK, "size": 15}})
        )
    layout = {
        "height": 240,
        "xaxis": axis("", grid=False, range=[-0.5, 1.5], tickvals=[0, 1], ticktext=["passed", "flagged"], side="top")
        | {"fixedrange": True},
        "yaxis": axis("", grid=False, range=[1.5, -0.5], tickvals=[0, 1], ticktext=["good parts", "defects"])
        | {"fixedrange": True},
    }
    return figure([{"type": "scatter", "x": [], "y": []}], layout, marks=marks)


def cost_curve(curve: CostCurve, threshold: float) -> go.Figure:
    """Expected cost per shift over the threshold, with the present one and the cheapest."""
    span = float(min(curve.threshold[0], threshold)), float(max(curve.threshold[-1], threshold))
    low = max(span[0], 1e-6 * span[1])
    traces: list[Part] = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": np.maximum(curve.threshold, low),
            "y": curve.cost,
            "line": {"color": LEFT_OUT, "width": 2.2, "shape": "hvh"},
            "hovertemplate": "threshold %{x:.3g}: cost %{y:.3g}<extra></extra>",
        },
        {
            "type": "scatter",
            "mode": "markers",
            "x": [max(curve.cheapest, low)],
            "y": [float(curve.cost.min())],
            "marker": {"size": 12, "color": SELECTED, "line": {"color": INK, "width": 2}},
            "cliponaxis": False,
            "hovertemplate": "cheapest on these images<br>threshold %{x:.3g}: cost %{y:.3g}<extra></extra>",
        },
    ]
    layout = {
        "height": 240,
        "xaxis": axis("threshold (logarithmic)", type="log", range=[math.log10(low), math.log10(span[1])]),
        "yaxis": axis("cost per shift", rangemode="tozero"),
    }
    return figure(traces, layout, marks=[line_at(max(threshold, low), "now", (low, span[1]), log=True)])


def qq_plot(theory: Array, observed: Array, *, colour: str) -> go.Figure:
    """Squared distances (n,) against the quantiles (n,) that chi-square expects; on the dotted line it holds."""
    low, high = float(min(theory[0], observed[0])), float(max(theory[-1], observed[-1]))
    log = low > 0 and high / low > 20
    points = {
        "type": "scatter",
        "mode": "markers",
        "x": theory,
        "y": observed,
        "marker": {"size": 5, "color": colour},
        "hovertemplate": "expected %{x:.3g}, found %{y:.3g}<extra></extra>",
    }
    ideal = {"type": "line", "x0": low, "y0": low, "x1": high, "y1": high}
    ideal |= {"line": {"color": faint(INK, 0.6), "width": 1.5, "dash": "dot"}}
    scale: Part = {"type": "log", "dtick": 1} if log else {}
    layout = {
        "height": 240,
        "xaxis": axis("chi-square quantile", **scale),
        "yaxis": axis("squared distance", **scale),
    }
    return figure([points], layout, marks=[(ideal, {})])
