"""One eigendecomposition per level, from which every PCA and NPCA setting of the Gaussian is read off."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from gad_core.errors import GadError
from gad_core.gaussian.moments import Moments, ledoit_wolf
from gad_core.gaussian.reduction import Reduction
from gad_core.gaussian.tuning import Distance

Array = NDArray[np.float64]

#: Eigenvalues below this share of the largest are null: where more were kept, float32 noise in the network's stem
#: made engines disagree by 5 %.
NULL_RATIO = 1e-10

_ROWS = 512  # images whose coordinates are worked on at a time; a fit of fewer holds them all


@dataclass(frozen=True)
class Coordinates:
    """Images in one eigenbasis: all that any distance after any reduction needs of them."""

    z2: Array  # (n, r) squared coordinates in the eigenbasis, by falling eigenvalue
    null: Array  # (n,) squared length outside the eigenbasis
    sed2: Array  # (n,) squared standardised Euclidean distance over the plain features (eq. 7)

    def __getitem__(self, rows: NDArray[np.intp] | NDArray[np.bool_] | slice) -> "Coordinates":
        return Coordinates(self.z2[rows], self.null[rows], self.sed2[rows])

    def __add__(self, other: "Coordinates") -> "Coordinates":
        """These images and further ones."""
        pairs = ((self.z2, other.z2), (self.null, other.null), (self.sed2, other.sed2))
        return Coordinates(*(np.concatenate(pair) for pair in pairs))


@dataclass(frozen=True)
class Spectrum:
    """Eigenvalues of a level's covariance and the Ledoit-Wolf shrinkage of every run of components.

    In the eigenbasis the shrunk covariance is diagonal, so for kept components S
    M^2 = sum_S z_j^2 / ((1 - rho_S) lambda_j + rho_S mean(lambda_S)).
    """

    n: int
    n_features: int
    eigenvalues: Array  # (r,) falling, of the 1/n covariance, null directions left out
    head: Array  # (r + 1,) shrinkage when the first k components are kept (PCA)
    tail: Array  # (r + 1,) shrinkage when the first k components are dropped (NPCA)
    whole: float  # shrinkage in the whole R^D, null space included ("all")

    @classmethod
    def of(cls, eigenvalues: Array, z2: Array, *, n_features: int) -> "Spectrum":
        """Tabulate the shrinkages from the training images' own squared coordinates z2 (n, r)."""
        return cls.of_fourths(eigenvalues, *fourths(z2), n=len(z2), n_features=n_features)

    @classmethod
    def of_fourths(cls, eigenvalues: Array, head: Array, tail: Array, *, n: int, n_features: int) -> "Spectrum":
        """Tabulate them from the sums that `fourths` gives, added up over all n images."""

        def shrinkage(fourth: Array, values: Array) -> Array:
            sums = np.concatenate([[0.0], np.cumsum(values)])
            squares = np.concatenate([[0.0], np.cumsum(values**2)])
            return ledoit_wolf(fourth, sums, squares, n=n, dimension=np.maximum(np.arange(len(sums)), 1))

        whole = ledoit_wolf(
            float(tail[0]),
            float(eigenvalues.sum()),
            float(eigenvalues @ eigenvalues),
            n=n,
            dimension=n_features,
        )
        return cls(
            n,
            n_features,
            eigenvalues,
            shrinkage(head, eigenvalues),
            shrinkage(tail[::-1], eigenvalues[::-1])[::-1].copy(),
            float(whole),
        )

    @property
    def n_null(self) -> int:
        """Directions of R^D in which the normal images do not vary."""
        return self.n_features - len(self.eigenvalues)

    @cached_property
    def cumulative_ratio(self) -> Array:
        """Cumulative explained-variance ratio (r,)."""
        cumulative = np.cumsum(self.eigenvalues)
        return np.asarray(cumulative / cumulative[-1])

    def components(self, reduction: Reduction) -> slice:
        """The run of components that the reduction keeps here."""
        return reduction.components(self.cumulative_ratio)

    def dimension(self, reduction: Reduction) -> int:
        """Dimension k of the Gaussian after the reduction: D for "all", else the number of components kept."""
        kept = self.components(reduction)
        return self.n_features if reduction.kind == "all" else kept.stop - kept.start

    def shrinkage(self, reduction: Reduction) -> float:
        """Ledoit-Wolf shrinkage of the kept covariance, in [0, 1]."""
        return self._shrinkage(reduction.kind, self.components(reduction))

    def precision(self, reduction: Reduction, distance: Distance = "mahalanobis") -> tuple[slice, Array, float]:
        """Kept components, their weights in the squared distance, and the weight of the null space."""
        kept = self.components(reduction)
        values = self.eigenvalues[kept]
        whole = reduction.kind == "all"
        if distance == "l2":
            return kept, np.ones(len(values)), float(whole)
        if distance == "sed":
            return kept, (self.n - 1) / (self.n * values), 0.0
        rho = self._shrinkage(reduction.kind, kept)
        floor = rho * float(values.sum()) / (self.n_features if whole else len(values))
        return kept, 1 / ((1 - rho) * values + floor), 1 / floor if whole and self.n_null else 0.0

    def _shrinkage(self, kind: str, kept: slice) -> float:
        if kind == "all":
            return self.whole
        return float(self.head[kept.stop] if kind == "pca" else self.tail[kept.start])

    def distances(self, coordinates: Coordinates, reduction: Reduction, *, distance: Distance = "mahalanobis") -> Array:
        """Distance of every image (n,): Mahalanobis (eq. 3), SED (eq. 7) or L2, after the reduction."""
        if distance == "sed" and reduction.kind == "all":
            return np.sqrt(coordinates.sed2)
        kept, weights, null_weight = self.precision(reduction, distance)
        d2 = coordinates.z2[:, kept] @ weights
        if null_weight:
            d2 += null_weight * coordinates.null
        return np.sqrt(d2, out=d2)

    def distance_table(
        self, coordinates: Coordinates, reductions: Sequence[Reduction], *, distance: Distance = "mahalanobis"
    ) -> Array:
        """Distances (n, len(reductions)) after many reductions in one product; `distances` is a column, to rounding."""
        weights = np.zeros((len(self.eigenvalues), len(reductions)))
        null_weights = np.zeros(len(reductions))
        for column, reduction in enumerate(reductions):
            kept, weights[kept, column], null_weights[column] = self.precision(reduction, distance)
        table = np.sqrt(coordinates.z2 @ weights + np.outer(coordinates.null, null_weights))
        if distance == "sed":
            table[:, [reduction.kind == "all" for reduction in reductions]] = np.sqrt(coordinates.sed2)[:, None]
        return table


@dataclass(frozen=True)
class Gaussian:
    """A multivariate Gaussian fitted to the pooled features of one level."""

    mean: Array  # (D,)
    basis: Array  # (D, r) orthonormal columns by falling eigenvalue
    variance: Array  # (D,) unbiased variance of every plain feature, for SED
    spectrum: Spectrum

    def coordinates(self, X: NDArray[np.floating]) -> Coordinates:
        """Squared coordinates of the rows of X (n, D)."""
        n, r = len(X), self.basis.shape[1]
        z2, null, sed2 = np.empty((n, r)), np.empty(n), np.empty(n)
        for rows in _blocks(n, _ROWS):
            Y = X[rows].astype(np.float64) - self.mean
            np.square(Y @ self.basis, out=z2[rows])
            null[rows] = np.maximum(np.einsum("ij,ij->i", Y, Y) - z2[rows].sum(1), 0.0)
            sed2[rows] = squared_sed(Y, self.variance)
        return Coordinates(z2, null, sed2)

    def whitening(self, reduction: Reduction, distance: Distance = "mahalanobis") -> Array:
        """The linear map (D, K) after which the distance is the Euclidean length."""
        if distance == "sed" and reduction.kind == "all":
            varies = self.variance > NULL_RATIO * self.variance.max()
            return np.diag(np.where(varies, 1 / np.sqrt(np.where(varies, self.variance, 1.0)), 0.0))
        kept, weights, null_weight = self.spectrum.precision(reduction, distance)
        columns = [self.basis[:, kept] * np.sqrt(weights)]
        if null_weight:  # the part of a vector that lies outside the eigenbasis, by projection: never negative
            columns.append(np.sqrt(null_weight) * (np.eye(len(self.mean)) - self.basis @ self.basis.T))
        return np.concatenate(columns, axis=1)


def fourths(z2: Array) -> tuple[Array, Array]:
    """Sums over the images of the squared energy in the first k components, and in all but them: (r + 1,) each.

    `z2` (n, r) are squared coordinates in an eigenbasis. The sums of several sets of images add up.
    """
    n, r = z2.shape
    head, tail = np.zeros(r + 1), np.zeros(r + 1)
    for rows in _blocks(n, _ROWS):
        part = z2[rows]
        from_large, from_small = np.cumsum(part, axis=1), np.cumsum(part[:, ::-1], axis=1)  # no cancellation in either
        head[1:] += np.einsum("ij,ij->j", from_large, from_large)
        tail[:-1] += np.einsum("ij,ij->j", from_small, from_small)[::-1]
    return head, tail


def squared_sed(Y: Array, variance: Array) -> Array:
    """Squared standardised Euclidean length of the rows of Y (n, D), eq. 7; features that never vary are left out."""
    varies = variance > NULL_RATIO * variance.max()
    return np.asarray(np.square(Y[:, varies]) @ (1 / variance[varies]))


def fit_gaussian(
    X: NDArray[np.floating], *, without: NDArray[np.intp] | None = None, n_features: int | None = None
) -> Gaussian:
    """Fit mean, eigenbasis and every Ledoit-Wolf shrinkage to X (n, D), or to all but some of its rows; n < D is fine.

    Equals scikit-learn's PCA, selection and LedoitWolf at every reduction (Sec. III-A, III-B4). Where X holds
    coordinates within a subspace, `n_features` is the dimension of the whole space. Of far more images than features a
    block is in hand at a time, beside X. Raises `GadError` below two images, for values that are not finite, and where
    all images are the same.
    """
    rows = np.arange(len(X)) if without is None else np.delete(np.arange(len(X)), without)
    if len(rows) > max(_ROWS, 3 * X.shape[1] // 2):
        return _fit_many(X, rows, n_features)
    if without is not None:
        X = X[rows]
    n = len(X)
    _check(n, finite=bool(np.isfinite(X).all()))
    mean = X.mean(0, dtype=np.float64)
    Y = X.astype(np.float64) - mean
    # The singular values of Y keep the small eigenvalues, which discriminate, to full relative precision; an
    # eigendecomposition of the covariance would square its rounding error into them.
    # NumPy's, for SciPy's does not let go of the interpreter: a fit would stop every page for as long as it takes.
    left, singular, right = np.linalg.svd(Y, full_matrices=False)
    eigenvalues = np.square(singular) / n
    varies = _varying(eigenvalues, mean, n)
    z2 = np.square(left[:, varies] * singular[varies])
    spectrum = Spectrum.of(eigenvalues[varies], z2, n_features=n_features or X.shape[1])
    return Gaussian(mean, np.ascontiguousarray(right[varies].T), np.square(Y).sum(0) / (n - 1), spectrum)


@dataclass(frozen=True)
class Eigenbasis:
    """Mean and eigenbasis of a covariance, before the samples have told how far to shrink it."""

    n: int
    mean: Array  # (D,)
    basis: Array  # (D, r)
    eigenvalues: Array  # (r,) falling
    variance: Array  # (D,) unbiased

    @classmethod
    def of(cls, moments: Moments) -> "Eigenbasis":
        """Raises as `fit_gaussian` does."""
        n, mean = moments.n, moments.mean
        _check(n, finite=bool(np.isfinite(moments.second).all()))
        covariance = moments.covariance
        rising, vectors = scipy.linalg.eigh(covariance, check_finite=False)
        varies = _varying(rising[::-1], mean, n)
        basis = np.ascontiguousarray(vectors[:, ::-1][:, varies])
        # Of a feature that never varies, merged moments may leave a rounding below zero.
        variance = np.maximum(np.diag(covariance), 0.0) * (n / (n - 1))
        return cls(n, mean, basis, rising[::-1][varies].copy(), variance)

    def fourths(self, X: NDArray[np.floating]) -> tuple[Array, Array]:
        """What the rows of X (m, D) add to the sums that `gaussian` needs, as `fourths` gives them."""
        return fourths(np.square((X.astype(np.float64) - self.mean) @ self.basis))

    def gaussian(self, head: Array, tail: Array, *, n_features: int | None = None) -> Gaussian:
        """The Gaussian, given those sums over all samples; `n_features` as for `fit_gaussian`."""
        n_features = n_features or len(self.mean)
        spectrum = Spectrum.of_fourths(self.eigenvalues, head, tail, n=self.n, n_features=n_features)
        return Gaussian(self.mean, self.basis, self.variance, spectrum)


def _fit_many(X: NDArray[np.floating], rows: NDArray[np.intp], n_features: int | None) -> Gaussian:
    """The same fit: singular values of Y are those of its triangular factor, which grows block by block."""
    n, D = len(rows), X.shape[1]
    size = max(2 * D, _ROWS)  # so many that a factor of theirs is worth its while
    mean = sum((X[rows[block]].sum(0, dtype=np.float64) for block in _blocks(n, size)), np.zeros(D)) / n
    _check(n, finite=bool(np.isfinite(mean).all()))
    stacked = np.zeros((D + size, D))  # the factor so far, and a block below it
    squares = np.zeros(D)
    for block in _blocks(n, size):
        part = rows[block]
        Y = np.subtract(X[part], mean, out=stacked[D : D + len(part)])
        squares += np.einsum("ij,ij->j", Y, Y)
        stacked[:D] = np.linalg.qr(stacked[: D + len(part)], mode="r")
    _, singular, right = np.linalg.svd(stacked[:D])
    eigenvalues = np.square(singular) / n
    varies = _varying(eigenvalues, mean, n)
    basis = Eigenbasis(n, mean, np.ascontiguousarray(right[varies].T), eigenvalues[varies], squares / (n - 1))
    parts = [basis.fourths(X[rows[block]]) for block in _blocks(n, _ROWS)]
    head, tail = (np.sum(sums, axis=0) for sums in zip(*parts, strict=True))
    return basis.gaussian(head, tail, n_features=n_features)


def _blocks(n: int, size: int) -> Iterator[slice]:
    """Runs of so many of n rows."""
    return (slice(start, start + size) for start in range(0, n, size))


def _check(n: int, *, finite: bool) -> None:
    if n < 2:
        raise GadError(f"need at least 2 normal images to fit a covariance, got {n}; add normal images")
    if not finite:
        raise GadError("the features hold values that are not finite; check the network's weights")


def _varying(eigenvalues: Array, mean: Array, n: int) -> NDArray[np.bool_]:
    """Which of the falling eigenvalues count."""
    varies = eigenvalues > NULL_RATIO * eigenvalues[0]
    varies[n - 1 :] = False  # centring leaves n - 1 directions
    if not varies.any() or eigenvalues[0] <= (np.finfo(np.float32).eps * np.abs(mean).max()) ** 2:
        raise GadError(f"all {n} normal images look the same to the network; add different images of good parts")
    return np.asarray(varies)
