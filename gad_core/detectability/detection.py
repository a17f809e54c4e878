"""Probability of detection (POD) against size from hits and misses, with a90 and a90/95 as non-destructive testing has.

A probit in the logarithm of the size (MIL-HDBK-1823A, App. G.3) above a floor: the share of undamaged images that is
flagged anyway (Abbott 1925; Finney 1971, Probit Analysis, Ch. 7). Its likelihood carries Jeffreys' penalty, which takes
away the bias of small samples (Firth 1993, Biometrika 80; Heinze & Schemper 2002, Statistics in Medicine 21).
"""

import math
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special, stats

from gad_core.decision.rates import Rate, rate
from gad_core.errors import GadError

Array = NDArray[np.float64]

#: The probability that a90 is named for, and the one-sided confidence of a90/95.
POD, CONFIDENCE = 0.9, 0.95

_ANGLES = 360  # of the likelihood's contour: its extremes are then met to 4e-5 of its width
_HALVINGS, _FAR = 40, 1e6  # standard deviations, where the search for it ends
_ITERATIONS = 200
_EXPECTED = 1.0  # variance of a count from which on it says how well a curve fits
_STEEP = 8.0  # probits between two sizes next to each other: no draw has seen the rise
_TINY, _NOTHING = 1e-12, 1e-300  # a probability and a determinant whose logarithms are still numbers


@dataclass(frozen=True)
class HitMiss:
    """Defects drawn and caught at each size, and the share of undamaged images that is flagged anyway."""

    sizes: Array  # (J,) rising
    hits: NDArray[np.intp]  # (J,)
    draws: NDArray[np.intp]  # (J,)
    floor: float  # in [0, 1)

    @classmethod
    def of(cls, sizes: ArrayLike, hits: ArrayLike, floor: float) -> "HitMiss":
        """Count sizes (n,) > 0 of which `hits` (n,) were caught."""
        a, caught = np.asarray(sizes, np.float64), np.asarray(hits, bool)
        if not len(a) or a.shape != caught.shape or not (a > 0).all():
            raise GadError("a probability of detection needs sizes above 0, and of each whether it was caught")
        if not 0 <= floor < 1:
            raise GadError(f"the share of undamaged images that is flagged lies in [0, 1), got {floor:g}")
        levels, place = np.unique(a, return_inverse=True)
        hits, draws = (np.bincount(place, weights, len(levels)).astype(np.intp) for weights in (caught, None))
        return cls(levels, hits, draws, floor)

    @property
    def rates(self) -> tuple[Rate, ...]:
        """The share caught at each size with its exact interval."""
        return tuple(rate(int(hits), int(n)) for hits, n in zip(self.hits, self.draws, strict=True))

    @property
    def caught(self) -> Rate:
        """The share caught of all."""
        return rate(int(self.hits.sum()), int(self.draws.sum()))

    def log_likelihood(self, coefficients: Array) -> Array:
        """Of probits with intercept and slope (A, 2): (A,)."""
        p = self._p(coefficients)
        return np.asarray(special.xlogy(self.hits, p).sum(-1) + special.xlogy(self.draws - self.hits, 1 - p).sum(-1))

    def penalised(self, coefficients: Array) -> Array:
        """The same with Jeffreys' penalty, half the logarithm of the information's determinant: (A,)."""
        one, x = _terms(self.sizes)
        p = self._p(coefficients)
        density = (1 - self.floor) * stats.norm.pdf(coefficients @ np.stack([one, x]))
        weights = self.draws * np.square(density) / (p * (1 - p))
        determinant = weights.sum(-1) * (weights @ x**2) - np.square(weights @ x)
        return np.asarray(self.log_likelihood(coefficients) + np.log(np.maximum(determinant, _NOTHING)) / 2)

    def _p(self, coefficients: Array) -> Array:
        return np.clip(_probability(coefficients @ _terms(self.sizes), self.floor), _TINY, 1 - _TINY)


@dataclass(frozen=True)
class Curve:
    """A fitted probit of the POD, with all others that the data do not refute."""

    coefficients: Array  # (2,) intercept, and slope by the logarithm of the size
    contour: Array  # (A, 2) those whose likelihood ratio is at the limit
    floor: float
    p_value: float | None  # that the counts lie so far from the curve by chance; None with fewer than 3 telling sizes

    def at(self, sizes: ArrayLike) -> Array:
        """POD at sizes (s,)."""
        return _probability(self.coefficients @ _terms(sizes), self.floor)

    def band(self, sizes: ArrayLike) -> tuple[Array, Array]:
        """Lower and upper bound (s,), each with one-sided confidence 95 %; the lower one meets 90 % at a90/95."""
        edge = self.contour @ _terms(sizes)
        return _probability(edge.min(axis=0), self.floor), _probability(edge.max(axis=0), self.floor)

    def size_at(self, pod: float) -> tuple[float, float]:
        """The size that is caught so often, and its upper bound of one-sided confidence 95 %; infinite for no such."""
        if pod <= self.floor:
            return 0.0, 0.0
        probit = special.ndtri((pod - self.floor) / (1 - self.floor))
        bound = np.where(
            self.contour[:, 1] > 0, (probit - self.contour[:, 0]) / np.maximum(self.contour[:, 1], _TINY), np.inf
        )
        with np.errstate(over="ignore"):
            return math.exp((probit - self.coefficients[0]) / self.coefficients[1]), float(np.exp(bound.max()))


@dataclass(frozen=True)
class Pod:
    """Probability of detection from defects of known size; a90 and a90/95 have the sizes' unit.

    Neither is told beyond the sizes that were drawn; `note` says why one is missing, or how else a bound was found.
    """

    counts: HitMiss
    curve: Curve | None
    a90: float | None
    a90_95: float | None  # with 95 % confidence a90 is this at most
    note: str = ""


def fit_pod(sizes: ArrayLike, hits: ArrayLike, *, floor: float = 0.0) -> Pod:
    """Fit the probability of detection to defects of sizes (n,) > 0 of which `hits` (n,) were caught.

    `floor` is the share of undamaged images that is flagged, in [0, 1). Bounds come from the likelihood ratio: in
    `benchmarks/detection.py` they cover as often as they say, and Wald's do not. Where all, none, or exactly those from
    some size on were caught no curve can be fitted; a90/95 is then the size from which an exact binomial bound at every
    size says 90 % (29 of 29 caught). Raises `GadError` for no defect and for values outside.
    """
    counts = HitMiss.of(sizes, hits, floor)
    if floor >= POD:
        return Pod(counts, None, None, None, f"{floor:.0%} of the undamaged images are flagged as well")
    if not counts.hits.any():
        return Pod(counts, None, None, None, f"none of {counts.caught.n} was caught")
    found = _fitted(counts)
    if found is None:
        bound = _binomial_bound(counts)
        return Pod(counts, None, None, bound, _why_no_curve(counts, bound))
    coefficients, rays = found
    if coefficients[1] <= 0:
        return Pod(counts, None, None, None, "larger defects were not caught more often than small ones")
    curve = Curve(coefficients, _contour(counts, coefficients, rays), floor, _lack_of_fit(counts, coefficients))
    return _within(counts, curve)


def _why_no_curve(counts: HitMiss, bound: float | None) -> str:
    """What the counts say without a curve."""
    last = counts.rates[-1]
    if last.value < POD:
        return f"{last.count} of {last.n} are caught at the largest size, too few for a curve"
    if bound == counts.sizes[0]:
        return "all sizes are caught: the bound is the smallest one, by an exact binomial bound there"
    exact = "; the bound is an exact binomial one at that size" if bound else ""
    return f"the rise lies between two of the sizes, where no defect was drawn{exact}"


def _within(counts: HitMiss, curve: Curve) -> Pod:
    """Tell the sizes that lie within those drawn."""
    a90, bound = curve.size_at(POD)
    smallest, largest = float(counts.sizes[0]), float(counts.sizes[-1])
    if a90 > largest:
        return Pod(counts, curve, None, None, f"at the largest size {curve.at([largest])[0]:.0%} are caught")
    if bound < smallest:
        return Pod(counts, curve, None, smallest, "90 % are caught from below the smallest size on")
    if a90 < smallest:
        note = "90 % are caught from below the smallest size on"
        return Pod(counts, curve, None, bound if bound <= largest else None, note)
    if bound > largest:
        return Pod(counts, curve, a90, None, "the bound lies above the largest size; draw more, or larger ones")
    return Pod(counts, curve, a90, bound)


@dataclass(frozen=True)
class _Floored:
    """A normal law that begins at `floor`, as the three functions that a link is made of."""

    floor: float

    def cdf(self, z: Array) -> Array:
        return _probability(z, self.floor)

    def ppf(self, p: Array) -> Array:
        return np.asarray(special.ndtri(np.clip((p - self.floor) / (1 - self.floor), _TINY, 1 - _TINY)))

    def pdf(self, z: Array) -> Array:
        return np.asarray((1 - self.floor) * stats.norm.pdf(z))


def _fitted(counts: HitMiss) -> tuple[Array, Array] | None:
    """Coefficients (2,) and their standard ellipse (A, 2) about them; None where the likelihood has no maximum."""
    from statsmodels.genmod.families import Binomial  # noqa: PLC0415 - half a second, and only a fit needs it
    from statsmodels.genmod.families.links import CDFLink  # noqa: PLC0415
    from statsmodels.genmod.generalized_linear_model import GLM  # noqa: PLC0415

    missed = counts.draws - counts.hits
    if not missed.any() or counts.sizes[missed > 0].max() <= counts.sizes[counts.hits > 0].min():
        return None
    outcomes, start = np.stack([counts.hits, missed], axis=1), None
    angles = 2 * np.pi * np.arange(_ANGLES) / _ANGLES
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what did not converge is told below
        for floor in dict.fromkeys((0.0, counts.floor)):  # without a floor the likelihood is concave
            family = Binomial(link=CDFLink(_Floored(floor)))
            found = GLM(outcomes, _terms(counts.sizes).T, family=family).fit(start_params=start, maxiter=_ITERATIONS)
            start = found.params
    slope, widest = float(found.params[1]), float(np.diff(np.log(counts.sizes)).max(initial=0.0))
    if not found.converged or not abs(slope) * widest <= _STEEP:
        return None
    rays = np.stack([np.cos(angles), np.sin(angles)], axis=1) @ np.linalg.cholesky(found.cov_params()).T
    axes = rays[[0, _ANGLES // 4]]  # in which the likelihood is about round
    likely = optimize.minimize(
        lambda step: -counts.penalised((found.params + step @ axes)[None])[0], np.zeros(2), method="Nelder-Mead"
    )
    return np.asarray(found.params + likely.x @ axes), rays


def _contour(counts: HitMiss, best: Array, rays: Array) -> Array:
    """Coefficients (A, 2) on the edge of the region that the likelihood ratio does not refute.

    The extremes of any size or POD over it are the bounds of its profile likelihood: one degree of freedom.
    """
    limit = counts.penalised(best[None])[0] - stats.chi2.ppf(2 * CONFIDENCE - 1, 1) / 2
    inside, outside = np.zeros(_ANGLES), np.ones(_ANGLES)
    while (within := counts.penalised(best + outside[:, None] * rays) > limit).any() and outside.max() < _FAR:
        outside = np.where(within, 2 * outside, outside)
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2
        within = counts.penalised(best + middle[:, None] * rays) > limit
        inside, outside = np.where(within, middle, inside), np.where(within, outside, middle)
    return np.asarray(best + inside[:, None] * rays)


def _lack_of_fit(counts: HitMiss, coefficients: Array) -> float | None:
    """Pearson's chi-square of the sizes at which both hits and misses are to be expected, less two parameters."""
    p = _probability(coefficients @ _terms(counts.sizes), counts.floor)
    spread = counts.draws * p * (1 - p)
    telling = spread >= _EXPECTED
    if telling.sum() < 3:
        return None
    squares = np.square(counts.hits - counts.draws * p)[telling] / spread[telling]
    return float(stats.chi2.sf(squares.sum(), telling.sum() - 2))


def _binomial_bound(counts: HitMiss) -> float | None:
    """The smallest size from which on the exact lower bound at every size is 90 % at least."""
    low = stats.beta.ppf(1 - CONFIDENCE, counts.hits, np.maximum(counts.draws - counts.hits, 0) + 1)
    short = np.flatnonzero(~(np.nan_to_num(low) >= POD))
    enough = counts.sizes[short[-1] + 1 :] if len(short) else counts.sizes
    return float(enough[0]) if len(enough) else None


def _terms(sizes: ArrayLike) -> Array:
    """What the coefficients multiply at sizes (s,): (2, s)."""
    a = np.asarray(sizes, np.float64)
    return np.stack([np.ones_like(a), np.log(a)])


def _probability(probit: Array, floor: float) -> Array:
    return np.asarray(floor + (1 - floor) * special.ndtr(probit))
