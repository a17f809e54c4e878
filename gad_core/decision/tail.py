"""Thresholds beyond what ranks support: a generalised Pareto tail through the largest scores.

Above a high enough start the exceedances of nearly every distribution follow a generalised Pareto law (Pickands 1975,
Annals of Statistics 3; Balkema & de Haan 1974). What lies beyond the scores is extrapolated: there is no guarantee.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from gad_core.decision.generalised_pareto import SHAPES, fit, fit_p_value, log_terms, theta_grid
from gad_core.decision.rates import CONFIDENCE
from gad_core.decision.working_point import conformal_p_values
from gad_core.errors import GadError, SampleTooSmall
from gad_core.gaussian.tuning import WorkingPoint

Array = NDArray[np.float64]

METHOD = "pareto"
#: Exceedances below which no tail is fitted.
FEWEST = 20
#: The tail begins with this share of the scores (DuMouchel 1983, Annals of Statistics 11), in small samples with up to
#: `_WIDEST` of them.
_SHARE, _WIDEST = 0.1, 0.25
_FEWER = 0.7  # from one start that is tried to the next
#: p-value of the fit below which the tail begins further out.
REJECTED = 0.05
#: A threshold lies well inside the tail: its target is at most this part of the tail's share.
_INSIDE = 0.5

# The grid of the profile likelihood: excess thresholds as multiples of the estimate, shares of the tail in standard
# errors, and values of theta.
_MULTIPLES = np.union1d(np.geomspace(0.05, 60, 200), 1.0)
_SHARES = np.linspace(-3.5, 3.5, 15)
_THETAS = 240


@dataclass(frozen=True)
class Tail:
    """The k largest of n scores as a generalised Pareto law of their excess over `start`.

    `p_value` is that of the Anderson-Darling statistic: small where the law does not describe the excess.
    """

    start: float
    excess: Array  # (k,), rising
    n: int
    shape: float
    scale: float
    p_value: float

    @property
    def share(self) -> float:
        """Share of the scores that lies in the tail."""
        return len(self.excess) / self.n


def fit_tail(scores: Array) -> Tail:
    """The tail of normal scores (n,), begun as low as the law describes it.

    The highest tenth is tried first (20 scores at least); where Anderson-Darling rejects the fit, ever fewer are, as
    in Bader, Yan & Zhang 2018, Annals of Applied Statistics 12. Raises `SampleTooSmall` where 20 exceedances would be
    more than a quarter of the scores, and `GadError` where no start gives a fit.
    """
    n, needed = len(scores), round(FEWEST / _WIDEST)
    if n < needed:
        raise SampleTooSmall(
            f"a tail is fitted to {FEWEST} exceedances at least, a quarter of {needed} normal images, got {n}; add "
            f"{needed - n} or choose a higher rate that their ranks support",
            needed=needed,
            n=n,
        )
    found = _fitted(np.sort(scores).tobytes())
    if found is None:
        raise GadError(
            f"no generalised Pareto tail describes the {_sizes(n)[0]} largest of {n} scores, nor the largest {FEWEST}; "
            "choose a rate that their ranks support"
        )
    return found


@lru_cache(maxsize=64)
def _fitted(rising: bytes) -> Tail | None:
    """The tail of rising scores; every target that a slider passes asks for it."""
    ordered = np.frombuffer(rising)
    n = len(ordered)
    for k in _sizes(n):
        start, excess = float(ordered[-k - 1]), ordered[-k:] - ordered[-k - 1]
        if not excess[0] > 0:  # equal scores: a law with a density does not describe them
            continue
        fits = fit(excess[None])
        p_value = fit_p_value(excess[None], fits)
        if fits.shape[0] < SHAPES[1] and p_value >= REJECTED:
            return Tail(start, excess, n, float(fits.shape[0]), float(fits.scale[0]), p_value)
    return None


def pareto(scores: Array, target_fpr: float) -> WorkingPoint:
    """The threshold above which a share `target_fpr` lies by the fitted tail of normal scores (n,).

    Raises as `fit_tail` and `tail_threshold` do.
    """
    tail = fit_tail(scores)
    how = (
        f"extrapolated, no guarantee: generalised Pareto tail (shape {tail.shape:.2f}) through the highest "
        f"{len(tail.excess)} of {tail.n} scores of normal images"
    )
    return WorkingPoint(METHOD, target_fpr, tail_threshold(tail, target_fpr), tail.n, how)


def tail_threshold(tail: Tail, target_fpr: float) -> float:
    """The distance that a share `target_fpr` exceeds; raises `GadError` for a target outside the tail."""
    _check(tail, target_fpr)
    # ((p ^ -shape) - 1) / shape, the law's quantile, also where the shape is 0
    return tail.start - tail.scale * float(special.boxcox(target_fpr / tail.share, -tail.shape))


def tail_interval(tail: Tail, target_fpr: float, *, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Ends of the profile-likelihood interval of that threshold.

    The share of the tail, a binomial one, and the law are profiled together. It holds the truth about as often as
    `confidence` says where the law does (`benchmarks/tail.py`). Raises `GadError` for a target outside the tail, and
    where the scores leave an end open. Source: Coles 2001, An Introduction to Statistical Modeling of Extreme Values,
    Sec. 4.3.3.
    """
    excess = (tail_threshold(tail, target_fpr) - tail.start) * _MULTIPLES
    room = _profile(tail, target_fpr, excess) + stats.chi2.isf(1 - confidence, 1) / 2  # above 0 within the interval
    inside = np.flatnonzero(room >= 0)
    first, last = inside[0], inside[-1]
    if first == 0 or last == len(excess) - 1:
        raise GadError(
            f"{tail.n} scores leave a threshold for {100 * target_fpr:.3g} % open; choose a higher rate or add normal "
            "images"
        )
    low, high = (_crossing(excess[at : at + 2], room[at : at + 2]) for at in (first - 1, last))
    return tail.start + low, tail.start + high


def pareto_p_values(scores: Array, normal: Array) -> Array:
    """For each score the share of normal images beyond it by the tail of `normal` (n,), before the tail by its rank."""
    tail = fit_tail(normal)
    beyond = tail.share * stats.genpareto.sf(scores - tail.start, tail.shape, scale=tail.scale)
    return np.where(scores > tail.start, beyond, conformal_p_values(scores, normal))


def tail_qq(tail: Tail) -> tuple[Array, Array]:
    """Quantiles of the fitted law at (i - 1/2) / k and the scores that stand there, both rising (k,)."""
    k = len(tail.excess)
    theory = stats.genpareto.ppf((np.arange(k) + 0.5) / k, tail.shape, scale=tail.scale)
    return tail.start + theory, tail.start + tail.excess


def _sizes(n: int) -> list[int]:
    """How many exceedances are tried, falling to the fewest."""
    sizes = [max(FEWEST, round(_SHARE * n))]
    while sizes[-1] > FEWEST:
        sizes.append(max(FEWEST, round(_FEWER * sizes[-1])))
    return sizes


def _profile(tail: Tail, target_fpr: float, excess: Array) -> Array:
    """Log likelihood (z,) of every excess threshold, at the best share and law, below that of the estimate.

    Of a law with theta = shape / scale, `target_fpr` lies beyond z where (1 + theta z) ^ (-1 / shape) times the share
    of the tail is the target: that gives its shape.
    """
    k, n, x = len(tail.excess), tail.n, tail.excess[None]
    shares = np.minimum(tail.share * np.exp(_SHARES / np.sqrt(k)), 1 - 1 / n)
    shares = shares[shares > target_fpr]
    theta = theta_grid(x, _THETAS)
    terms = log_terms(x, theta)[0]
    reach = 1 + theta[0] * excess[:, None]  # (z, theta); the density ends where it is 0
    shape = np.log(np.where(reach > 0, reach, np.nan))[:, None] / np.log(shares / target_fpr)[:, None]  # (z, share, t)
    regular = (shape >= SHAPES[0]) & (shape <= SHAPES[1])
    with np.errstate(invalid="ignore"):
        of_law = -k * np.log(shape / theta[0]) - (1 + 1 / shape) * terms
    best = np.where(regular, of_law, -np.inf).max(axis=2) + _binomial(k, n, shares)
    estimate = stats.genpareto.logpdf(tail.excess, tail.shape, scale=tail.scale).sum() + _binomial(k, n, tail.share)
    return np.asarray(best.max(axis=1) - estimate)


def _binomial(k: int, n: int, share: Array | float) -> Array:
    return np.asarray(k * np.log(share) + (n - k) * np.log1p(-np.asarray(share)))


def _crossing(x: Array, y: Array) -> float:
    """Where the straight line through two points crosses 0; it may come from minus infinity."""
    if not np.isfinite(y).all():
        return float(x[~np.isfinite(y)][0])
    return float(x[0] - y[0] * (x[1] - x[0]) / (y[1] - y[0]))


def _check(tail: Tail, target_fpr: float) -> None:
    if not 0 < target_fpr <= _INSIDE * tail.share:
        raise GadError(
            f"the tail of {tail.n} scores tells of rates up to {100 * _INSIDE * tail.share:.3g} %, got "
            f"{100 * target_fpr:.3g} %; choose a method that goes by ranks, such as cross-conformal"
        )
