"""A promise about a batch: of the parts that are flagged together, how many are good at most, on average."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from gad_core.decision.evaluation import LevelScores
from gad_core.decision.working_point import conformal_p_values
from gad_core.errors import GadError

Array = NDArray[np.float64]

# Products of ranks are compared after rounding, so that 30 / 3 * 1 / 100 is 0.1 and not a little more.
_DIGITS = 9


@dataclass(frozen=True)
class Batch:
    """Images judged together, so that of those flagged a share `fdr` at most is good, on average over batches.

    `q_values` (m,) are the lowest rates at which each image is flagged, `n_normal` the scores behind the p-values.
    `exact` says that the promise is a theorem: separate calibration images, none of which belong together. Where
    nothing is flagged although images lie beyond every normal score, `needed` is how many normal images it would take.
    """

    fdr: float
    q_values: Array
    n_normal: int
    exact: bool
    needed: int | None = None

    @property
    def flagged(self) -> NDArray[np.bool_]:
        """Whether each image is flagged (m,)."""
        return self.q_values <= self.fdr

    @property
    def how(self) -> str:
        """What is promised, and from what."""
        source = (
            f"{self.n_normal} separate normal images"
            if self.exact
            else f"the scores of {self.n_normal} normal images; about, not exactly"
        )
        return f"of the flagged images at most {100 * self.fdr:.3g} % are good, on average over batches, by {source}"

    @property
    def too_few(self) -> str | None:
        """Why nothing is flagged although images lie beyond every normal score; None where that is not so."""
        if self.needed is None:
            return None
        return (
            f"nothing can be flagged together: with {self.n_normal} normal images no p-value is below "
            f"1 / {self.n_normal + 1}; it takes {self.needed} of them to flag those that lie beyond every one"
        )


def flag_batch(scores: LevelScores, fdr: float) -> Batch:
    """Judge the test images (m,) together: Benjamini-Hochberg on their conformal p-values.

    With calibration images that stand alone the share of good ones among the flagged is at most `fdr` on average, times
    the share of good ones in the batch; with left-out scores in their place, or calibration images in groups, about so.
    Raises `GadError` for a rate outside (0, 1). Source: Bates, Candès, Lei, Romano & Sesia 2023, Annals of Statistics
    51, Testing for outliers with conformal p-values, Theorem 2.
    """
    if not 0 < fdr < 1:
        raise GadError(f"a false-discovery rate lies between 0 and 1 (0.1 is 10 %), got {fdr:g}")
    normal = scores.normal
    p_values = conformal_p_values(scores.test, normal)
    q_values = np.round(stats.false_discovery_control(p_values), _DIGITS)
    return Batch(fdr, q_values, len(normal), scores.is_independent, _needed(q_values, scores.test, normal, fdr))


def _needed(q_values: Array, scores: Array, normal: Array, fdr: float) -> int | None:
    """n at which m / t times the lowest p-value, 1 / (n + 1), is the rate; t images lie beyond every normal score."""
    beyond = int(np.count_nonzero(scores > normal.max()))
    if not beyond or (q_values <= fdr).any():
        return None
    return math.ceil(round(len(scores) / (beyond * fdr) - 1, _DIGITS))
