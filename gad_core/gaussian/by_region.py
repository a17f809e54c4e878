"""Gaussians by region: what a level has for the whole image, again for each region of the levels that were kept so."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from threadpoolctl import threadpool_limits

from gad_core.errors import GadError
from gad_core.features.regions import Regions
from gad_core.gaussian.copies import Copies
from gad_core.gaussian.levels import Rows, fold_rows
from gad_core.gaussian.levels_fit import fit_levels
from gad_core.gaussian.pooling import Standard
from gad_core.gaussian.reduction import REDUCTIONS, Reduction
from gad_core.gaussian.spectrum import Array, Gaussian, fit_gaussian
from gad_core.gaussian.tuning import Tuning, check_regional, pool_of
from gad_core.progress import Progress, Stages

_STILL = 1e-5  # of the largest mean: what varies by less is rounding


@dataclass(frozen=True, kw_only=True)
class RegionsFit:
    """A Gaussian for each region of each kept level, and how far left-out normals lie from it at the usual cuts.

    A region that looks the same in all normal images says nothing of what is normal there, and is not `inside`.
    """

    regions: Regions
    inside: tuple[int, ...]  # the regions that count, from 0; A of them
    slices: tuple[tuple[slice, ...], ...]  # [level][place in `inside`] in the feature vector
    features: NDArray[np.float32]  # (n, sum C + by region) of the normal images, un-augmented
    reductions: tuple[Reduction, ...]  # K cuts
    left_out: NDArray[np.float16]  # (n, L, A, K) Mahalanobis distances of each normal image from the fit without it
    stored: tuple[tuple[Gaussian, ...], ...] | None = None  # [level][place]; None: as the features give them

    @cached_property
    def gaussians(self) -> tuple[tuple[Gaussian, ...], ...]:
        """One for each kept level and region that counts."""
        if self.stored is not None:
            return self.stored
        with threadpool_limits(1, "blas"):  # as in the fit, to the last bit
            return tuple(tuple(fit_gaussian(self.features[:, part]) for part in parts) for parts in self.slices)

    @cached_property
    def _standards(self) -> dict[Tuning, Standard]:
        return {}

    def check(self, tuning: Tuning) -> None:
        """Refuse a tuning whose regional score is not known here."""
        check_regional(tuning, self.regions.levels)
        if tuning.reduction not in self.reductions:
            raise GadError(
                f"left-out distances by region are kept for {len(self.reductions)} cuts, and {tuning.reduction} is not "
                "among them; choose one of the slider's, or fit with it"
            )

    def distances(self, features: NDArray[np.float32], tuning: Tuning) -> Array:
        """Distance of every region, summed over the tuned levels: (m, A) from features (m, sum C + by region)."""
        self.check(tuning)
        total = np.zeros((len(features), len(self.inside)))
        for level in tuning.levels:
            index = self.regions.levels.index(level)
            for place, (gaussian, part) in enumerate(zip(self.gaussians[index], self.slices[index], strict=True)):
                coordinates = gaussian.coordinates(features[:, part])
                total[:, place] += gaussian.spectrum.distances(coordinates, tuning.reduction)
        return total

    def tables(self, features: NDArray[np.float32], levels: Sequence[int]) -> Array:
        """Distance of every region at all cuts, summed over levels: (m, A, K)."""
        total = np.zeros((len(features), len(self.inside), len(self.reductions)))
        for level in levels:
            index = self.regions.levels.index(level)
            for place, (gaussian, part) in enumerate(zip(self.gaussians[index], self.slices[index], strict=True)):
                coordinates = gaussian.coordinates(features[:, part])
                total[:, place] += gaussian.spectrum.distance_table(coordinates, self.reductions)
        return total

    def scores(self, features: NDArray[np.float32], tuning: Tuning) -> Array:
        """What the tuning pools of the regions (m,)."""
        return pool_of(tuning)(self.standard(tuning)(self.distances(features, tuning)))

    def left_out_scores(self, tuning: Tuning, folds: Rows) -> Array:
        """The same of every normal image from the fit without its fold of `folds` (n,), on the others' scale."""
        return pool_of(tuning)(self.left_out_standardised(tuning, folds))

    def left_out_distances(self, tuning: Tuning) -> Array:
        """The same of every normal image, from the fit without its fold (n, A)."""
        return np.asarray(self.left_out_by_level(tuning).sum(axis=1))

    def left_out_by_level(self, tuning: Tuning) -> Array:
        """The same, level by tuned level (n, levels, A)."""
        self.check(tuning)
        cut = self.reductions.index(tuning.reduction)
        return np.asarray(self.left_out[..., cut][:, self._rows(tuning)], np.float64)

    def dimensions(self, tuning: Tuning) -> NDArray[np.intp]:
        """Components that the tuning keeps, by tuned level and region (levels, A)."""
        return np.array(
            [[g.spectrum.dimension(tuning.reduction) for g in self.gaussians[row]] for row in self._rows(tuning)]
        )

    def _rows(self, tuning: Tuning) -> list[int]:
        return [self.regions.levels.index(level) for level in tuning.levels]

    def distances_between(self, place: int, features: NDArray[np.float32], tuning: Tuning) -> Array:
        """How far one counting region of images (m, sum C + by region) lies from that of every normal image: (m, n).

        Mahalanobis distances between two images, of the levels together.
        """
        self.check(tuning)
        squared = np.zeros((len(features), len(self.features)))
        for level in tuning.levels:
            index = self.regions.levels.index(level)
            part = self.slices[index][place]
            whiten = self.gaussians[index][place].whitening(tuning.reduction)
            here, normal = (X[:, part].astype(np.float64) @ whiten for X in (features, self.features))
            squared += cdist(here, normal, "sqeuclidean")
        return np.sqrt(squared)

    def standard(self, tuning: Tuning) -> Standard:
        """Each region's scale at a tuning; worked out once, as it takes as long as the distances of ten images."""
        if tuning not in self._standards:
            self._standards[tuning] = Standard.of(self.left_out_distances(tuning))
        return self._standards[tuning]

    def left_out_standardised(self, tuning: Tuning, folds: Rows) -> Array:
        """Left-out distances (n, A) on the scale of the other folds of `folds` (n,), as the scale of all knows each."""
        distances = self.left_out_distances(tuning)
        found = np.empty_like(distances)
        for rows in fold_rows(folds):
            found[rows] = Standard.of(np.delete(distances, rows, axis=0))(distances[rows])
        return found

    def spread(self, tuning: Tuning) -> Array:
        """How far the 90th percentile of left-out distances lies above their median, in medians, by region (A,)."""
        standard = self.standard(tuning)
        return np.asarray(standard.one / np.where(standard.zero > 0, standard.zero, np.inf))

    def maps(self, standardised: Array) -> Array:
        """Lay values (n, A) out on the grid (n, rows, columns); NaN where a region does not count."""
        grid = np.full((len(standardised), self.regions.count), np.nan)
        grid[:, self.inside] = standardised
        return grid.reshape(-1, self.regions.rows, self.regions.columns)


def fit_regions(
    features: NDArray[np.float32],
    regions: Regions,
    level_slices: Sequence[slice],
    folds: Rows,
    *,
    reduction: Reduction,
    usual: Sequence[Reduction] = REDUCTIONS,
    copies: Copies | None = None,
    kept: NDArray[np.bool_] | None = None,
    progress: Progress | None = None,
) -> RegionsFit:
    """Fit every region of every kept level to features (n, sum C + by region), and again without each fold.

    `copies` and `kept` are those of `fit_levels`. Left-out distances are kept at the `usual` cuts and at `reduction`.
    Raises as `fit_levels` does, and `GadError` where no region varies.
    """
    parts = regions.slices(level_slices)
    scored = folds if kept is None else folds[kept]
    inside = [
        place
        for place, of_levels in enumerate(zip(*parts, strict=True))
        if all(_varies(features[:, part], scored) for part in of_levels)
    ]
    if not inside:
        raise GadError(f"all regions of the {len(features)} normal images look the same to the network; add others")
    slices = inside_of(parts, inside)
    reductions = tuple(dict.fromkeys((*usual, reduction)))
    stages = Stages(progress, [len(inside)] * len(slices))
    left_out = np.empty((len(features), len(slices), len(inside), len(reductions)), np.float16)
    gaussians = []
    for index, level in enumerate(slices):
        fitted = fit_levels(features, level, folds, copies=copies, kept=kept, progress=stages(index))
        left_out[:, index] = np.minimum(fitted.left_out_tables(reductions), np.finfo(np.float16).max)
        gaussians.append(fitted.gaussians)
    found = RegionsFit(
        regions=regions,
        inside=tuple(inside),
        slices=slices,
        features=features,
        reductions=reductions,
        left_out=left_out,
        stored=tuple(gaussians) if copies else None,
    )
    found.__dict__["gaussians"] = tuple(gaussians)  # what the property would find by fitting once more
    return found


def inside_of(slices: Sequence[Sequence[slice]], inside: Sequence[int]) -> tuple[tuple[slice, ...], ...]:
    """Keep the chosen regions of each level."""
    return tuple(tuple(level[region] for region in inside) for level in slices)


def _varies(X: NDArray[np.float32], folds: Rows) -> bool:
    """Whether a region (n, C) varies, whichever fold is left out."""
    least = _STILL * float(np.abs(X).max())
    return all(float(np.delete(X, out, axis=0).std(axis=0).max()) > least for out in fold_rows(folds))
