"""Charts of a report as SVG: they print, need no script, and their words stay words."""

import math
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from gad_core.decision.curves import Curve
from gad_core.decision.rates import Rate
from gad_core.figures.palette import DEFECT, FINITE_SAMPLE, LEFT_OUT, PROMISE
from gad_core.wording import number, percent

Array = NDArray[np.float64]

_WIDTH, _HEIGHT = 460, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 22, 24, 40
_BINS = 36
_NICE = (1, 2, 5)
_ROOM = 26  # pixels between two labels of an axis at least
_STYLE = "font:11px system-ui,sans-serif;fill:currentColor"


def histogram(groups: Mapping[str, tuple[Array, str]], marks: Sequence[tuple[str, float, str]], *, alt: str) -> Markup:
    """Densities of kinds of images over one distance axis, each with a colour, and thresholds as vertical lines.

    Far scores are drawn together as by asinh, so that normals do not shrink to a line beside defects far out.
    """
    scores = np.concatenate([values for values, _ in groups.values() if len(values)])
    middle = float(np.median(next(values for values, _ in groups.values() if len(values))))
    spread = max(float(np.quantile(np.abs(scores - middle), 0.3)), 1e-9)

    def bent(x: Array) -> Array:
        return np.arcsinh((np.asarray(x) - middle) / spread)

    ends = [*(at for _, at, _ in marks), float(scores.min()), float(scores.max())]
    low, high = bent(np.array([min(ends), max(ends)]))
    room = 0.02 * (high - low) or 1.0
    plot = _Plot((low - room, high + room), (0.0, 1.0))
    edges = np.linspace(low, high, _BINS + 1)
    ticks = [(float(bent(np.array(tick))), number(tick)) for tick in _ticks(min(ends), max(ends))]
    parts = [plot.frame("distance", "", ticks, [])]
    for name, (values, colour) in groups.items():
        if len(values):
            counts = np.histogram(bent(values), edges)[0]
            shape = counts / counts.max()
            title = f"{name}, n = {len(values)}"
            parts.append(plot.steps(edges, 0.92 * shape, colour, title))
    for place, (name, at, colour) in enumerate(marks):
        parts.append(plot.vertical(float(bent(np.array(at))), name, colour, line=place))
    keys = [(f"{name} · {len(values)}", colour) for name, (values, colour) in groups.items() if len(values)]
    return plot.drawn(parts, keys, alt)


def roc(curve: Curve, at: tuple[float, float] | None, *, alt: str) -> Markup:
    """A ROC, and the point at the threshold."""
    plot = _Plot((0.0, 1.0), (0.0, 1.02))
    ticks = [(share, percent(share).replace(".0 %", " %")) for share in (0, 0.25, 0.5, 0.75, 1)]
    parts = [
        plot.frame("good parts flagged", "defects caught", ticks, ticks),
        plot.path(np.array([0.0, 1.0]), np.array([0.0, 1.0]), PROMISE, dash=True),
        plot.path(curve.x, curve.y, LEFT_OUT),
    ]
    if at:
        parts.append(plot.dot(*at))
    return plot.drawn(parts, [], alt)


def by_type(rates: Mapping[str, Rate], *, alt: str) -> Markup:
    """Share caught of each type of defect, with its exact interval."""
    height = _TOP + _BOTTOM + 24 * len(rates)
    plot = _Plot((0.0, 1.0), (0.0, float(len(rates))), height=height, left=150)
    ticks = [(share, percent(share).replace(".0 %", " %")) for share in (0, 0.25, 0.5, 0.75, 1)]
    parts = [plot.frame("caught", "", ticks, [])]
    for row, (name, rate) in enumerate(rates.items()):
        y = len(rates) - row - 0.5
        parts.append(plot.bar(y, rate, name))
    return plot.drawn(parts, [], alt)


class _Plot:
    """Data in, pixels out."""

    def __init__(
        self, x: tuple[float, float], y: tuple[float, float], *, height: int = _HEIGHT, left: int = _LEFT
    ) -> None:
        self._x, self._y, self._height, self._left = x, y, height, left

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Pixels of a point."""
        (x0, x1), (y0, y1) = self._x, self._y
        across = self._left + (x - x0) / (x1 - x0) * (_WIDTH - self._left - _RIGHT)
        down = self._height - _BOTTOM - (y - y0) / (y1 - y0) * (self._height - _TOP - _BOTTOM)
        return round(across, 1), round(down, 1)

    def frame(
        self, x_title: str, y_title: str, x_ticks: Sequence[tuple[float, str]], y_ticks: Sequence[tuple[float, str]]
    ) -> str:
        """Axes, their titles, and ticks where there is room for them."""
        parts, last = [], -math.inf
        for x, label in x_ticks:
            across, bottom = self.at(x, self._y[0])
            if across - last >= _ROOM:
                last = across
                parts.append(f'<path d="M{across} {bottom}v-{self._height - _TOP - _BOTTOM}" stroke="#8882"/>')
                parts.append(_text(across, bottom + 15, label, "middle"))
        for y, label in y_ticks:
            across, down = self.at(self._x[0], y)
            parts.append(f'<path d="M{across} {down}H{_WIDTH - _RIGHT}" stroke="#8882"/>')
            parts.append(_text(across - 6, down + 4, label, "end"))
        left, bottom = self.at(self._x[0], self._y[0])
        parts.append(f'<path d="M{left} {bottom}H{_WIDTH - _RIGHT}" stroke="currentColor" stroke-opacity=".5"/>')
        parts.append(_text((left + _WIDTH - _RIGHT) / 2, bottom + 32, x_title, "middle"))
        if y_title:
            parts.append(_text(left, _TOP - 10, y_title, "start"))
        return "".join(parts)

    def path(self, x: Array, y: Array, colour: str, *, dash: bool = False) -> str:
        """A line."""
        points = "L".join("{} {}".format(*self.at(*point)) for point in zip(x.tolist(), y.tolist(), strict=True))
        dashes = ' stroke-dasharray="4 4"' if dash else ""
        return f'<path d="M{points}" fill="none" stroke="{colour}" stroke-width="2"{dashes}/>'

    def steps(self, edges: Array, heights: Array, colour: str, title: str) -> str:
        """A histogram."""
        x = np.repeat(edges, 2)
        y = np.concatenate([[0.0], np.repeat(heights, 2), [0.0]])
        points = "L".join("{} {}".format(*self.at(*point)) for point in zip(x.tolist(), y.tolist(), strict=True))
        return (
            f'<path d="M{points}Z" fill="{colour}" fill-opacity=".28" stroke="{colour}" stroke-width="1.5">'
            f"<title>{escape(title)}</title></path>"
        )

    def vertical(self, x: float, name: str, colour: str, *, line: int) -> str:
        """A threshold with its name, one below the other where there are several."""
        across, bottom = self.at(x, self._y[0])
        near_end = across > _WIDTH - _RIGHT - 7 * len(name)
        anchor, shift = ("end", -5) if near_end else ("start", 5)
        dashes = ' stroke-dasharray="5 4"' if colour == PROMISE else ""
        return f'<path d="M{across} {bottom}V{_TOP}" stroke="{colour}" stroke-width="1.8"{dashes}/>' + _text(
            across + shift, _TOP + 10 + 14 * line, name, anchor
        )

    def dot(self, x: float, y: float) -> str:
        """The point at the threshold."""
        across, down = self.at(x, y)
        return f'<circle cx="{across}" cy="{down}" r="5" fill="{FINITE_SAMPLE}" stroke="#fff"/>'

    def bar(self, y: float, rate: Rate, name: str) -> str:
        """A share with its interval."""
        (left, middle), (right, _) = self.at(0.0, y), self.at(rate.value, y)
        (low, _), (high, _) = self.at(rate.low, y), self.at(rate.high, y)
        return (
            f'<rect x="{left}" y="{middle - 7}" width="{max(right - left, 0):.1f}" height="14" fill="{DEFECT}" '
            f'fill-opacity=".55"/><path d="M{low} {middle}H{high}" stroke="currentColor" stroke-width="1.5"/>'
            + _text(left - 6, middle + 4, f"{_short(name.replace('_', ' '))} · {rate.n}", "end")
        )

    def drawn(self, parts: Sequence[str], keys: Sequence[tuple[str, str]], alt: str) -> Markup:
        """The whole chart, with a key below where there is one."""
        key, across = [], float(self._left)
        for name, colour in keys:
            key.append(f'<rect x="{across}" y="{self._height + 2}" width="10" height="10" fill="{colour}"/>')
            key.append(_text(across + 15, self._height + 11, name, "start"))
            across += 28 + 6.3 * len(name)
        height = self._height + (20 if keys else 0)
        return Markup(  # noqa: S704 - made of our own parts, texts from outside are escaped
            f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(alt)}">'
            f"{''.join([*parts, *key])}</svg>"
        )


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" style="{_STYLE}">{escape(words)}</text>'


def _short(name: str, longest: int = 18) -> str:
    return name if len(name) <= longest else f"{name[: longest - 1]}…"


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers over an axis that is drawn together far out: rising by 1, 2, 5 on both sides of zero."""
    largest = max(abs(low), abs(high), 1e-6)
    tens = range(math.floor(math.log10(largest)) - 2, math.floor(math.log10(largest)) + 1)
    sizes = [nice * 10.0**ten for ten in tens for nice in _NICE]
    return sorted(tick for tick in {0.0, *sizes, *(-size for size in sizes)} if low <= tick <= high)
