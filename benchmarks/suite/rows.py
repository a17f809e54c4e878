"""A line of the table, and the arithmetic behind it: medians over rounds, ratios round by round, exponents."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Row:
    """One thing that was measured: ours, what it is held against, their ratio with its spread, and what was aimed at.

    Where there is nothing to hold it against, spread and target are those of `ours`.
    """

    what: str
    ours: float | None = None  # medians over the rounds
    theirs: float | None = None
    unit: str = ""  # of both
    ratio: float | None = None  # median of the rounds' ratios: how many times as good ours is
    low: float | None = None  # the smallest and the largest of them
    high: float | None = None
    target: float | None = None
    at_most: bool = False  # else the target is the least that is wanted
    note: str = ""  # what has to be known beside the figures, or why there are none

    @property
    def measured(self) -> float | None:
        """What the target is for."""
        return self.ours if self.ratio is None else self.ratio

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None where there is none, or nothing was measured."""
        if self.target is None or self.measured is None:
            return None
        return self.measured <= self.target if self.at_most else self.measured >= self.target

    def aiming(self, target: float, *, at_most: bool = False) -> "Row":
        """The same with a target."""
        return replace(self, target=target, at_most=at_most)


def not_measured(what: str, why: str, *, target: float | None = None, at_most: bool = False) -> Row:
    """A line that says why it holds no figures."""
    return Row(what, target=target, at_most=at_most, note=f"not measured: {why}")


def faster(
    what: str, ours: Sequence[float], theirs: Sequence[float], *, unit: str = "s", scale: float = 1.0, note: str = ""
) -> Row:
    """Seconds of both sides, a pair a round: how many times as fast ours is; shown times `scale` in `unit`."""
    return _paired(what, ours, theirs, np.divide(theirs, ours), unit, scale, note)


def share(
    what: str, ours: Sequence[float], theirs: Sequence[float], *, unit: str = "s", scale: float = 1.0, note: str = ""
) -> Row:
    """Rates or costs of both sides, a pair a round: which part of theirs, or how many times theirs, ours is."""
    return _paired(what, ours, theirs, np.divide(ours, theirs), unit, scale, note)


def alone(what: str, ours: Sequence[float], *, unit: str, note: str = "") -> Row:
    """What is held against nothing."""
    return Row(what, float(np.median(ours)), None, unit, None, float(np.min(ours)), float(np.max(ours)), note=note)


def _paired(
    what: str,
    ours: Sequence[float],
    theirs: Sequence[float],
    ratios: np.ndarray,
    unit: str,
    scale: float,
    note: str,
) -> Row:
    middle, low, high = (float(value) for value in (np.median(ratios), ratios.min(), ratios.max()))
    return Row(
        what, scale * float(np.median(ours)), scale * float(np.median(theirs)), unit, middle, low, high, note=note
    )


def exponent(sizes: Sequence[float], values: Sequence[float]) -> float:
    """The p of values that grow as size^p: the slope of the least-squares line through their logarithms."""
    x, y = np.log(sizes), np.log(values)
    x = x - x.mean()
    return float(x @ y / (x @ x))
