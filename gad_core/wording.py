"""Numbers and settings as people read them: three significant digits, rates with interval and n, "NPCA 5 %"."""

import math
import unicodedata
from collections.abc import Sequence
from itertools import groupby

import numpy as np

from gad_core.decision.curves import Auroc
from gad_core.decision.rates import Rate
from gad_core.gaussian.pooling import Pool
from gad_core.gaussian.reduction import Reduction
from gad_core.gaussian.tuning import Distance, Tuning

_DISTANCES: dict[Distance, str] = {
    "mahalanobis": "Mahalanobis",
    "sed": "standardised Euclidean",
    "l2": "Euclidean (L2)",
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # OWASP, "CSV Injection"
_NO_NAME = set('/\\<>:"|?*')  # in the name of a file
_LONGEST_NAME = 120  # characters
_HOUR = 3600
_STEPS = ((60, 1), (90, 5), (1.5 * _HOUR, 60), (48 * _HOUR, 900))  # below so many seconds, to so many exactly
_UNEVEN = 10  # seconds below which tenths are told


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
    return "–" if value is None else f"{round(100 * value)} %"  # rounded to a whole number, which has no sign at 0


def interval(low: float, high: float) -> str:
    """An interval of shares in percent."""
    return f"[{100 * low:.1f}, {100 * high:.1f}]"


def rate(value: Rate) -> str:
    """A rate with its interval: `4.8 % [1.2, 9.7]`."""
    return f"{percent(value.value)} {interval(value.low, value.high)}"


def rate_note(value: Rate) -> str:
    """The interval and the count behind a rate, for the line below it."""
    return f"{interval(value.low, value.high)} · {value.count} of {value.n}"


def listed(names: Sequence[str]) -> str:
    """Names in a sentence: `a, b and c`."""
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)


def duration(seconds: float) -> str:
    """A time as people estimate it, the coarser the longer: `8 s`, `40 s`, `10 min`, `1 h 45 min`."""
    step = next((step for limit, step in _STEPS if seconds < limit), _HOUR)
    whole = step * max(round(seconds / step), 1)
    parts = ((whole // _HOUR, "h"), (whole % _HOUR // 60, "min"), (whole % 60, "s"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count)


def pace(per_second: float) -> str:
    """How fast things go: `12 a second`, or `17 s each` where one takes longer."""
    if per_second >= 1:
        return f"{per_second:.0f} a second"
    each = 1 / per_second
    return f"{duration(each)} each" if each >= _UNEVEN else f"{each:.1f} s each"


def area(value: Auroc) -> str:
    """An area under the ROC in percent with its interval."""
    return f"{100 * value.value:.1f} {interval(value.low, value.high)}"


def reduction(value: Reduction) -> str:
    """A reduction as the paper writes it: `NPCA 5 %`, `PCA 99 %`, `all`."""
    if value.kind == "all":
        return "all"
    percentage = float(f"{100 * value.variance:.10g}")  # 100 * 0.07 is a little more than 7
    return f"{value.kind.upper()} {np.format_float_positional(percentage, trim='-')} %"


def distance(value: Distance) -> str:
    """The name of a kind of distance."""
    return _DISTANCES[value]


def levels(numbers: Sequence[int]) -> str:
    """Levels with their runs drawn together: `level 7`, `levels 6-8`, `levels 1, 5-7`."""
    runs: list[list[int]] = [
        [level for _, level in run] for _, run in groupby(enumerate(sorted(numbers)), key=lambda at: at[1] - at[0])
    ]
    words = ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)
    return f"level {words}" if len(numbers) == 1 else f"levels {words}"


def pool(value: Pool | None) -> str:
    """How the regions are pooled: `highest 10 % of the regions`; without, `whole image`."""
    if value is None:
        return "whole image"
    number = value.value or 0.0
    return {
        "top": f"highest {100 * number:.3g} % of the regions",
        "power": f"power mean ({number:g}) of the regions",
        "mean": "mean of the regions",
        "max": "highest region",
    }[value.kind]


def score_name(value: Tuning) -> str:
    """What a tuning's own score is of: the `sum` of its levels, or the `regions`."""
    return "regions" if value.pool else "sum"


def for_spreadsheet(text: str) -> str:
    """Text from outside for a CSV: what a spreadsheet would take for a formula begins with a quotation mark."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def file_name(text: str, ending: str) -> str:
    """The name of a file to download, which no spreadsheet, shell or file system takes for more than a name."""
    kept = "".join("_" if c in _NO_NAME else c for c in text if unicodedata.category(c)[0] != "C")
    return (kept.lstrip("=+-@＝＋－＠. ")[:_LONGEST_NAME].rstrip() or "gad") + ending


def tuning(value: Tuning) -> str:
    """A tuning in words: `levels 6-8, NPCA 5 %`; pooled regions and a distance other than Mahalanobis are named."""
    parts = [levels(value.levels), reduction(value.reduction)]
    if value.pool:
        parts.append(pool(value.pool))
    if value.distance != "mahalanobis":
        parts.append(distance(value.distance))
    return ", ".join(parts)
