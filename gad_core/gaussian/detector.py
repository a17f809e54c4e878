"""A fitted detector: one Gaussian per level, and what the left-out folds saw, at every cut, without a new fit."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import reduce
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gad_core.data.augment import Augmentation
from gad_core.errors import GadError
from gad_core.progress import Progress
from gad_core.features.backbones import Backbone
from gad_core.gaussian.moments import Moments
from gad_core.gaussian.reduction import Reduction
from gad_core.gaussian.spectrum import (
    Array,
    Coordinates,
    Distance,
    Gaussian,
    Spectrum,
    fit_gaussian,
    fit_moments,
    squared_sed,
)
from gad_core.gaussian.spool import Spool
from gad_core.gaussian.tuning import Tuning, recommended

#: Two images to fit a fold and one to leave out of it.
MIN_IMAGES = 3


@dataclass(frozen=True)
class LeftOut:
    """One fold at one level: the spectrum fitted without the fold's images, and those images seen from it."""

    spectrum: Spectrum
    coordinates: Coordinates


@dataclass(frozen=True)
class TrainingImages:
    """What is kept of the normal images behind a detector."""

    features: NDArray[np.float32]  # (n, sum of channels), un-augmented
    digests: tuple[str, ...]  # SHA-256 of the files
    groups: tuple[str | None, ...] | None = None  # lot, session or camera

    def __getitem__(self, rows: NDArray[np.bool_]) -> "TrainingImages":
        where = np.flatnonzero(rows)
        groups = self.groups
        return TrainingImages(
            self.features[where],
            tuple(self.digests[i] for i in where),
            tuple(groups[i] for i in where) if groups else None,
        )

    def __add__(self, other: "TrainingImages") -> "TrainingImages":
        groups = None
        if self.groups or other.groups:
            groups = tuple(g for one in (self, other) for g in one.groups or (None,) * len(one.digests))
        return TrainingImages(np.concatenate([self.features, other.features]), self.digests + other.digests, groups)


@dataclass(frozen=True)
class Augmented:
    """How many augmented copies of every normal image a fit has seen, and what was done to them."""

    settings: Augmentation
    passes: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for a file."""
        return asdict(self)

    @classmethod
    def of_dict(cls, values: Mapping[str, Any]) -> "Augmented":
        """Read them back."""
        return cls(Augmentation.from_json(values["settings"]), values["passes"])


@dataclass(frozen=True)
class Adopted:
    """The threshold that a person chose for this detector, with its provenance."""

    level: str  # "sum" or a level's number
    method: str
    target_fpr: float
    threshold: float
    how: str


@dataclass(frozen=True)
class Detector:
    """Everything that scoring, tuning and explaining need; saved as one file."""

    backbone: str
    fingerprint: str  # of the weights and the preprocessing
    slices: tuple[slice, ...]  # of each level in the feature vector
    tuning: Tuning
    seed: int
    training: TrainingImages
    gaussians: tuple[Gaussian, ...]  # by level
    folds: NDArray[np.intp]  # (n,) the fold in which each training image was left out
    left_out: tuple[tuple[LeftOut, ...], ...]  # [level][fold]
    references: NDArray[np.uint8] | None = None  # (m, S, S, 3) normal images at network size
    calibration: TrainingImages | None = None  # separate normal images for the split-conformal threshold
    adopted: Adopted | None = None
    augmented: Augmented | None = None  # None: the fit saw the images as they are

    @property
    def n_train(self) -> int:
        """Number of normal images behind the fit."""
        return len(self.folds)

    @property
    def n_levels(self) -> int:
        """Number of levels of the backbone."""
        return len(self.gaussians)

    def check_weights(self, fingerprint: str) -> None:
        """Refuse a network whose weights are not those of the fit: its distances would mean nothing."""
        if fingerprint != self.fingerprint:
            raise GadError(
                f"the weights of {self.backbone} here ({fingerprint[:8]}) are not those that this detector was fitted "
                f"with ({self.fingerprint[:8]}); provide the same weights, or fit again"
            )

    def coordinates(self, features: NDArray[np.float32]) -> tuple[Coordinates, ...]:
        """See feature vectors (n, sum of channels) from every level; compute once, score at any cut."""
        return tuple(g.coordinates(features[:, part]) for g, part in zip(self.gaussians, self.slices, strict=True))

    def distances(
        self, coordinates: Sequence[Coordinates], reduction: Reduction, *, distance: Distance = "mahalanobis"
    ) -> NDArray[np.float64]:
        """Distance of every image at every level after a cut: (n, L)."""
        columns = [
            g.spectrum.distances(c, reduction, distance=distance)
            for g, c in zip(self.gaussians, coordinates, strict=True)
        ]
        return np.stack(columns, axis=1)

    def left_out_distances(self, reduction: Reduction, *, distance: Distance = "mahalanobis") -> NDArray[np.float64]:
        """Distance of every training image from the Gaussian of the folds without it: (n, L)."""
        return self.left_out_tables([reduction], distance=distance)[..., 0]

    def left_out_tables(
        self, reductions: Sequence[Reduction], *, distance: Distance = "mahalanobis"
    ) -> NDArray[np.float64]:
        """The same at many cuts: (n, L, len(reductions)), in the full fit's number of dimensions.

        Where images are fewer than features, a fold has fewer components to keep than the full fit: its squared
        distances, about one per dimension, are stretched by k / k_fold. L2 keeps a share of the variance instead.
        """
        table = np.empty((self.n_train, self.n_levels, len(reductions)))
        for level, by_fold in enumerate(self.left_out):
            spectrum = self.gaussians[level].spectrum
            for rows, fold in zip(fold_rows(self.folds), by_fold, strict=True):
                table[rows, level] = fold.spectrum.distance_table(fold.coordinates, reductions, distance=distance)
                if distance != "l2":
                    table[rows, level] *= [
                        np.sqrt(spectrum.dimension(k) / fold.spectrum.dimension(k)) for k in reductions
                    ]
        return table

    def scores(self, features: NDArray[np.float32], tuning: Tuning | None = None) -> NDArray[np.float64]:
        """Anomaly score (n,): the sum over the tuned levels (eq. 4)."""
        tuning = tuning or self.tuning
        return sum_levels(
            self.distances(self.coordinates(features), tuning.reduction, distance=tuning.distance), tuning.levels
        )


def sum_levels(distances: NDArray[np.float64], levels: Sequence[int]) -> NDArray[np.float64]:
    """Sum the distances (n, L) over 1-based `levels` (eq. 4): (n,)."""
    return np.asarray(distances[:, np.asarray(levels) - 1].sum(axis=1))


def fold_rows(folds: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """Rows of each fold, by fold id."""
    return [np.flatnonzero(folds == fold) for fold in range(int(folds.max()) + 1)]


def fit_detector(
    training: TrainingImages,
    backbone: Backbone,
    *,
    fingerprint: str,
    folds: NDArray[np.intp],
    tuning: Tuning | None = None,
    references: NDArray[np.uint8] | None = None,
    calibration: TrainingImages | None = None,
    augmented: Augmented | None = None,
    spool: Spool | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Detector:
    """Fit a Gaussian per level to all normal images, and again without each fold to score the images left out.

    With a `spool` the Gaussians are those of the augmented copies in it, and the left-out images are scored as they
    are; copies of a left-out image are left out with it. `folds` (n,) holds ids 0..K-1, K >= 2. Raises `GadError`
    below three images. Sec. III-A; DESIGN.md decision 8.
    """
    n = len(training.features)
    if n < MIN_IMAGES:
        raise GadError(
            f"need at least {MIN_IMAGES} normal images, two to fit and one to leave out, got {n}; add normal images"
        )
    if folds.max() < 1:
        raise GadError("need at least 2 folds or groups, so that each can be left out of a fit; got 1")
    rows = fold_rows(folds)
    largest = max(map(len, rows))
    if n - largest < 2:
        raise GadError(
            f"leaving out a fold of {largest} images leaves {n - largest} of {n} to fit; use more folds or groups"
        )
    total = len(backbone.level_slices) * (1 + len(rows))
    done = 0

    def advance() -> None:
        nonlocal done
        done += 1
        if progress:
            progress(done, total)

    gaussians: list[Gaussian] = []
    left_out: list[tuple[LeftOut, ...]] = []
    for part in backbone.level_slices:
        X = training.features[:, part].astype(np.float64)
        if spool:
            gaussian, by_fold = _fit_copies(X, spool, part, rows, advance)
        else:
            gaussian, by_fold = _fit_images(X, rows, advance)
        gaussians.append(gaussian)
        left_out.append(by_fold)
    return Detector(
        backbone.name,
        fingerprint,
        backbone.level_slices,
        tuning or recommended(backbone),
        seed,
        training,
        tuple(gaussians),
        folds,
        tuple(left_out),
        references,
        calibration,
        augmented=augmented,
    )


Fitted = tuple[Gaussian, tuple[LeftOut, ...]]


def _fit_images(X: Array, rows: Sequence[NDArray[np.intp]], advance: Callable[[], None]) -> Fitted:
    """One level of the images as they are (n, D)."""
    # The matrices are small: more threads than one cost twice the processor time and, on a busy machine, seconds.
    with threadpool_limits(1, "blas"):
        gaussian = fit_gaussian(X)
        advance()
        # n images span fewer than n dimensions: where that is less than D, the folds are fitted within the span.
        Z = X if len(X) > X.shape[1] else (X - gaussian.mean) @ gaussian.basis
        by_fold = []
        for out in rows:
            by_fold.append(_leave_out(X, Z, out))
            advance()
    return gaussian, tuple(by_fold)


def _fit_copies(
    X: Array, spool: Spool, part: slice, rows: Sequence[NDArray[np.intp]], advance: Callable[[], None]
) -> Fitted:
    """One level of the augmented copies: each fold's moments are what the others' leave of the whole."""
    shift, everyone = X.mean(0), np.arange(len(X))

    def moments(of: NDArray[np.intp]) -> Moments:
        return reduce(add, (Moments.of(batch, shift=shift) for batch in spool.batches(part, of)))

    whole = moments(everyone)
    gaussian = fit_moments(whole, spool.batches(part, everyone))
    advance()
    by_fold = []
    for out in rows:
        fold = fit_moments(whole - moments(out), spool.batches(part, np.delete(everyone, out)))
        by_fold.append(LeftOut(fold.spectrum, fold.coordinates(X[out])))
        advance()
    return gaussian, tuple(by_fold)


def _leave_out(X: Array, Z: Array, out: NDArray[np.intp]) -> LeftOut:
    """Fit without the rows `out` and see them from that fit; Z (n, r) are isometric coordinates of X (n, D)."""
    rest = np.delete(X, out, axis=0)
    fold = fit_gaussian(np.delete(Z, out, axis=0), n_features=X.shape[1])
    sed2 = squared_sed(X[out] - rest.mean(0), rest.var(0, ddof=1))
    return LeftOut(fold.spectrum, replace(fold.coordinates(Z[out]), sed2=sed2))
