"""What a threshold achieves on the line, from what people said of the parts that it judged."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from gad_core.decision.rates import Rate, rate


@dataclass(frozen=True)
class Achieved:
    """What is known of n parts on the line, some of which people have judged.

    People judge flagged parts more often than others, so that the share of false alarms among judged parts alone says
    little. Parts that passed and that nobody judged count as good here: that a few defects may be among them changes
    the rate of false alarms by their small share. Flagged parts that nobody judged could be either.

    Parameters
    ----------
    n : int
        Parts that were inspected.
    judged : int
        Those that a person judged.
    false_alarms : Rate, optional
        Flagged among good parts, as far as judged; None without a good part.
    open : int
        Flagged parts that nobody judged yet.
    at_most : float, optional
        The rate of false alarms, should all of these be good.
    caught : int
        Flagged parts that turned out defective.
    missed : Rate, optional
        Defective ones among passed parts that a person judged; None where nobody judged any.
    """

    n: int
    judged: int
    false_alarms: Rate | None
    open: int
    at_most: float | None
    caught: int
    missed: Rate | None

    def sentence(self, since: date | None = None) -> str:
        """Say it in words; percent with one decimal and the exact interval."""
        when = f" since {since.day} {since:%B %Y}" if since else ""
        parts = f"of {self.n} {_parts(self.n)} inspected{when}"
        if self.false_alarms is None:
            return f"{parts} none is known to be good: judge some of them"
        found = self.false_alarms
        all_judged = self.judged == self.n
        words = [f"of {self.n} {_parts(self.n)} judged{when}" if all_judged else parts]
        words.append(f", {found.count} {'was a false alarm' if found.count == 1 else 'were false alarms'}: ")
        words.append(f"{_percent(found.value)} % [{_percent(found.low)}, {_percent(found.high)}] of the good ones")
        if self.open and self.at_most is not None:
            words.append(
                f"; {self.open} flagged {'one is' if self.open == 1 else 'ones are'} not judged yet, so it may be up "
                f"to {_percent(self.at_most)} %"
            )
        if self.missed and self.missed.count:
            words.append(f"; {self.missed.count} of {self.missed.n} that passed and were judged are defective")
        return "".join(words)


def achieved(flagged: Sequence[bool] | NDArray[np.bool_], defective: Sequence[bool | None]) -> Achieved:
    """Count what is known: `flagged` (n,) by the detector, `defective` (n,) by people, None of those not judged."""
    flags = np.asarray(flagged, bool)
    known = np.array([one is not None for one in defective], bool)
    bad = np.array([bool(one) for one in defective], bool)
    alarms = int((flags & known & ~bad).sum())
    waiting = int((flags & ~known).sum())
    passed_good = int((~flags & ~bad).sum())  # those that nobody judged among them
    passed_judged = ~flags & known
    good = alarms + passed_good
    return Achieved(
        len(flags),
        int(known.sum()),
        rate(alarms, good) if good else None,
        waiting,
        (alarms + waiting) / (good + waiting) if good else None,
        int((flags & bad).sum()),
        rate(int((passed_judged & bad).sum()), int(passed_judged.sum())) if passed_judged.any() else None,
    )


def _parts(n: int) -> str:
    return "part" if n == 1 else "parts"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"
