"""The generalised Pareto law: many samples fitted at once, and how well it describes one.

With theta = shape / scale the likelihood has one unknown left: the shape that fits best is the mean of
log(1 + theta x). Source: Grimshaw 1993, Technometrics 35, Computing maximum likelihood estimates for the generalized
Pareto distribution.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]

#: Shapes that are allowed: below, the likelihood is no longer regular (Smith 1985, Biometrika 72); above, there is no
#: mean.
SHAPES = (-0.5, 1.0)

# The grid of theta * mean(x): from just above -mean / max, where the density ends at the largest x, ever wider apart.
_FINEST, _FURTHEST, _EDGE = 0.05, 20.0, 1e-6
_POINTS, _ZOOMS = 33, 4  # each zoom narrows the grid to a sixteenth: theta is found to 1e-5 of its range
_NEAR_ZERO = 1e-9  # theta * mean(x) below which the law is exponential to all digits
_DRAWS, _ENOUGH = 499, 100  # the law of A2 hardly changes above some 25 exceedances (Choulakian & Stephens 2001)
_SHAPE_STEP = 0.05


@dataclass(frozen=True)
class Fits:
    """Laws of b samples: shape and scale (b,)."""

    shape: Array
    scale: Array


def theta_grid(x: Array, points: int) -> Array:
    """Values of theta (b, points) for samples x (b, k) >= 0, dense where it is small."""
    low, high = _ends(x)
    return _theta(x, low + (high - low) * np.linspace(0, 1, points))


def log_terms(x: Array, theta: Array) -> Array:
    """Sums (b, t) of log(1 + theta x) over samples x (b, k), for theta (b, t)."""
    return np.asarray(np.log1p(theta[:, :, None] * x[:, None, :]).sum(axis=-1))


def fit(x: Array) -> Fits:
    """Laws of greatest likelihood with a shape in `SHAPES` for samples x (b, k) >= 0, none of them all zero."""
    k = x.shape[1]
    low, high = _ends(x)
    for _ in range(_ZOOMS):
        places = low + (high - low) * np.linspace(0, 1, _POINTS)  # (b, points)
        theta = _theta(x, places)
        terms = log_terms(x, theta)
        shape = np.where(theta < 0, np.maximum(terms / k, SHAPES[0]), np.minimum(terms / k, SHAPES[1]))
        likelihood = -k * np.log(shape / theta) - (1 + 1 / shape) * terms
        best = likelihood.argmax(axis=1, keepdims=True)
        middle, step = np.take_along_axis(places, best, axis=1), (high - low) / (_POINTS - 1)
        low, high = np.maximum(middle - step, 0), middle + step
    theta, shape = (np.take_along_axis(one, best, axis=1)[:, 0] for one in (theta, shape))
    return Fits(shape, shape / theta)


def anderson_darling(x: Array, fits: Fits) -> Array:
    """A2 (b,) of rising samples x (b, k) before their fitted laws; it looks at both ends more than at the middle."""
    k = x.shape[1]
    survival = stats.genpareto.sf(x, fits.shape[:, None], scale=fits.scale[:, None])
    below, above = (np.log(np.maximum(part, np.finfo(float).tiny)) for part in (1 - survival, survival))
    return np.asarray(-k - ((2 * np.arange(k) + 1) * (below + above[:, ::-1])).mean(axis=1))


def fit_p_value(x: Array, fits: Fits) -> float:
    """Chance that a sample of the fitted law, fitted itself, has as large an A2 as the rising x (1, k).

    By parametric bootstrap. The scale does not matter, and the shape is rounded, so that draws serve many samples.
    """
    null = _null(min(x.shape[1], _ENOUGH), round(float(fits.shape[0]) / _SHAPE_STEP))
    return float((1 + np.count_nonzero(null >= anderson_darling(x, fits)[0])) / (1 + len(null)))


@lru_cache(maxsize=64)
def _null(k: int, steps: int) -> Array:
    rng = np.random.default_rng((k, steps + 100))
    x = np.sort(stats.genpareto.rvs(steps * _SHAPE_STEP, size=(_DRAWS, k), random_state=rng), axis=1)
    return anderson_darling(x, fit(x))


def _ends(x: Array) -> tuple[Array, Array]:
    """Both ends (b, 1) of the grid's places."""
    room = _FURTHEST + (x.mean(axis=1) / x.max(axis=1))[:, None]
    return np.zeros_like(room), np.log1p(room / _FINEST)


def _theta(x: Array, places: Array) -> Array:
    """From places on the even grid to theta (b, t)."""
    mean, end = (one[:, None] for one in (x.mean(axis=1), x.mean(axis=1) / x.max(axis=1)))
    scaled = -end * (1 - _EDGE) + _FINEST * np.expm1(places)
    return np.asarray(np.where(np.abs(scaled) < _NEAR_ZERO, _NEAR_ZERO, scaled) / mean)
