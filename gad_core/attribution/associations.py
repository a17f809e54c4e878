"""What clusters of maps go together with: properties of the images, tested and corrected for how many were tried."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import PermutationMethod, chi2_contingency, fisher_exact
from scipy.stats.contingency import association, crosstab

from gad_core.errors import GadError

#: Below it, after the correction, two things go together.
SIGNIFICANCE = 0.05
_RESAMPLES = 1_999
_MOST_VALUES = 0.5  # of the number of images: a property with more is a name, not a property


@dataclass(frozen=True)
class Association:
    """One property against the clusters.

    Parameters
    ----------
    name : str
        Of the property.
    counts : ndarray, shape (values, clusters)
        Images.
    values : tuple of str
        Of the property, by row.
    cramers_v : float
        Strength in [0, 1].
    p_value : float
        Uncorrected: Fisher's exact test of a 2 x 2 table, else a permutation test of chi-square.
    corrected : float
        The same by Holm's correction over all properties tried.
    """

    name: str
    counts: NDArray[np.intp]
    values: tuple[str, ...]
    cramers_v: float
    p_value: float
    corrected: float

    @property
    def survives(self) -> bool:
        """Whether it is more than chance after the correction."""
        return self.corrected < SIGNIFICANCE


def associations(
    labels: NDArray[np.intp], properties: Mapping[str, Sequence[str]], *, seed: int = 0
) -> tuple[Association, ...]:
    """Test properties, a value an image each, against the clusters of images (n,), the strongest first.

    One that all images share, or nearly none, cannot be tested and is left out, and so is everything where there is
    one cluster. Raises `GadError` for a property of another length.
    """
    found: list[tuple[str, NDArray[np.intp], tuple[str, ...], float, float]] = []
    for name, values in properties.items():
        if len(values) != len(labels):
            raise GadError(f"{name} has {len(values)} values for {len(labels)} images; give one an image")
        (kinds, clusters), counts = crosstab(np.asarray(values, str), labels)
        if len(clusters) < 2 or not 2 <= len(kinds) <= _MOST_VALUES * len(labels):
            continue
        found.append((name, counts, tuple(map(str, kinds)), float(association(counts)), _p_value(counts, seed)))
    corrected = holm([p for *_, p in found])
    made = [Association(*one, float(adjusted)) for one, adjusted in zip(found, corrected, strict=True)]
    return tuple(sorted(made, key=lambda one: (one.corrected, -one.cramers_v)))


def _p_value(counts: NDArray[np.intp], seed: int) -> float:
    if counts.shape == (2, 2):
        return float(fisher_exact(counts).pvalue)
    method = PermutationMethod(n_resamples=_RESAMPLES, rng=np.random.default_rng(seed))
    return float(chi2_contingency(counts, correction=False, method=method).pvalue)  # small cells: no asymptotics


def holm(p_values: Sequence[float]) -> NDArray[np.float64]:
    """Holm's step-down correction, which keeps the chance of any false find. Source: Holm 1979, Scand. J. Stat. 6."""
    p = np.asarray(p_values, np.float64)
    order = np.argsort(p)
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(stepped, 1)
    return corrected
