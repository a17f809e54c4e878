"""A detector under another camera: rates against the strength of a shift, what its success rests on, what moves."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from gad_core.decision.rates import Rate
from gad_core.figures.canvas import LINE, TEXT, Part, axis, figure, horizontal, key_above, line, rate_points
from gad_core.figures.palette import DEFECT, INK, LEFT_OUT, PROMISE, SCALE, faint
from gad_core.wording import number

Array = NDArray[np.float64]

_SMALL = 230  # pixels
_SHARES = (0, 25, 50, 75, 100)
_ROW = 27
_BRIGHTEST = 99  # percentile: one component that never varied would leave all others dark
_RATIOS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)  # that a bar of colours names


@dataclass(frozen=True)
class Fall:
    """AUROC that is left of a detector once it is indifferent to one kind of shift, step by step."""

    changes: Sequence[float]  # grey levels, above 0
    areas: Sequence[float]  # in [0, 1]
    words: Sequence[str]  # each step's own


def shift_curve(
    strengths: Sequence[str],
    left_out: Sequence[Rate],
    caught: Sequence[Rate | None],
    *,
    target_fpr: float,
    held: int,
    unit: str,
) -> go.Figure:
    """Rates in percent against the strength of one kind, the first of which is none; steps are evenly spaced.

    The first 1 + `held` of them lie on a shaded ground: they hold. The dotted line is the target.
    """
    x = np.arange(len(strengths), dtype=float)
    traces: list[Part] = []
    for rates, colour, what in ((left_out, LEFT_OUT, "left-out good parts flagged"), (caught, DEFECT, "caught")):
        known = [(place, 100 * rate.value) for place, rate in zip(x, rates, strict=True) if rate is not None]
        if not known:
            continue
        places, values = zip(*known, strict=True)
        traces.append(line(places, values, colour, f"{what}: %{{y:.1f}} %") | {"hoverinfo": "skip"})
        points = rate_points(x, rates, colour, [f"{strength}: {what}" for strength in strengths])
        points["marker"] |= {"size": 6}
        traces.append(points)
    ground = {"type": "rect", "yref": "paper", "y0": 0, "y1": 1, "x0": -0.3, "x1": held + 0.5, "layer": "below"}
    holding = ground | {"fillcolor": faint(INK, 0.07), "line": {"width": 0}}
    entries = [("●", "flagged", LEFT_OUT), *([("●", "caught", DEFECT)] if any(caught) else []), ("▒", "holds", PROMISE)]
    layout = {
        "height": _SMALL,
        "xaxis": axis(unit, grid=False, tickvals=x, ticktext=list(strengths), range=[-0.3, len(x) - 0.7], tickangle=0),
        "yaxis": axis("", range=[-4, 104], tickvals=_SHARES, ticktext=[f"{share} %" for share in _SHARES]),
        "margin": {"r": 14},
    }
    target = horizontal(100 * target_fpr)
    return figure(traces, layout, marks=[(holding, {}), (target, {}), key_above(entries)])


def indifference_curves(falls: Mapping[str, Fall], *, culprit: str | None, before: float) -> go.Figure:
    """AUROC left once indifferent to a shift against how far that changes the pixels, on a log axis; a line a kind.

    The culprit stands out by its colour and has its name at its lowest point; the dotted line is the AUROC before.
    """
    traces: list[Part] = []
    for name, fall in sorted(falls.items(), key=lambda item: item[0] == culprit):  # the culprit over the others
        colour = DEFECT if name == culprit else faint(INK, 0.35)
        traces.append(
            {
                **line(list(fall.changes), [100 * area for area in fall.areas], colour, "", width=2.4),
                "mode": "lines+markers",
                "marker": {"color": colour, "size": 6},
                "cliponaxis": False,
                "hovertemplate": None,
                "hovertext": [
                    f"{words}: {100 * area:.1f} % at {number(change)} grey levels"
                    for words, area, change in zip(fall.words, fall.areas, fall.changes, strict=True)
                ],
                "hoverinfo": "text",
            }
        )
    lowest = min((area for fall in falls.values() for area in fall.areas), default=before)
    changes = [change for fall in falls.values() for change in fall.changes] or [0.1, 10]
    bottom = 100 * lowest - 4
    layout = {
        "height": 360,
        "xaxis": axis(
            "grey levels by which a pixel changes",
            type="log",
            range=[math.log10(0.8 * min(changes)), math.log10(1.25 * max(changes))],
            tickvals=[0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50],
            ticktext=["0.1", "0.2", "0.5", "1", "2", "5", "10", "20", "50"],
        ),
        "yaxis": axis("AUROC left, %", range=[bottom, 100 + 0.08 * (100 - bottom)]),
    }
    marks: list[tuple[Part, Part]] = [(horizontal(100 * before), {})]
    if culprit and (lost := falls.get(culprit)):
        place = int(np.argmin(lost.areas))
        below = {"yanchor": "top", "yshift": -6, "font": {"color": DEFECT, "size": TEXT}}
        marks.append(
            ({}, below | {"text": culprit, "x": math.log10(lost.changes[place]), "y": 100 * lost.areas[place]})
        )
    names = [("━", "the others" if culprit else "a kind each", PROMISE), ("┄", "as it is", PROMISE)]
    return figure(traces, layout, marks=[*marks, key_above(names)])


def moved_bands(ratios: Array, kinds: Sequence[str], words: Sequence[str], levels: Sequence[int]) -> go.Figure:
    """Whitened energy relative to unshifted, by kind (rows), level and, within that, band (kinds, levels, bands).

    Colours are logarithms; within a level the strong components stand on the left. `words` say each row's shift.
    """
    n_kinds, n_levels, n_bands = ratios.shape
    flat = np.log10(np.maximum(ratios.reshape(n_kinds, -1), 1.0))
    most = max(float(np.percentile(flat, _BRIGHTEST)), math.log10(2))
    named = [ratio for ratio in _RATIOS if math.log10(ratio) <= most]
    quiet = faint(INK, 0.75)
    tiles: Part = {
        "type": "heatmap",
        "z": flat,
        "zmin": 0,
        "zmax": most,
        "colorscale": SCALE,
        "colorbar": {
            "title": {"text": "times as it is", "side": "right", "font": {"color": quiet, "size": TEXT}},
            "tickfont": {"color": quiet, "size": TEXT},
            "tickvals": [math.log10(ratio) for ratio in named],
            "ticktext": [f"{ratio:g}" for ratio in named],
            "thickness": 10,
            "outlinewidth": 0,
        },
        "ygap": 1,
        "text": [
            [
                f"{words[kind]}: level {levels[level]}, band {band + 1} of {n_bands}, "
                f"{number(float(ratios[kind, level, band]))} times"
                for level in range(n_levels)
                for band in range(n_bands)
            ]
            for kind in range(n_kinds)
        ],
        "hovertemplate": "%{text}<extra></extra>",
    }
    between = {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "line": {"color": faint(INK, 0.6), "width": 1}}
    edges: list[tuple[Part, Part]] = [
        (between | {"x0": n_bands * level - 0.5, "x1": n_bands * level - 0.5}, {}) for level in range(1, n_levels)
    ]
    layout = {
        "height": _ROW * n_kinds + 90 + LINE,
        "xaxis": axis(
            "level; in each, strong components left, weak ones right",
            grid=False,
            tickvals=[n_bands * level + (n_bands - 1) / 2 for level in range(n_levels)],
            ticktext=[str(level) for level in levels],
        ),
        "yaxis": axis("", grid=False, tickvals=[*range(n_kinds)], ticktext=list(kinds), range=[n_kinds - 0.5, -0.5]),
    }
    return figure([tiles], layout, marks=edges)
