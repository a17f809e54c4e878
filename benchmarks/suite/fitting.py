"""Ledoit-Wolf from moments, and one move of NPCA over nine levels, against scikit-learn."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.covariance import LedoitWolf
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

from benchmarks.suite.rows import Row, faster
from benchmarks.suite.turns import REPEATS, in_turns, once
from gad_core import wording
from gad_core.gaussian.moments import Moments
from gad_core.gaussian.reduction import Reduction
from gad_core.gaussian.spectrum import fit_gaussian

CHANNELS = (32, 16, 24, 40, 80, 112, 192, 320, 1280)
N_TRAIN, N_TEST = 400, 200
_MANY = 40_000  # images of which moments are taken
_ROUNDS = 15  # of moments: scikit-learn's times scatter, with the memory that it asks for
_MOVES = 50  # of which a round's time is the median: one takes a tenth of a millisecond
_WIDTHS = {320: 5.0, 1280: 9.0}  # features, and how many times as fast moments are to be
_REDUCTIONS = ("npca:0.5", "npca:0.05", "npca:0.01", "npca:0.001")
_TARGET = 2000.0  # for the move


def rows(*, quick: bool = False) -> list[Row]:
    """Two lines a width for the moments, a line a reduction for the moves."""
    rng = np.random.default_rng(0)
    widths = {32: 5.0} if quick else _WIDTHS
    many = 2000 if quick else _MANY
    moments = [row for width, target in widths.items() for row in _moments(rng, many, width, target)]
    return moments + _moves(rng, CHANNELS[:4] if quick else CHANNELS, _REDUCTIONS[1:2] if quick else _REDUCTIONS)


def _moments(rng: np.random.Generator, n: int, width: int, target: float) -> list[Row]:
    """What Mahalanobis distances need, on both sides: a mean, a shrunk covariance, its factor or its inverse."""
    X = rng.normal(size=(n, width)) * np.logspace(0, -2, width)
    shift = np.zeros(width)
    known = Moments.of(X, shift=shift)

    def ours(moments: Moments | None = None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        moments = moments or Moments.of(X, shift=shift)
        covariance, shrinkage = moments.covariance, moments.shrinkage
        floor = shrinkage * np.trace(covariance) / width
        covariance *= 1 - shrinkage
        covariance.flat[:: width + 1] += floor
        return covariance, np.linalg.cholesky(covariance)

    np.testing.assert_allclose(ours()[0], LedoitWolf().fit(X).covariance_, rtol=1e-8, atol=1e-12)
    works = {"ours": ours, "from sums": lambda: ours(known), "theirs": lambda: LedoitWolf().fit(X)}
    seconds = in_turns(works, _ROUNDS)
    milliseconds = {"unit": "ms", "scale": 1e3}
    images = f"{n:,} images, D = {width}"
    return [
        faster(f"Ledoit-Wolf of {images}, summing included", seconds["ours"], seconds["theirs"], **milliseconds).aiming(
            target
        ),
        faster(f"Ledoit-Wolf of {images}, from sums", seconds["from sums"], seconds["theirs"], **milliseconds),
    ]


def _moves(rng: np.random.Generator, channels: Sequence[int], reductions: Sequence[str]) -> list[Row]:
    train, query = [], []
    for width in channels:
        mixing = np.linalg.qr(rng.normal(size=(width, width)))[0]
        train.append(simulate(rng, N_TRAIN, width, mixing))
        query.append(simulate(rng, N_TEST, width, mixing))
    gaussians = [fit_gaussian(X) for X in train]
    coordinates = [g.coordinates(X) for g, X in zip(gaussians, query, strict=True)]
    found = []
    for reduction in map(Reduction.parse, reductions):
        chosen = [g.spectrum.components(reduction) for g in gaussians]

        def ours(reduction: Reduction = reduction) -> list[NDArray[np.float64]]:
            return [g.spectrum.distances(c, reduction) for g, c in zip(gaussians, coordinates, strict=True)]

        def theirs(chosen: list[slice] = chosen) -> list[NDArray[np.float64]]:
            return [scikit_learn(X, Q, part) for X, Q, part in zip(train, query, chosen, strict=True)]

        for mine, oracle in zip(ours(), theirs(), strict=True):
            np.testing.assert_allclose(mine, oracle, rtol=1e-8)
        fast, slow = [], []
        for _ in range(REPEATS):
            with threadpool_limits(1, "blas"):  # small products are often faster so: the faster way counts
                alone = once(theirs)
            slow.append(min(alone, once(theirs)))
            fast.append(float(np.median([once(ours) for _ in range(_MOVES)])))
        what = f"{wording.reduction(reduction)} over {len(channels)} levels against PCA and LedoitWolf anew"
        found.append(faster(what, fast, slow, unit="ms", scale=1e3).aiming(_TARGET))
    return found


def simulate(rng: np.random.Generator, n: int, width: int, mixing: NDArray[np.float64]) -> NDArray[np.float64]:
    """Features (n, width) whose variances fall over four orders of magnitude."""
    return np.asarray(rng.normal(size=(n, width)) * np.logspace(0, -2, width) @ mixing)


def scikit_learn(train: NDArray[np.float64], query: NDArray[np.float64], chosen: slice) -> NDArray[np.float64]:
    """What a move costs whoever fits it anew: distances (n,)."""
    pca = PCA(svd_solver="full").fit(train)
    gaussian = LedoitWolf().fit(pca.transform(train)[:, chosen])
    return np.sqrt(np.asarray(gaussian.mahalanobis(pca.transform(query)[:, chosen])))
