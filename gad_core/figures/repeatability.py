"""Strip chart of parts that were imaged several times."""

from html import escape

import numpy as np
import plotly.graph_objects as go

from gad_core.decision.repeatability import Repeatability
from gad_core.figures.canvas import Part, axis, figure, vertical
from gad_core.figures.palette import DEFECT, INK, LEFT_OUT, faint
from gad_core.wording import number

_ROW, _FRAME = 22, 90  # pixels: a part, and what stands around them
_TALLEST = 900
_NAMED = (_TALLEST - _FRAME) // 18  # parts whose names find room
_NAME = 28  # letters of a part's name


def repeated_distances(study: Repeatability) -> go.Figure:
    """Every picture's distance, a row a part by rising mean, with the threshold and the median of good parts.

    Pictures above the threshold are vermilion. Names come from outside.
    """
    names = [escape(part.name if len(part.name) <= _NAME else f"{part.name[: _NAME - 1]}…") for part in study.parts]
    rows = [*range(len(names))]
    spans = {
        "type": "scatter",
        "mode": "lines",
        "x": [x for part in study.parts for x in (part.scores.min(), part.scores.max(), None)],
        "y": [y for row in rows for y in (row, row, None)],
        "line": {"color": faint(INK, 0.35), "width": 2},
        "hoverinfo": "skip",
    }
    scores = np.concatenate([part.scores for part in study.parts])
    row_of = np.repeat(rows, [len(part.scores) for part in study.parts])
    pictures = {
        "type": "scatter",
        "mode": "markers",
        "x": scores,
        "y": row_of,
        "marker": {"size": 9, "color": np.where(scores > study.threshold, DEFECT, LEFT_OUT).tolist()},
        "cliponaxis": False,
        "hovertext": [f"{names[row]}: distance {number(score)}" for row, score in zip(row_of, scores, strict=True)],
        "hoverinfo": "text",
    }
    ends = [*scores, study.threshold, study.centre]
    room = 0.04 * (max(ends) - min(ends))
    span = (min(ends) - room, max(ends) + room)
    named = len(names) <= _NAMED
    layout = {
        "height": min(_FRAME + _ROW * len(names), _TALLEST),
        "xaxis": axis("distance", range=list(span), nticks=8),
        "yaxis": axis(
            "",
            grid=False,
            range=[len(names) - 0.5, -0.5],
            fixedrange=True,
            tickvals=rows if named else [],
            ticktext=names if named else [],
        ),
    }
    return figure(
        [spans, pictures], layout, marks=[_centre(study.centre), vertical(study.threshold, "threshold", span)]
    )


def _centre(x: float) -> tuple[Part, Part]:
    """A dotted line at the median of good parts."""
    dots = {"color": faint(INK, 0.6), "width": 1.5, "dash": "dot"}
    shape = {"type": "line", "yref": "paper", "x0": x, "x1": x, "y0": 0, "y1": 1, "line": dots}
    label = {"text": "median", "x": x, "yref": "paper", "y": 1, "yanchor": "bottom", "xanchor": "right"}
    return shape, label
