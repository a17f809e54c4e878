"""Rates promised and rates achieved: over all targets, and at every level."""

import math
from collections.abc import Collection, Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from gad_core.decision.evaluation import PointRates
from gad_core.decision.rates import Rate
from gad_core.figures.canvas import (
    EMPTY,
    MOVES,
    Part,
    axis,
    band,
    diagonal,
    figure,
    horizontal,
    key,
    key_above,
    line,
    moving,
    rate_points,
    vertical,
)
from gad_core.figures.palette import LEFT_OUT, METHOD_COLOURS, METHOD_NAMES, NORMAL, PROMISE
from gad_core.gaussian.tuning import SUM
from gad_core.wording import number, percent, rate_note

_TICKS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100)
_TOP = 115  # percent at which a logarithmic axis ends: a line at 100 % is seen whole
#: How a method's line is drawn: a broad dashed promise is still seen where a thin line runs over it.
_STROKES: dict[str, Part] = {
    "chi2": {"dash": "dash", "width": 5.5},
    "hotelling": {"width": 1.8},
    "cross-conformal": {"width": 2.6},
    "split-conformal": {"dash": "dashdot", "width": 2.6},
    "pareto": {"dash": "dot", "width": 1.8},
    **{f"{split}-confident": {"dash": "dash", "width": 2.6} for split in ("cross", "split")},
    **{f"{split}-simultaneous": {"dash": "dot", "width": 2.6} for split in ("cross", "split")},
}
#: The two series of rates by level: how far aside they stand from the middle, in levels.
LEVEL_SERIES = {"left-out good": -0.14, "good test": 0.14}


def promised_against_achieved(
    targets: Sequence[float], by_method: Mapping[str, Sequence[Rate | None]], current: float
) -> go.Figure:
    """False-positive rate achieved against the promised one, a line a method with its interval; ideal is the diagonal.

    Both axes are logarithmic and begin where a third of an image would: below, a sample of that size shows nothing.
    """
    asked = 100 * np.asarray(targets)
    sizes = [rate.n for rates in by_method.values() for rate in rates if rate is not None]
    low, high = max(float(asked.min()), 100 / (3 * max(sizes, default=100))), float(_TOP)
    low = min(low, 80 * current)
    traces: list[Part] = []
    for method, rates in by_method.items():
        known = [(x, rate) for x, rate in zip(asked, rates, strict=True) if rate is not None and x >= low]
        if known:
            traces += _method(method, known, low)
    span: Part = {
        "type": "log",
        "range": [math.log10(low), math.log10(high)],
        "tickvals": _TICKS,
        "ticktext": list(map(str, _TICKS)),
    }
    layout = {
        "xaxis": axis("promised false-positive rate, %", **span),
        "yaxis": axis("achieved false-positive rate, %", **span),
    }
    target = moving(vertical(100 * current, f"target {number(100 * current)} %", (low, high), log=True))
    return figure(traces, layout, marks=[(diagonal(low, high), {}), target, *key(_names(by_method))])


def level_promises(
    rates: Mapping[str, PointRates], target: float, *, marked: Collection[str], whole: str = SUM
) -> go.Figure:
    """Rates at every level's chi-square threshold against the promised one, a grey dashed line.

    The `marked` levels are filled, the others open; `whole` is what the score of all tuned levels is called.
    """
    places = np.arange(len(rates), dtype=np.float64)
    series = (
        ("left-out good", LEFT_OUT, [point.left_out for point in rates.values()]),
        ("good test", NORMAL, [point.test for point in rates.values()]),
    )
    present = [(name, colour, found) for name, colour, found in series if any(found)]
    traces = [
        rate_points(places + LEVEL_SERIES[name], found, colour, [f"level {level}, {name}" for level in rates])
        | {"marker": _marker(colour, [level in marked for level in rates]), "meta": MOVES}
        for name, colour, found in present
    ]
    called = {level: whole if level == SUM else level for level in rates}
    ticks = [f"<b>{name}</b>" if level in marked else name for level, name in called.items()]
    layout = {
        "xaxis": axis("level", grid=False, range=[-0.5, len(rates) - 0.5], tickvals=places, ticktext=ticks)
        | {"fixedrange": True},
        "yaxis": axis("good parts flagged, %", range=[-3, 103], tickvals=[0, 25, 50, 75, 100]),
    }
    names = [("●", name, colour) for name, colour, _ in present]
    promise = horizontal(100 * target, color=PROMISE, width=2.5, dash="dash")
    return figure(
        traces or [EMPTY],
        layout,
        marks=[moving((promise, {})), key_above([*names, ("╌╌", "promised", PROMISE)])],
    )


def _marker(colour: str, filled: Sequence[bool]) -> Part:
    symbols = ["circle" if full else "circle-open" for full in filled]
    return {"color": colour, "size": 11, "symbol": symbols, "line": {"color": colour, "width": 2}}


def _names(by_method: Mapping[str, Sequence[Rate | None]]) -> list[tuple[str, str]]:
    """The methods that have thresholds, with their colours; those whose lines run over each other are said to."""
    names: list[tuple[str, str]] = []
    taken: set[str] = set()
    for method, rates in by_method.items():
        if method in taken or not any(rates):
            continue
        twins = [other for other in by_method if other not in taken and _coincide(rates, by_method[other])]
        taken.update(twins)
        names.append((" = ".join(METHOD_NAMES[twin] for twin in twins), METHOD_COLOURS[twins[-1]]))
    return names


def _coincide(one: Sequence[Rate | None], other: Sequence[Rate | None]) -> bool:
    """Whether two methods give the same rate at every target that both have a threshold for."""
    both = [(a.value, b.value) for a, b in zip(one, other, strict=True) if a is not None and b is not None]
    return bool(both) and all(a == b for a, b in both)


def _method(method: str, known: Sequence[tuple[float, Rate]], floor: float) -> list[Part]:
    """Interval and line; what is rarer than the axis reaches, "none of n" above all, runs along its edge."""
    x = [target for target, _ in known]
    low, value, high = (
        np.maximum([100 * getattr(rate, name) for _, rate in known], floor) for name in ("low", "value", "high")
    )
    colour, name = METHOD_COLOURS[method], METHOD_NAMES[method]
    words = f"{name}, promised %{{x:.3g}} %<br>achieved %{{customdata}}"
    achieved = line(x, value, colour, words, **_STROKES[method]) | {
        "cliponaxis": False,
        "customdata": [f"{percent(rate.value)} {rate_note(rate)}" for _, rate in known],
    }
    return [band(x, low, high, colour), achieved]
