"""Bands of a level's spectrum: a squared distance is a sum over components, and so over bands of them, exactly.

d^2 = sum_j w_j z_j^2 splits over any cut of the kept components. Single ones say little, for those of near-equal
eigenvalues turn into each other from fit to fit. A band holds what lies in one of several equal ranges of the logarithm
of the eigenvalues: only their ratios decide what turns into what. Fitted to two halves of the normal images, subspaces
of such bands share 0.48 of their dimensions on average, those of equally many components 0.34 (level 7 of lite0 on
bottle, all components, four bands; on few weak components both find little).
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gad_core.errors import GadError
from gad_core.gaussian.levels import LevelsFit, fold_rows
from gad_core.gaussian.reduction import Reduction
from gad_core.gaussian.spectrum import Array, Coordinates, Gaussian, Spectrum
from gad_core.gaussian.tuning import Distance

#: Bands unless others are asked for.
N_BANDS = 4


@dataclass(frozen=True)
class Band:
    """A run of components of one level, counted from 1 by falling variance.

    Parameters
    ----------
    level : int
        The level, counted from 1.
    first : int
        Its first component.
    last : int
        Its last component.
    variance : float
        Share of the level's variance, in [0, 1].
    null : bool
        Whether it is what lies outside the eigenbasis, where normal images do not vary; only "all" keeps that.
    """

    level: int
    first: int
    last: int
    variance: float
    null: bool = False

    @property
    def n_components(self) -> int:
        """How many components it has."""
        return self.last - self.first + 1


@dataclass(frozen=True)
class LevelBands:
    """The components of one level that a reduction keeps, cut into bands."""

    gaussian: Gaussian
    reduction: Reduction
    distance: Distance
    bands: tuple[Band, ...]

    @classmethod
    def of(
        cls,
        gaussian: Gaussian,
        level: int,
        reduction: Reduction,
        *,
        distance: Distance = "mahalanobis",
        n: int = N_BANDS,
    ) -> "LevelBands":
        """Cut into at most n bands; a range in which no eigenvalue lies gives none, the null space one of its own.

        Raises `GadError` for a distance that is no sum over components, and for no band.
        """
        if distance == "sed" and reduction.kind == "all":
            raise GadError(
                "the standardised Euclidean distance over all features is no sum over components; choose Mahalanobis, "
                "or keep fewer components"
            )
        if n < 1:
            raise GadError(f"a spectrum is cut into at least one band, got {n}")
        spectrum = gaussian.spectrum
        kept, _, null_weight = spectrum.precision(reduction, distance)
        values = spectrum.eigenvalues
        cuts = _above(values[kept], np.geomspace(values[kept][0], values[kept][-1], n + 1)[1:-1])
        ends = kept.start + np.array([0, *cuts, kept.stop - kept.start])
        bands = [
            Band(level, int(start) + 1, int(stop), float(values[start:stop].sum() / values.sum()))
            for start, stop in pairwise(ends)
            if stop > start
        ]
        if null_weight:
            bands.append(Band(level, kept.stop + 1, spectrum.n_features, 0.0, null=True))
        return cls(gaussian, reduction, distance, tuple(bands))

    @property
    def parts(self) -> tuple[slice, ...]:
        """Where each band lies among the columns of `Gaussian.whitening`."""
        start = self.gaussian.spectrum.components(self.reduction).start
        return tuple(slice(band.first - 1 - start, None if band.null else band.last - start) for band in self.bands)

    def squares(self, X: NDArray[np.floating]) -> Array:
        """Squared distance of images X (m, D) by band (m, B); their sum is the squared distance."""
        return self._squares(self.gaussian.spectrum, self.gaussian.coordinates(X))

    def left_out_squares(self, fit: LevelsFit) -> Array:
        """The same of every training image from the Gaussian of the folds without it (n, B), as distances stretched.

        Eigenvalues of a fold belong to the band within whose limits they lie.
        """
        squares = np.empty((fit.n_left_out, len(self.bands)))
        k = self.gaussian.spectrum.dimension(self.reduction)
        for rows, fold in zip(fold_rows(fit.folds), fit.left_out[self.bands[0].level - 1], strict=True):
            stretch = 1.0 if self.distance == "l2" else k / fold.spectrum.dimension(self.reduction)
            squares[rows] = stretch * self._squares(fold.spectrum, fold.coordinates)
        return squares

    def along(self, place: int, X: NDArray[np.floating], toward: NDArray[np.floating]) -> Array:
        """Signed coordinate (m,) of images X (m, D) in one band, along the direction in which `toward` (D,) leaves it.

        In units of the normal images' deviation; that of `toward` itself is its distance within the band. A direction
        of the band's own, such as its leading component, would turn from fit to fit; this one is the image's, whatever
        basis the band has.
        """
        whiten = self.gaussian.whitening(self.reduction, self.distance)[:, self.parts[place]]
        way = (toward.astype(np.float64) - self.gaussian.mean) @ whiten
        length = float(np.linalg.norm(way)) or 1.0
        return np.asarray((X.astype(np.float64) - self.gaussian.mean) @ (whiten @ (way / length)))

    def _squares(self, spectrum: Spectrum, coordinates: Coordinates) -> Array:
        kept, weights, null_weight = spectrum.precision(self.reduction, self.distance)
        terms = coordinates.z2[:, kept] * weights
        cuts = _above(spectrum.eigenvalues[kept], self._limits)
        squares = [terms[:, start:stop].sum(axis=1) for start, stop in pairwise((0, *cuts, terms.shape[1]))]
        outside = null_weight * coordinates.null
        if self.bands[-1].null:
            squares.append(outside)
        else:  # a fold may have a null space where all images have none
            squares[-1] = squares[-1] + outside
        return np.stack(squares, axis=1)

    @property
    def _limits(self) -> Array:
        """Eigenvalues half way, by ratio, between neighbouring bands (B - 1,), the null space left out."""
        values = self.gaussian.spectrum.eigenvalues
        within = [band for band in self.bands if not band.null]
        return np.array([np.sqrt(values[a.last - 1] * values[b.first - 1]) for a, b in pairwise(within)])


def _above(values: Array, limits: Array) -> list[int]:
    """How many of the falling values lie above each limit."""
    return [int(np.count_nonzero(values > limit)) for limit in limits]
