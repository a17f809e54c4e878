"""Numbers as people read them: three significant digits, rates with their interval and n."""

import math

from gad_core.decision.curves import Auroc
from gad_core.decision.rates import Rate


def number(value: float) -> str:
    """Three significant digits, without an exponent from 0.001 to 99,999."""
    if value and not 1e-3 <= abs(value) < 1e5:
        return f"{value:.2e}"
    digits = f"{value:.3g}"
    return f"{float(digits):,.0f}" if "e" in digits else digits


def percent(value: float) -> str:
    """A share in percent with one decimal; below 0.1 % and above 99.9 % with as many as it takes, up to four."""
    rest = min(value, 1 - value)
    decimals = 1 if not 1e-6 <= rest < 1e-3 else 1 - math.floor(math.log10(100 * rest))
    whole, tail = f"{100 * value:.{min(decimals, 4)}f}".split(".")
    return f"{whole}.{tail.rstrip('0') or '0'} %"


def share(value: float | None) -> str:
    """A part of a signed whole, which may be less than nothing or more than all of it; a dash where there is none."""
    return "–" if value is None else f"{100 * value:.0f} %"


def interval(low: float, high: float) -> str:
    """An interval of shares in percent."""
    return f"[{100 * low:.1f}, {100 * high:.1f}]"


def rate(value: Rate) -> str:
    """A rate with its interval: `4.8 % [1.2, 9.7]`."""
    return f"{percent(value.value)} {interval(value.low, value.high)}"


def rate_note(value: Rate) -> str:
    """The interval and the count behind a rate, for the line below it."""
    return f"{interval(value.low, value.high)} · {value.count} of {value.n}"


def area(value: Auroc) -> str:
    """An area under the ROC in percent with its interval."""
    return f"{100 * value.value:.1f} {interval(value.low, value.high)}"
