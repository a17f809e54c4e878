"""How far the distance of one part varies when it is imaged again, against the room that the threshold leaves.

A measurement-system analysis with one appraiser, the camera: its repeatability (equipment variation) is all there is.
Source: AIAG, Measurement Systems Analysis, 4th ed. 2010, Ch. III, by analysis of variance.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from gad_core.decision.rates import CONFIDENCE, Rate, rate
from gad_core.decision.verdict import Verdict, judge_scores, own_scores
from gad_core.errors import GadError
from gad_core.gaussian.detector import Detector

Array = NDArray[np.float64]
Word = Literal["passes", "doubtful", "fails"]

#: Shares of the tolerance up to which repetition passes, and from which on it fails (AIAG, Ch. II, Sec. D).
PASSES, FAILS = 0.1, 0.3
#: Standard deviations of repetition that are set against the tolerance: half of AIAG's 6, for the distance has a limit
#: on one side only. AIAG is silent on that case; so does Minitab's "one-sided process variation" in a gage study.
SPREAD = 3.0
_CATEGORIES = 1.41  # sqrt 2, as AIAG writes it


@dataclass(frozen=True)
class ImagedPart:
    """A part and the scores (r,) of its pictures."""

    name: str
    scores: Array

    @property
    def mean(self) -> float:
        """Of its distances."""
        return float(self.scores.mean())

    @property
    def sigma(self) -> float:
        """Their standard deviation; there must be two or more."""
        return float(self.scores.std(ddof=1))


@dataclass(frozen=True)
class Repeatability:
    """What repetition does to the distance.

    Parameters
    ----------
    parts : tuple of ImagedPart
        Parts imaged at least twice, by rising mean score.
    once : tuple of str
        Parts imaged once, which tell nothing.
    threshold : float
        A picture above it is flagged.
    centre : float
        Where good parts lie: the median of left-out normal scores. Threshold minus centre is the tolerance.
    sigma : float
        Standard deviation of the distance of one part, pooled over parts.
    sigma_low : float
        Lower end of its 95 % interval, by chi-square.
    sigma_high : float
        Its upper end.
    sigma_parts : float
        Standard deviation of the parts' own distances; 0 where the means vary no more than repetition explains.
    p_value : float
        Chance that parts which are all the same give means so far apart (F test).
    agreement : Rate
        Share of the parts whose pictures all got the same verdict.

    Examples
    --------
    >>> import gad_core as gad
    >>> study = gad.repeatability(gad.load_detector("parts.gad"), "again").study
    >>> len(study.parts), study.word, f"{study.agreement.count} of {study.agreement.n}"
    (4, 'fails', '4 of 4')
    """

    parts: tuple[ImagedPart, ...]
    once: tuple[str, ...]
    threshold: float
    centre: float
    sigma: float
    sigma_low: float
    sigma_high: float
    sigma_parts: float
    p_value: float
    agreement: Rate

    @property
    def tolerance(self) -> float:
        """From the middle of good parts up to the threshold."""
        return self.threshold - self.centre

    @property
    def grr(self) -> float:
        """Share of the tolerance that repetition eats: 3 sigma over tolerance (%GRR)."""
        return SPREAD * self.sigma / self.tolerance

    @property
    def grr_interval(self) -> tuple[float, float]:
        """Its 95 % interval, with threshold and centre as they are."""
        return SPREAD * self.sigma_low / self.tolerance, SPREAD * self.sigma_high / self.tolerance

    @property
    def word(self) -> Word:
        """The verdict: below 10 % of the tolerance repetition passes, above 30 % it fails."""
        if self.grr < PASSES:
            return "passes"
        return "fails" if self.grr > FAILS else "doubtful"

    @property
    def flagged(self) -> tuple[int, ...]:
        """Pictures above the threshold, of every part."""
        return tuple(int(np.count_nonzero(part.scores > self.threshold)) for part in self.parts)

    @property
    def mostly_flagged(self) -> bool:
        """Whether more than half of the pictures are flagged, as those of good parts are not."""
        return 2 * sum(self.flagged) > sum(len(part.scores) for part in self.parts)

    @property
    def categories(self) -> int:
        """Classes of parts that the distance tells apart (ndc); AIAG asks for 5 at least."""
        return max(1, math.floor(_CATEGORIES * self.sigma_parts / self.sigma))


def repeatability(scores: Array, parts: Sequence[str], *, threshold: float, centre: float) -> Repeatability:
    """One-way random-effects analysis of variance of scores (n,) whose pictures show `parts` (n,).

    Raises `GadError` where fewer than two parts were imaged twice, where no repetition changed a score, and where the
    threshold lies below the centre.
    """
    names = np.asarray(parts)
    imaged = [ImagedPart(name, scores[names == name]) for name in dict.fromkeys(parts)]
    again = tuple(sorted((part for part in imaged if len(part.scores) > 1), key=lambda part: part.mean))
    if len(again) < 2:
        raise GadError(
            f"repeatability needs 2 parts or more that were imaged at least twice, got {len(again)} among "
            f"{len(imaged)} parts; take more pictures, or say by a table which show the same part"
        )
    if not threshold > centre:
        raise GadError(
            f"the threshold ({threshold:.4g}) lies below the median of good parts ({centre:.4g}), which leaves no "
            "tolerance; choose a lower false-positive rate"
        )
    if not any(np.ptp(part.scores) for part in again):
        raise GadError("no part changed its score from one picture to the next; take the pictures anew, not as copies")
    within, between, freedom = _mean_squares([part.scores for part in again])
    low, high = (
        math.sqrt(freedom[1] * within / stats.chi2.ppf(place, freedom[1]))
        for place in ((1 + CONFIDENCE) / 2, (1 - CONFIDENCE) / 2)
    )
    same = sum(len(set(part.scores > threshold)) == 1 for part in again)
    return Repeatability(
        again,
        tuple(part.name for part in imaged if len(part.scores) == 1),
        threshold,
        centre,
        math.sqrt(within),
        low,
        high,
        math.sqrt(max(0.0, (between - within) / _usual_size([part.scores for part in again]))),
        float(stats.f.sf(between / within, *freedom)),
        rate(same, len(again)),
    )


def judge_again(
    detector: Detector,
    features: NDArray[np.float32],
    parts: Sequence[str],
    *,
    target_fpr: float | None = None,
    method: str | None = None,
) -> tuple[Verdict, Repeatability]:
    """Judge feature vectors (n, sum of channels) of pictures of `parts` (n,) as `judge` does, and compare them by part.

    Raises as `judge` and `repeatability` do.
    """
    scores = own_scores(detector, features)
    verdict = judge_scores(detector, scores, target_fpr=target_fpr, method=method)
    centre = float(np.median(scores.left_out))
    return verdict, repeatability(verdict.scores, parts, threshold=verdict.threshold, centre=centre)


def _mean_squares(groups: Sequence[Array]) -> tuple[float, float, tuple[int, int]]:
    """Mean squares within and between groups, and the degrees of freedom between and within them."""
    means, sizes = np.array([group.mean() for group in groups]), np.array([len(group) for group in groups])
    n, k = int(sizes.sum()), len(groups)
    grand = sizes @ means / n
    within = sum(float(np.square(group - mean).sum()) for group, mean in zip(groups, means, strict=True))
    between = float(sizes @ np.square(means - grand))
    return within / (n - k), between / (k - 1), (k - 1, n - k)


def _usual_size(groups: Sequence[Array]) -> float:
    """Pictures a part in the expected mean square between parts; of equal numbers it is that number.

    Source: Searle, Casella & McCulloch 1992, Variance Components, Sec. 3.6.
    """
    sizes = np.array([len(group) for group in groups], float)
    return float((sizes.sum() - np.square(sizes).sum() / sizes.sum()) / (len(sizes) - 1))
