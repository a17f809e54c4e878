"""Histograms and distribution functions of the scores of several kinds of images, on one axis of distances."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from gad_core.decision.costs import Band
from gad_core.figures.canvas import (
    LINE,
    MOVES,
    Part,
    adopted_line,
    axis,
    figure,
    horizontal,
    key,
    line,
    moving,
    predicted_line,
    review_band,
    vertical,
)
from gad_core.figures.palette import GRID, faint
from gad_core.wording import number

Array = NDArray[np.float64]
Groups = Mapping[str, tuple[Array, str]]  # name -> scores (n,), colour

_BINS = 56
_FULL = 0.82  # height of the highest bar in its row
_BELOW = 0.45  # opacity of what is not flagged


@dataclass(frozen=True)
class Lines:
    """What is drawn across the distances: the threshold, where there is one, and what it is to be seen beside."""

    threshold: float | None = None
    adopted: float | None = None
    predicted: float | None = None  # by chi-square
    review: Band | None = None
    reach: tuple[float, ...] = ()  # where a slider takes them: the axis goes as far

    @property
    def known(self) -> list[float]:
        """All that the axis must reach."""
        ends = (self.review.accept_below, self.review.reject_above) if self.review else ()
        return [
            value for value in (self.threshold, self.adopted, self.predicted, *ends, *self.reach) if value is not None
        ]


def score_histogram(groups: Groups, lines: Lines) -> go.Figure:
    """A histogram a group, one above the other on common bins; what lies above the threshold is in full colour.

    The axis is logarithmic: defects may lie ten times as far out as normal images, which must not be squeezed for it.
    Scores of zero and less, as pooled regions have them, stand on a linear one.
    Each row has its own height, so that 20 images can be read beside 2,000. An adopted threshold is a dashed line, the
    one that chi-square predicts a grey one, and a review band is shaded.
    """
    present = {name: group for name, group in groups.items() if len(group[0])}
    span = low, high = _span([scores for scores, _ in present.values()], lines)
    bins = np.geomspace(low, high, _BINS + 1) if low > 0 else np.linspace(low, high, _BINS + 1)
    rows = range(len(present))
    traces = []
    for row, (name, (scores, colour)) in enumerate(present.items()):
        bars = _bars(name, np.maximum(scores, low), colour, bins, row=row, rows=len(present))
        traces += [bars] if lines.threshold is None else [bars, _above(bars, bins, lines.threshold, colour)]
    layout = {
        "margin": _room(lines),
        "barmode": "overlay",
        "bargap": 0,
        "xaxis": _distances(low, high),
        "yaxis": axis(
            "",
            tickmode="array",
            tickvals=[len(present) - 1 - row + _FULL / 2 for row in rows],
            ticktext=[f"{name}<br>n = {len(scores)}" for name, (scores, _) in present.items()],
            range=[-0.04, len(present) + 0.12],
            showgrid=False,
            fixedrange=True,
        ),
    }
    floors: list[tuple[Part, Part]] = [(horizontal(row, color=GRID, width=1, dash="solid"), {}) for row in rows]
    return figure(traces, layout, marks=[*floors, *_marks(lines, span, above=True)])


def score_ecdf(groups: Groups, lines: Lines) -> go.Figure:
    """Empirical distribution functions: share of each group's images at or below a distance."""
    present = {name: group for name, group in groups.items() if len(group[0])}
    span = low, high = _span([scores for scores, _ in present.values()], lines)
    traces = [
        line(
            np.concatenate([[low], np.sort(scores), [high]]),
            100 * np.minimum(np.arange(len(scores) + 2) / len(scores), 1),
            colour,
            f"%{{y:.1f}} % of {name} at or below %{{x:.3g}}",
            width=2.2,
            shape="hv",
        )
        for name, (scores, colour) in present.items()
    ]
    layout = {
        "margin": _room(lines),
        "xaxis": _distances(low, high),
        "yaxis": axis("share at or below, %", range=[-2, 102], tickvals=[0, 25, 50, 75, 100]),
    }
    names = [(f"{name}, n = {len(scores)}", colour) for name, (scores, colour) in present.items()]
    return figure(traces, layout, marks=[*_marks(lines, span, above=False), *key(names)])


def _bars(name: str, scores: Array, colour: str, bins: Array, *, row: int, rows: int) -> Part:
    """The pale histogram of one group, standing in its row; `customdata` are a bar's count, its ends and its row."""
    counts = np.histogram(scores, bins)[0]
    return {
        "type": "bar",
        "x": (bins[:-1] + bins[1:]) / 2,
        "width": np.diff(bins),
        "base": float(rows - 1 - row),
        "y": _FULL * counts / counts.max(),
        "marker": {"color": faint(colour, _BELOW), "line": {"width": 0}},
        "meta": {"above": {"color": colour, "line": {"width": 0}}},
        "customdata": np.column_stack([counts, bins[:-1], bins[1:], np.full(len(counts), row)]),
        "hovertemplate": f"%{{customdata[0]}} of {len(scores)} {name}"
        "<br>at distance %{customdata[1]:.3g} to %{customdata[2]:.3g}<extra></extra>",
    }


def _above(bars: Part, bins: Array, threshold: float, colour: str) -> Part:
    """The same in full colour, as far as it lies above the threshold; the bar in which that lies is cut at it."""
    edges = np.maximum(bins, min(threshold, bins[-1]))
    inside = np.diff(edges) > 0
    return {
        **{name: bars[name] for name in ("type", "base")},
        "x": ((edges[:-1] + edges[1:]) / 2)[inside],
        "width": np.diff(edges)[inside],
        "y": bars["y"][inside],
        "marker": {"color": colour, "line": {"width": 0}},
        "hoverinfo": "skip",  # the bars below it speak
        "meta": MOVES,
    }


def _marks(lines: Lines, span: tuple[float, float], *, above: bool) -> Iterator[tuple[Part, Part]]:
    if lines.review:
        yield moving(review_band(lines.review.accept_below, lines.review.reject_above, span, above=above))
    if lines.threshold is not None:
        name = f"threshold {number(lines.threshold)}"
        yield moving(vertical(max(lines.threshold, span[0]), name, span, log=span[0] > 0))
    if lines.adopted is not None and lines.adopted != lines.threshold:
        yield adopted_line(max(lines.adopted, span[0]), span, log=span[0] > 0)
    if lines.predicted is not None and lines.predicted != lines.threshold:
        yield moving(predicted_line(lines.predicted, span, log=span[0] > 0))


def _room(lines: Lines) -> Part:
    """Above the plot: the name of the threshold, and that of the predicted one."""
    return {"t": 26 if lines.predicted is None else 26 + LINE}


def _span(samples: Sequence[Array], lines: Lines) -> tuple[float, float]:
    low, high = (pick([*lines.known, *(float(pick(scores)) for scores in samples)]) for pick in (min, max))
    if low < 0:
        room = 0.03 * (high - low)
        return low - room, high + room
    return max(0.97 * low, 1e-6 * high), 1.03 * high  # a distance of zero has no logarithm


def _distances(low: float, high: float) -> Part:
    if low <= 0:
        return axis("score", range=[low, high], nticks=8)
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    ticks = [step * 10.0**decade for decade in range(first, last) for step in _steps(low, high)]
    return axis(
        "distance (logarithmic)",
        type="log",
        range=[math.log10(low), math.log10(high)],
        tickmode="array",
        tickvals=ticks,
        ticktext=[number(tick) for tick in ticks],
    )


def _steps(low: float, high: float) -> tuple[float, ...]:
    """Ticks of a decade, the more the fewer decades there are."""
    decades = math.log10(high / low)
    if decades < 0.7:
        return (1, 1.5, 2, 3, 4, 5, 6, 8)
    if decades < 1.3:
        return (1, 2, 3, 5, 7)
    return (1, 2, 5) if decades < 3 else (1,)
