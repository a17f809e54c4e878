"""Which principal components a distance keeps: all, those of high variance (PCA) or those of low variance (NPCA)."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gad_core.errors import GadError

_REMEDY = 'write "all", "pca:0.99" (keep 99 % of the variance, from the top) or "npca:0.05" (keep 5 %, from the bottom)'


@dataclass(frozen=True)
class Reduction:
    """A choice of principal components (Sec. III-B4).

    `Reduction("npca", 0.01)` is the paper's "NPCA 1 %" and `Reduction("pca", 0.99)` its "PCA 99 %".

    Parameters
    ----------
    kind : {"all", "pca", "npca"}
        All components, those of high variance, or those of low variance.
    variance : float
        Share of the variance that is kept, in (0, 1].

    Examples
    --------
    >>> import gad_core as gad
    >>> gad.Reduction.parse("npca:0.01") == gad.Reduction("npca", 0.01)
    True
    >>> str(gad.Reduction("pca", 0.99))
    'pca:0.99'
    """

    kind: Literal["all", "pca", "npca"] = "all"
    variance: float = 1.0

    @classmethod
    def parse(cls, text: str) -> "Reduction":
        """Read `all`, `pca:V` or `npca:V`; raise `GadError` for anything else."""
        kind, _, number = text.strip().lower().partition(":")
        if kind == "all" and not number:
            return cls()
        try:
            variance = float(number)
        except ValueError:
            variance = float("nan")
        if kind not in ("pca", "npca") or not 0 < variance <= 1:
            raise GadError(f"{text!r} does not say what to keep; {_REMEDY}")
        return cls("pca" if kind == "pca" else "npca", variance)

    def __str__(self) -> str:
        """Write it as `parse` reads it."""
        return "all" if self.kind == "all" else f"{self.kind}:{self.variance:g}"

    def components(self, cumulative_ratio: NDArray[np.float64]) -> slice:
        """Give the kept run of components, given the cumulative explained-variance ratio (r,) by falling variance.

        With `last` the first component whose cumulative ratio exceeds v, PCA keeps 0..last and NPCA last-1..r-1
        (both boundary components stay); NPCA always keeps at least the two smallest.
        """
        r = len(cumulative_ratio)
        if self.kind == "all":
            return slice(0, r)
        v = self.variance if self.kind == "pca" else 1 - self.variance
        last = min(int(cumulative_ratio.searchsorted(v, side="right")), r - 1)
        if self.kind == "pca":
            return slice(0, last + 1)
        return slice(max(min(last - 1, r - 2), 0), r)


#: The presets of the paper (Sec. IV-B) and the recommended reduction.
ALL = Reduction()
NPCA_1 = Reduction("npca", 0.01)
NPCA_5 = Reduction("npca", 0.05)

#: Shares of the variance up to which components are kept (NPCA) or dropped (PCA).
SHARES = (
    *(0.5, 0.4, 0.3, 0.2, 0.15, 0.1, 0.07, 0.05, 0.03, 0.02, 0.015, 0.01),
    *(0.007, 0.005, 0.003, 0.002, 0.001, 5e-4, 3e-4, 2e-4, 1e-4, 5e-5, 2e-5, 1e-5),
)
#: From a few strong components (PCA) over all of them to a few weak ones (NPCA).
REDUCTIONS = (*(Reduction("pca", round(1 - s, 6)) for s in SHARES), ALL, *(Reduction("npca", s) for s in SHARES))
