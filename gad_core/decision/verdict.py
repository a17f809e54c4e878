"""Scores, p-values and verdicts for new images."""

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from gad_core.decision.evaluation import LevelScores, Projected, level_scores, threshold
from gad_core.decision.false_discovery import Batch, flag_batch
from gad_core.decision.point_settings import PointSettings
from gad_core.decision.tail import pareto_p_values
from gad_core.decision.working_point import METHODS, conformal_p_values, hotelling_p_values
from gad_core.errors import GadError
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.tuning import Tuning, WorkingPoint, tuning_at

#: What becomes of an image: "review" is for a person, between the two thresholds of a review band.
Outcome = Literal["good", "review", "anomalous"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


def outcome(score: float, threshold: float, reject_above: float | None = None) -> Outcome:
    """Say what becomes of an image; without a review band all above the threshold are anomalous."""
    if score <= threshold:
        return "good"
    return "review" if reject_above is not None and score <= reject_above else "anomalous"


@dataclass(frozen=True)
class Verdict:
    """Scores against one threshold; an image is anomalous where its score is above it.

    Parameters
    ----------
    scores : ndarray, shape (n,)
        Distances; a higher one is more anomalous.
    p_values : ndarray, shape (n,)
        Under the method's own account of normal images.
    threshold : float
        In units of distance.
    how : str
        Provenance of the threshold.
    batch : Batch, optional
        The images judged together, where a false-discovery rate was asked for: its `q_values` (n,) and `flagged` (n,)
        know no threshold.
    reject_above : float, optional
        The stricter threshold, where a review band was adopted: flagged images up to it are for a person to review.

    Examples
    --------
    >>> import gad_core as gad
    >>> verdict = gad.score(gad.load_detector("parts.gad"), "parts/test/blot", target_fpr=0.1).verdict
    >>> bool((verdict.scores > verdict.threshold).all())
    True
    >>> verdict.how
    'quantile of the scores of 30 normal images, each from a fit without its fold'
    """

    scores: NDArray[np.float64]
    p_values: NDArray[np.float64]
    threshold: float
    how: str
    batch: Batch | None = None
    reject_above: float | None = None

    @property
    def anomalous(self) -> NDArray[np.bool_]:
        """Whether each image is flagged (n,): what is for review is flagged too."""
        return self.scores > self.threshold

    @property
    def outcomes(self) -> list[Outcome]:
        """What becomes of each of the n images: "good", "review" or "anomalous"."""
        return [outcome(score, self.threshold, self.reject_above) for score in self.scores.tolist()]


def judge(
    detector: Detector,
    features: NDArray[np.float32],
    *,
    target_fpr: float | None = None,
    method: str | None = None,
    fdr: float | None = None,
) -> Verdict:
    """Judge feature vectors (n, sum of channels) at the detector's tuning.

    Where neither a target nor a method is asked for, an adopted threshold decides. Else the method's threshold at the
    target, both by default those adopted, or else cross-conformal at 5 %; the adopted level stays. With `fdr` they are
    judged as a batch as well. Raises `GadError` for a method that has no threshold here and for a rate that is none,
    and `SampleTooSmall` where the images cannot support the target.
    """
    return judge_scores(detector, own_scores(detector, features), target_fpr=target_fpr, method=method, fdr=fdr)


@dataclass(frozen=True)
class Judge:
    """A detector with all that its verdicts need of normal images, worked out once for many calls of `judge`."""

    detector: Detector
    point: WorkingPoint
    normal: LevelScores  # at the deciding tuning and level, with no test images

    @classmethod
    def of(cls, detector: Detector, *, target_fpr: float | None = None, method: str | None = None) -> "Judge":
        """Work it out; raises as `judge` does."""
        normal = own_scores(detector, detector.training.features[:0])
        return cls(detector, deciding_point(detector, normal, target_fpr=target_fpr, method=method), normal)

    def __call__(self, features: NDArray[np.float32]) -> Verdict:
        """Judge feature vectors (n, sum of channels, then those by region) as `judge` does."""
        return self.of_scores(self.detector.scores_at(features, self.tuning))

    @property
    def tuning(self) -> Tuning:
        """The tuning whose own score decides."""
        return tuning_at(self.detector.tuning, self.normal.level)

    def of_scores(self, scores: NDArray[np.float64]) -> Verdict:
        """Judge scores (n,) at that tuning."""
        point = self.point
        known = p_values(replace(self.normal, test=scores), point.method)
        return Verdict(scores, known, point.threshold, point.how, None, point.reject_above)


def judge_scores(
    detector: Detector,
    scores: LevelScores,
    *,
    target_fpr: float | None = None,
    method: str | None = None,
    fdr: float | None = None,
) -> Verdict:
    """Judge images whose `own_scores` are known, as `judge` does."""
    batch = None if fdr is None else flag_batch(scores, fdr)
    point = deciding_point(detector, scores, target_fpr=target_fpr, method=method)
    return Verdict(scores.test, p_values(scores, point.method), point.threshold, point.how, batch, point.reject_above)


def deciding_point(
    detector: Detector, scores: LevelScores, *, target_fpr: float | None = None, method: str | None = None
) -> WorkingPoint:
    """Find the threshold by which `judge` decides, from the detector's `own_scores`; raises as `judge` does."""
    adopted = detector.working_point
    own = PointSettings.of(detector.tuning, adopted)
    if adopted and target_fpr is None and method is None:
        return adopted
    method = method or own.method
    if method not in METHODS:
        raise GadError(f"{method!r} is no method; choose one of {', '.join(METHODS)}")
    point = threshold(scores, method, own.target_fpr if target_fpr is None else target_fpr)
    if point is None:
        raise GadError(_no_threshold(method))
    return point


def own_scores(detector: Detector, features: NDArray[np.float32]) -> LevelScores:
    """Scores of images (n, sum of channels) and of normal ones at the detector's tuning and adopted level."""
    own = PointSettings.of(detector.tuning, detector.working_point)
    return level_scores(Projected.of(detector, features), detector.tuning)[own.level]


def p_values(scores: LevelScores, method: str) -> NDArray[np.float64]:
    """p-value (m,) of every test score under the method's own account of normal images."""
    if method == "chi2" and scores.law:
        return scores.law.p_values(scores.test)
    if method == "pareto":
        return pareto_p_values(scores.test, scores.normal)
    if method == "hotelling" and scores.dimension is not None:
        return hotelling_p_values(scores.test, k=scores.dimension, n_train=scores.n_train)
    if method.startswith("split") and scores.calibration is not None:
        return conformal_p_values(scores.test, scores.calibration)
    return conformal_p_values(scores.test, scores.left_out)


def _no_threshold(method: str) -> str:
    if method.startswith("split"):
        return f"{method} needs separate normal images; fit with --calibration DIR, or choose cross-conformal"
    if method == "chi2":
        return "chi-square knows Mahalanobis distances only; fit with --score mahalanobis, or choose cross-conformal"
    return f"{method} knows only one level's Mahalanobis distance; fit with --levels 7, or choose cross-conformal"
