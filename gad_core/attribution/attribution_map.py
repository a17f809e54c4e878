"""One image's attributions: a map a level, their sums, and by how much these miss the scores."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Precision = Literal["float32", "float64"]


@dataclass(frozen=True)
class Attribution:
    """Signed attributions in units of distance; their sum is the image's score less the references' mean score.

    Parameters
    ----------
    levels : tuple of int
        Levels that were summed, counted from 1.
    rgb : ndarray, shape (L, 3, S, S)
        A map a level; (1, 3, S, S) where they were not told apart.
    scores : ndarray, shape (L,)
        Distance of the image at each level; where regions are pooled, an equal share of the score each.
    reference_scores : ndarray, shape (L,)
        The references' means of the same.
    gap : float
        |sum of the map - difference| / max(|difference|, score).
    precision : {"float32", "float64"}
        In which the network was run.
    rules : str
        Name of the rule set: completeness alone does not fix an attribution.
    references : tuple of int
        Which of the detector's references were used.

    Examples
    --------
    >>> import gad_core as gad
    >>> detector = gad.load_detector("parts.gad")
    >>> attribution = gad.explain(detector, "parts/test/blot/000.png", n_references=2).attribution
    >>> difference = attribution.score - attribution.reference_score
    >>> bool(abs(attribution.rgb.sum() - difference) < 1e-3 * attribution.score)
    True
    """

    levels: tuple[int, ...]
    rgb: NDArray[np.float64]
    scores: NDArray[np.float64]
    reference_scores: NDArray[np.float64]
    gap: float
    precision: Precision
    rules: str
    references: tuple[int, ...]

    @property
    def score(self) -> float:
        """The image's score: the sum over the levels."""
        return float(self.scores.sum())

    @property
    def reference_score(self) -> float:
        """The references' mean score."""
        return float(self.reference_scores.sum())

    @property
    def by_level(self) -> NDArray[np.float64]:
        """Channel means (L, S, S)."""
        return np.asarray(self.rgb.mean(axis=1))

    @property
    def total(self) -> NDArray[np.float64]:
        """The map of the whole score: the channel mean, added over the levels (S, S)."""
        return np.asarray(self.by_level.sum(axis=0))

    def by_levels(self) -> tuple["Attribution", ...]:
        """Each level's own, where they were told apart, with the gap of all."""
        return tuple(
            replace(
                self,
                levels=(level,),
                rgb=self.rgb[i : i + 1],
                scores=self.scores[i : i + 1],
                reference_scores=self.reference_scores[i : i + 1],
            )
            for i, level in enumerate(self.levels)
        )

    @classmethod
    def of_levels(cls, parts: Sequence["Attribution"]) -> "Attribution":
        """Add up levels of the same image against the same references."""
        rgb, scores, reference_scores = (
            np.concatenate([getattr(part, name) for part in parts]) for name in ("rgb", "scores", "reference_scores")
        )
        gap = completeness_gap(rgb, scores, reference_scores)
        precision: Precision = "float32" if any(part.precision == "float32" for part in parts) else "float64"
        levels = tuple(level for part in parts for level in part.levels)
        return replace(
            parts[0],
            levels=levels,
            rgb=rgb,
            scores=scores,
            reference_scores=reference_scores,
            gap=gap,
            precision=precision,
        )


def completeness_gap(rgb: NDArray[np.float64], own: NDArray[np.float64], means: NDArray[np.float64]) -> float:
    """Measure how far maps (L, 3, S, S) miss the difference of the scores (L,), in parts of the larger of both."""
    difference = float(own.sum() - means.sum())
    return abs(float(rgb.sum()) - difference) / max(abs(difference), float(own.sum()), np.finfo(float).tiny)
