"""Which components of a level a shift moves: whitened energy of left-out images in a few bands of the spectrum."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gad_core.gaussian.detector import Detector
from gad_core.gaussian.spectrum import fit_gaussian
from gad_core.gaussian.tuning import Tuning

Array = NDArray[np.float64]

#: Bands of equally many kept components, from strong to weak.
N_BANDS = 4


def band_energies(detector: Detector, features: NDArray[np.float32], fold: int, tuning: Tuning) -> Array:
    """Squared distances of features (m, F) by band of kept components, from Gaussians without a fold: (m, L, bands)."""
    detector.check_whole()
    rest = detector.training.features[detector.folds != fold]
    levels = [_energies(rest[:, part], features[:, part], tuning) for part in detector.slices]
    return np.stack(levels, axis=1)


def _energies(rest: NDArray[np.float32], features: NDArray[np.float32], tuning: Tuning) -> Array:
    gaussian = fit_gaussian(rest)
    kept, weights, _ = gaussian.spectrum.precision(tuning.reduction, tuning.distance)
    energy = gaussian.coordinates(features).z2[:, kept] * weights
    return np.stack([band.sum(axis=1) for band in np.array_split(energy, N_BANDS, axis=1)], axis=1)


def relative(energies: Array, unshifted: Array) -> tuple[tuple[float, ...], ...]:
    """Mean energies (L, bands) of images (n, L, bands) in those of the same images unshifted."""
    mean, before = energies.mean(axis=0), unshifted.mean(axis=0)
    ratio = np.divide(mean, before, out=np.ones_like(mean), where=before > 0)
    rows: Sequence[Sequence[float]] = ratio.tolist()
    return tuple(tuple(row) for row in rows)
