"""How far the true rate above a calibration score may be: for one threshold chosen beforehand, and for all at once.

Above the k-th smallest of n exchangeable scores the true rate follows Beta(n + 1 - k, k). Sources: Vovk 2012,
Conditional validity of inductive conformal predictors; Bates et al. 2023, Testing for outliers with conformal p-values.
"""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special, stats

from gad_core.decision.rates import CONFIDENCE
from gad_core.errors import GadError

Array = NDArray[np.float64]

_EXACT = 500  # images
_NEGLIGIBLE = 1e-18
_DIGITS = 9


@lru_cache(maxsize=512)
def upper_bounds(n: int, *, simultaneous: bool = False) -> Array:
    """Bounds (n,) on the true rates above the smallest, second smallest ... largest of n scores, 95 % confident each.

    With `simultaneous` all of them hold at once with 95 %: every order statistic gets the same local level, and the
    level at which the band as a whole is crossed in 5 % is found exactly. Source: Moscovich & Nadler 2017, Fast
    calculation of boundary crossing probabilities for Poisson processes.
    """
    k = np.arange(1, n + 1)
    level = _local_level(n) if simultaneous else 1 - CONFIDENCE
    bounds = np.asarray(special.betainccinv(n + 1 - k, k, level))
    bounds.flags.writeable = False  # it is kept
    return bounds


def assured_ranks(n: int, targets: Array, *, simultaneous: bool = False) -> NDArray[np.intp]:
    """The smallest k (T,) above whose score the true rate is at most the target (T,), 95 % confident; 0: n is few."""
    rising = np.round(upper_bounds(n, simultaneous=simultaneous), _DIGITS)[::-1]
    ranks = 1 + n - np.searchsorted(rising, targets, side="right")
    return np.where(ranks <= n, ranks, 0)


def needed_for_assurance(target_fpr: float, *, simultaneous: bool = False) -> int:
    """The fewest normal images of which the largest score will do; simultaneously and beyond 500 images about so."""
    if not simultaneous:
        return certifiable(target_fpr)
    n = 1
    while (more := math.ceil(round(math.log(_level_at(n)) / math.log1p(-target_fpr), _DIGITS))) > n:
        n = more
    return n


def rate_at_most(scores: Array, threshold: float, *, simultaneous: bool = False) -> float:
    """Bound on the true rate above any threshold, from scores of normal images (n,), with 95 % confidence."""
    below = int(np.count_nonzero(scores <= threshold))
    return float(upper_bounds(len(scores), simultaneous=simultaneous)[below - 1]) if below else 1.0


def certifiable(target_fpr: float, confidence: float = CONFIDENCE) -> int:
    """Normal images, none of them flagged, that certify a rate of `target_fpr` at most: (1 - FPR)^n <= 1 - C.

    Raises `GadError` unless both lie between 0 and 1.
    """
    check_share(target_fpr, confidence)
    return max(1, math.ceil(round(math.log1p(-confidence) / math.log1p(-target_fpr), _DIGITS)))


def exceeding(n: int, rank: int, target_fpr: float) -> float:
    """In which share of calibrations the true rate above the score of that rank exceeds the target."""
    return float(stats.beta.sf(target_fpr, n + 1 - rank, rank))


def check_share(target_fpr: float, confidence: float) -> None:
    """Refuse what is no share between 0 and 1."""
    for name, value in (("target false-positive rate", target_fpr), ("confidence", confidence)):
        if not 0 < value < 1:
            raise GadError(f"a {name} lies between 0 and 1 (0.05 is 5 %), got {value:g}; change it")


def _level_at(n: int) -> float:
    """The local level, of very many images about: beyond `_EXACT` it falls as its limit law says.

    Source: Gontscharuk & Finner 2017, Asymptotics of goodness-of-fit tests based on minimum p-value statistics.
    """
    if n <= _EXACT:
        return _local_level(n)
    return _local_level(_EXACT) * _slope(_EXACT) / _slope(n)


def _slope(n: int) -> float:
    return math.log(n) * math.log(math.log(n))


@lru_cache(maxsize=256)
def _local_level(n: int) -> float:
    """The level at which every order statistic is bounded, so that all bounds hold with 95 %."""
    j = np.arange(1, n + 1)

    def excess(log_level: float) -> float:
        return _all_below(np.asarray(special.betainccinv(j, n + 1 - j, math.exp(log_level)))) - CONFIDENCE

    lowest, highest = math.log(1e-6), math.log(1 - CONFIDENCE)
    return math.exp(optimize.brentq(excess, lowest, highest, xtol=1e-5)) if n > 1 else 1 - CONFIDENCE


def _all_below(bounds: Array) -> float:
    """Chance that n uniform order statistics lie below their rising bounds (n,).

    Their count up to a bound is that of a Poisson process which has n events in all; what falls short is struck out.
    """
    n, chances = len(bounds), np.ones(1)  # of the counts from the number of bounds passed on
    means = n * np.diff(bounds, prepend=0.0)
    counts = np.arange(int(means.max() + 10 * math.sqrt(means.max()) + 25))
    steps = stats.poisson.pmf(counts, means[:, None])
    for step in steps:
        chances = np.convolve(chances, step)[1:]
        chances = chances[: np.flatnonzero(chances > _NEGLIGIBLE * chances.max())[-1] + 1]
    return float(chances[0] * stats.poisson.pmf(0, n * (1 - bounds[-1])) / stats.poisson.pmf(n, n))
