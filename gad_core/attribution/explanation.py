"""How well an attribution agrees with a defect's mask: the explanation score, and what chance gives (Sec. V-E)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import dist

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import fft, special

from gad_core.decision.rates import CONFIDENCE

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Explanation:
    """One map against one mask; scores are in [-100, 100] (Sec. V-E).

    Parameters
    ----------
    score : float
        100 a sqrt(p) / sqrt(p a^2 + (1 - p) b^2): cosine of the region-averaged map with the mask.
    raw_score : float
        The earlier score: cosine of the rectified map with the mask.
    uniform_level : float
        100 sqrt(p), what a uniform map gets.
    null_mean : float
        Mean over all shifts of the mask: what chance gives.
    null_low : float
        Lower end of the central 95 % of the shifts.
    null_high : float
        Upper end.
    null_deviation : float
        Standard deviation over the shifts.
    inside : float
        Mean attribution a in the mask.
    outside : float
        Mean attribution b outside of it.
    area : float
        Share p of the image that the mask takes.

    Examples
    --------
    >>> import gad_core as gad
    >>> detector = gad.load_detector("parts.gad")
    >>> mask = "parts/ground_truth/blot/000_mask.png"
    >>> explanation = gad.explain(detector, "parts/test/blot/000.png", mask=mask, n_references=2).explanation
    >>> round(explanation.uniform_level, 2)  # the blot takes 20 x 20 of 64 x 64 pixels
    31.25
    """

    score: float
    raw_score: float
    uniform_level: float
    null_mean: float
    null_low: float
    null_high: float
    null_deviation: float
    inside: float
    outside: float
    area: float

    @property
    def ratio(self) -> float:
        """Of the means, b / a: near 0 where the attribution lies in the mask."""
        return self.outside / self.inside if self.inside else float("inf")

    @property
    def share(self) -> float | None:
        """Of the sum of the map, what lies in the mask; None where the sum is not positive."""
        inside, outside = self.area * self.inside, (1 - self.area) * self.outside
        return inside / (inside + outside) if inside + outside > 0 else None


@dataclass(frozen=True)
class Undefined:
    """No explanation score can be had, and why."""

    reason: str


def explain_score(attribution: Array, mask: NDArray[np.bool_] | NDArray[np.uint8]) -> Explanation | Undefined:
    """Compare a signed map (H, W) with a mask (h, w), nonzero in the defect.

    The null is the same map under the same mask at every circular shift, all H W of them.
    """
    weights = mask_weights(mask, attribution.shape)
    area = float(weights.mean())
    if not 0 < area < 1:
        what = "is empty" if area <= 0 else "covers the whole image"
        return Undefined(f"the mask {what}; an explanation score compares a defect with its surroundings")
    if not np.isfinite(attribution).all() or not attribution.any():
        return Undefined("the map is zero everywhere or holds values that are not finite; explain another level")
    shifted = shifted_scores(attribution, weights)
    low, high = np.quantile(shifted, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    inside = float((weights * attribution).sum() / weights.sum())
    outside = float(((1 - weights) * attribution).sum() / (1 - weights).sum())
    positive = np.maximum(attribution, 0)
    length = np.sqrt(np.square(positive).sum() * np.square(weights).sum())
    return Explanation(
        score=float(_score(np.asarray(inside), np.asarray(outside), area)),
        raw_score=float(100 * (positive * weights).sum() / length) if length else 0.0,
        uniform_level=float(100 * np.sqrt(area)),
        null_mean=float(shifted.mean()),
        null_low=float(low),
        null_high=float(high),
        null_deviation=float(shifted.std()),
        inside=inside,
        outside=outside,
        area=area,
    )


def mask_weights(mask: NDArray[np.bool_] | NDArray[np.uint8], shape: tuple[int, ...]) -> Array:
    """Compute the share of each of (H, W) pixels that lies in a mask (h, w), in [0, 1]: area sampling."""
    whole = Image.fromarray(mask.astype(bool).astype(np.float32))
    resized = np.asarray(whole.resize((shape[1], shape[0]), Image.Resampling.BOX), np.float64)
    return np.asarray(resized.clip(0, 1))


def shifted_scores(attribution: Array, weights: Array) -> Array:
    """Explanation scores of a map (H, W) under the weights (H, W) at every circular shift (H, W); [0, 0] is unshifted.

    The attribution within every shifted mask is one circular cross-correlation.
    """
    spectrum = fft.rfft2(attribution) * np.conj(fft.rfft2(weights))
    within = fft.irfft2(spectrum, s=attribution.shape)
    inside = within / weights.sum()
    outside = (attribution.sum() - within) / (1 - weights).sum()
    return np.asarray(_score(inside, outside, float(weights.mean())))


@dataclass(frozen=True)
class Summary:
    """Explanation scores of a group of images: means, and what chance would give for such a mean."""

    n: int
    n_undefined: int
    mean: float
    sem: float  # standard error of the mean; nan for one image
    raw_mean: float
    uniform_mean: float
    null_mean: float
    null_low: float  # 95 % band of the mean under independent shifts, by the normal approximation
    null_high: float
    share: float | None  # mean over the images that have one


def summarise(explanations: Sequence[Explanation | Undefined]) -> Summary | None:
    """Mean and standard error over the images; None where no score is defined."""
    known = [one for one in explanations if isinstance(one, Explanation)]
    if not known:
        return None

    def values(name: str) -> Array:
        return np.array([getattr(one, name) for one in known])

    n, scores = len(known), values("score")
    shares = [one.share for one in known if one.share is not None]
    null = float(values("null_mean").mean())
    half = float(special.ndtri((1 + CONFIDENCE) / 2) * np.sqrt(np.square(values("null_deviation")).sum()) / n)
    return Summary(
        n=n,
        n_undefined=len(explanations) - n,
        mean=float(scores.mean()),
        sem=float(scores.std(ddof=1) / np.sqrt(n)) if n > 1 else float("nan"),
        raw_mean=float(values("raw_score").mean()),
        uniform_mean=float(values("uniform_level").mean()),
        null_mean=null,
        null_low=null - half,
        null_high=null + half,
        share=float(np.mean(shares)) if shares else None,
    )


def summaries_by_type(explanations: Sequence[Explanation | Undefined], defects: Sequence[str]) -> Mapping[str, Summary]:
    """Summarise each defect type, in the order in which the types first appear."""
    groups = {
        defect: summarise([one for one, kind in zip(explanations, defects, strict=True) if kind == defect])
        for defect in dict.fromkeys(defects)
    }
    return {defect: summary for defect, summary in groups.items() if summary}


def distance_to_ideal(auroc_percent: float, score: float) -> float:
    """Distance of (AUROC, explanation score), both in percent, to (100, 100) (Table X)."""
    return dist((auroc_percent, score), (100, 100))


def _score(inside: Array, outside: Array, area: float) -> Array:
    length = np.sqrt(area * np.square(inside) + (1 - area) * np.square(outside))
    return np.asarray(100 * np.sqrt(area) * inside / np.maximum(length, np.finfo(float).tiny))
