"""When a detector's calibration stops being true: good-looking parts, in the order in which they came, against it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gad_core.decision import tail
from gad_core.decision.control_chart import LIMIT, LotMean, change_point, ewma, ewma_limits, lot_means
from gad_core.decision.evaluation import LevelScores
from gad_core.decision.martingale import first_alarm, log_martingale, normal_scores, online_p_values
from gad_core.decision.rates import Rate, exceedance
from gad_core.decision.verdict import Verdict, deciding_point, judge_scores, own_scores
from gad_core.errors import GadError
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.tuning import WorkingPoint

Array = NDArray[np.float64]
Direction = Literal["higher", "lower"]

#: Chance of an alarm, ever, while nothing changes.
ALPHA = 0.05
_MEANS: dict[Direction, str] = {
    "higher": "more good parts will be flagged than promised",
    "lower": "the threshold is looser than promised, and defects may pass",
}


@dataclass(frozen=True)
class Drift:
    """Whether the scores of good-looking parts still are what the threshold was made from.

    Parts are counted from 0 in the order in which they came; the k that were not flagged have a control chart and a
    conformal test martingale.

    Parameters
    ----------
    alpha : float
        Chance of an alarm, ever, while nothing changes.
    places : ndarray of int, shape (k,)
        Which parts look good: those whose score is below the threshold.
    flagged : Rate
        Share of all parts that lie above it; they take no part.
    target_fpr : float
        What share of good parts the threshold was made to flag.
    n_normal : int
        Scores of normal images below the threshold, which the parts are compared with.
    exact : bool
        Whether the bound on false alarms is a theorem: separate calibration images, none of which belong together.
    p_values : ndarray, shape (k,)
        Of each among the normal scores and the parts before it; independent and uniform while nothing changes.
    normal_scores : ndarray, shape (k,)
        Phi^-1(1 - p), the individuals chart, with limits at -3 and 3.
    ewma : ndarray, shape (k,)
        Their exponentially weighted moving average.
    ewma_limits : ndarray, shape (k,)
        What its absolute value stays below.
    log_martingale : ndarray, shape (k,)
        Natural logarithm of the evidence against "nothing has changed"; an alarm from log(1 / alpha) on.
    lots : tuple of LotMean
        Mean normal score of each lot, with its limit.
    alarm : int, optional
        The part that raised the alarm.
    since : int, optional
        The part from which the shift most likely lasts.
    shift : float, optional
        Mean normal score from there to the alarm, in standard deviations.

    Examples
    --------
    >>> import gad_core as gad
    >>> drift = gad.monitor(gad.load_detector("parts.gad"), "parts/test/good").drift
    >>> drift.alarm is None, drift.direction, len(drift.p_values) + drift.flagged.count
    (True, None, 10)
    """

    alpha: float
    places: NDArray[np.intp]
    flagged: Rate
    target_fpr: float
    n_normal: int
    exact: bool
    p_values: Array
    normal_scores: Array
    ewma: Array
    ewma_limits: Array
    log_martingale: Array
    lots: tuple[LotMean, ...]
    alarm: int | None = None
    since: int | None = None
    shift: float | None = None

    @property
    def direction(self) -> Direction | None:
        """Where the scores went; None without an alarm."""
        return None if self.shift is None else "higher" if self.shift > 0 else "lower"

    @property
    def outside(self) -> NDArray[np.bool_]:
        """Whether each good-looking part is out of limits on either chart (k,): of each, one in 370 by chance."""
        return (np.abs(self.normal_scores) > LIMIT) | (np.abs(self.ewma) > self.ewma_limits)

    @property
    def flags_too_many(self) -> bool:
        """Whether more parts are flagged than good ones are, by the interval of their share."""
        return self.flagged.low > self.target_fpr

    @property
    def sentence(self) -> str:
        """What moved, since when, and what to do."""
        return self._of_flagged + (self._alarmed or self._quiet)

    @property
    def _of_flagged(self) -> str:
        if not self.flags_too_many:
            return ""
        return (
            f"{self.flagged.count} of {self.flagged.n} parts are flagged, where {100 * self.target_fpr:.3g} % of good "
            "ones would be: look at these first, and if they are good, recalibrate with all of these images; "
        )

    @property
    def _alarmed(self) -> str | None:
        if self.alarm is None or self.since is None or self.shift is None or self.direction is None:
            return None
        return (
            f"the distances of good-looking parts are {self.direction} since about part {self.since + 1}"
            f"{self._lot_of(self.since)}, by {abs(self.shift):.1f} standard deviations (alarm at part "
            f"{self.alarm + 1}): {_MEANS[self.direction]}; look for what changed, and if these parts are good, "
            f"recalibrate with the images from part {self.since + 1} on, the flagged ones too"
        )

    @property
    def _quiet(self) -> str:
        if not len(self.places):
            return "no part is left to compare"
        highest = math.exp(self.log_martingale.max(initial=0.0))  # below 1 / alpha, as there was no alarm
        return (
            f"no alarm: {len(self.places)} good-looking parts look like the {self.n_normal} normal images; evidence "
            f"against it at most {highest:.3g} to 1, alarm from {1 / self.alpha:.3g} to 1"
        )

    def to_json(self) -> dict[str, Any]:
        """Give the findings as plain values, without the arrays; parts are counted from 0."""
        return {
            "alpha": self.alpha,
            "n": self.flagged.n,
            "flagged": self.flagged.count,
            "target_fpr": self.target_fpr,
            "n_normal": self.n_normal,
            "exact": self.exact,
            "alarm": self.alarm,
            "since": self.since,
            "direction": self.direction,
            "shift": self.shift,
            "log10_martingale_max": float(self.log_martingale.max(initial=0.0)) / math.log(10),
            "outside": self.places[self.outside].tolist(),
            "lots": [
                {"lot": lot.name, "n": lot.n, "mean": lot.mean, "limit": lot.limit, "outside": lot.outside}
                for lot in self.lots
            ],
            "flags_too_many": self.flags_too_many,
            "sentence": self.sentence,
        }

    def _lot_of(self, place: int) -> str:
        """Name the lot that begins at a part; nothing where none does."""
        return next((f" (the first of {lot.name})" for lot in self.lots if lot.first == place), "")


def watch(
    scores: LevelScores,
    threshold: float,
    *,
    target_fpr: float,
    lots: Sequence[str | None] | None = None,
    alpha: float = ALPHA,
    seed: int = 0,
    extrapolated: bool = False,
) -> Drift:
    """Compare the test scores (m,), in their order, with the normal ones; `lots` (m,) names each part's lot.

    Flagged parts are left out, and so are normal scores that are not below the threshold: cut alike, what is left is
    exchangeable if all was. The strict "below" makes this exact for a threshold that is itself one of the normal
    scores, as conformal ones are: given its value, what lies below is as exchangeable as before. An extrapolated one
    depends on scores below it, so that it holds about: say so if it is `extrapolated`. Raises `GadError` for an `alpha`
    outside (0, 1), no parts, and a threshold with no normal score below it.
    """
    if not 0 < alpha < 1:
        raise GadError(f"the chance of a false alarm lies between 0 and 1 (0.05 is 5 %), got {alpha:g}")
    normal = scores.normal[scores.normal < threshold]
    if not len(normal):
        raise GadError(
            f"no normal score lies below the threshold {threshold:.4g}, so there is nothing to compare with; choose a "
            "lower false-positive rate"
        )
    places = np.flatnonzero(scores.test < threshold)
    p_values = online_p_values(normal, scores.test[places], seed=seed)
    z = normal_scores(p_values)
    logs = log_martingale(z)
    alarm = first_alarm(logs, alpha)
    since = None if alarm is None else change_point(z[: alarm + 1])
    return Drift(
        alpha,
        places,
        exceedance(scores.test, threshold),
        target_fpr,
        len(normal),
        scores.is_independent and not extrapolated,
        p_values,
        z,
        ewma(z),
        ewma_limits(len(z)),
        logs,
        lot_means(z, [lots[place] for place in places.tolist()], places) if lots else (),
        None if alarm is None else int(places[alarm]),
        None if since is None else int(places[since]),
        None if since is None or alarm is None else float(z[since : alarm + 1].mean()),
    )


def judge_in_order(
    detector: Detector,
    features: NDArray[np.float32],
    *,
    lots: Sequence[str | None] | None = None,
    alpha: float = ALPHA,
    seed: int = 0,
) -> tuple[Verdict, Drift]:
    """Judge feature vectors (m, sum of channels) as `judge` does by the detector's own threshold, and `watch` them.

    Raises as these do.
    """
    scores = own_scores(detector, features)
    verdict = judge_scores(detector, scores)
    return verdict, watch_at(deciding_point(detector, scores), scores, lots=lots, alpha=alpha, seed=seed)


def watch_at(
    point: WorkingPoint,
    scores: LevelScores,
    *,
    lots: Sequence[str | None] | None = None,
    alpha: float = ALPHA,
    seed: int = 0,
) -> Drift:
    """Watch at a working point."""
    return watch(
        scores,
        point.threshold,
        target_fpr=point.target_fpr,
        lots=lots,
        alpha=alpha,
        seed=seed,
        extrapolated=point.method == tail.METHOD,
    )
