"""A detector held against its left-out, calibration and test images: rates at each working point, AUROC."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gad_core.data.datasets import Refusal
from gad_core.decision.chi_law import ChiLaw, CoupledChiLaws, Law
from gad_core.decision.curves import Auroc, auroc
from gad_core.decision.localisation import Localisation
from gad_core.decision.ranks import Groups
from gad_core.decision.rates import Rate, exceedance
from gad_core.decision.tail import pareto
from gad_core.decision.working_point import BOUNDS, METHODS, chi2, hotelling, left_out_rate, remake
from gad_core.errors import GadError
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.levels import sum_levels
from gad_core.gaussian.spectrum import Coordinates
from gad_core.gaussian.tuning import SUM, Tuning, WorkingPoint, pool_of

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Projected:
    """Images in a detector's eigenbases, computed once, so that every tuning of it is arithmetic."""

    detector: Detector
    test: tuple[Coordinates, ...]  # by level
    calibration: tuple[Coordinates, ...] | None
    features: NDArray[np.float32]  # of the test images, which regions are read from

    @classmethod
    def of(cls, detector: Detector, test_features: NDArray[np.float32]) -> "Projected":
        """Project test features (m, sum of channels, then those by region) and the detector's calibration images."""
        held_out = detector.calibration
        return cls(
            detector,
            detector.coordinates(test_features),
            detector.coordinates(held_out.features) if held_out else None,
            test_features,
        )


@dataclass(frozen=True)
class LevelScores:
    """Scores at one tuning of one level, or of the sum over the tuned levels."""

    level: str  # "sum" or the level's number
    law: Law | None  # what chi-square predicts of Mahalanobis distances; None for the others
    n_train: int
    folds: NDArray[np.intp]
    left_out: Array  # (n,)
    test: Array  # (m,)
    calibration: Array | None = None
    groups: Groups | None = None  # of the training images
    calibration_groups: Groups | None = None

    @property
    def dimension(self) -> int | None:
        """Degrees of freedom of a single level; sums and regions have no one number."""
        return self.law.k if isinstance(self.law, ChiLaw) else None

    @property
    def normal(self) -> Array:
        """Scores of normal images that took no part: of the calibration images where there are any, else left out."""
        return self.left_out if self.calibration is None else self.calibration

    @property
    def is_independent(self) -> bool:
        """Whether these are separate calibration images, none of which belong together: what theorems ask for."""
        return self.calibration is not None and not any(self.calibration_groups or ())


@dataclass(frozen=True)
class PointRates:
    """What a threshold does: on left-out normals, on normal test images, on defects."""

    point: WorkingPoint
    left_out: Rate | None
    test: Rate | None
    tpr: Rate | None

    @property
    def level(self) -> str:
        """The score that the threshold belongs to: "sum", or a level's number."""
        return self.point.level

    def to_json(self) -> dict[str, Any]:
        """Plain values; rates in [0, 1], None where there are no such images."""
        rates = {"left_out": self.left_out, "test": self.test, "tpr": self.tpr}
        values: dict[str, Any] = {
            "level": self.level,
            "method": self.point.method,
            "target_fpr": self.point.target_fpr,
            "threshold": self.point.threshold,
        }
        for name, rate in rates.items():
            values[name if name == "tpr" else f"{name}_fpr"] = rate.value if rate else None
            values[f"{name}_interval"] = [rate.low, rate.high] if rate else None
            values[f"{name}_n"] = rate.n if rate else None
        return values

    @property
    def breaks_promise(self) -> bool:
        """Whether the rate on left-out images contradicts the target by its interval; a bound may lie above them."""
        if self.left_out is None:
            return False
        above = self.point.target_fpr > self.left_out.high and not self.point.method.endswith(BOUNDS)
        return above or self.left_out.low > self.point.target_fpr


def level_scores(projected: Projected, tuning: Tuning) -> dict[str, LevelScores]:
    """Scores of every level and of the sum after the tuning's reduction, by "1".."L" and "sum".

    Where the tuning pools regions, "sum" is what it pools; the levels stay those of the whole image.
    """
    detector, reduction, distance = projected.detector, tuning.reduction, tuning.distance
    left_out = detector.left_out_distances(reduction, distance=distance)
    test = detector.distances(projected.test, reduction, distance=distance)
    held_out = (
        detector.distances(projected.calibration, reduction, distance=distance) if projected.calibration else None
    )
    dimensions = np.array([gaussian.spectrum.dimension(reduction) for gaussian in detector.gaussians])

    def scores(level: str, levels: Sequence[int]) -> LevelScores:
        return LevelScores(
            level,
            _law(left_out, dimensions, levels) if distance == "mahalanobis" else None,
            detector.n_train,
            detector.folds,
            sum_levels(left_out, levels),
            sum_levels(test, levels),
            sum_levels(held_out, levels) if held_out is not None else None,
            detector.training.groups,
            detector.calibration.groups if detector.calibration else None,
        )

    by_level = {str(level): scores(str(level), (level,)) for level in range(1, detector.n_levels + 1)}
    whole = scores(SUM, tuning.levels)
    return by_level | {SUM: whole if tuning.pool is None else _pooled(whole, projected, tuning)}


def _law(left_out: Array, dimensions: NDArray[np.intp], levels: Sequence[int]) -> Law:
    """Give what chi-square predicts of the sum over levels, from the left-out distances of all (n, L)."""
    chosen = np.asarray(levels) - 1
    if len(chosen) == 1:
        return ChiLaw(int(dimensions[chosen[0]]))
    return CoupledChiLaws(left_out[:, chosen], dimensions[chosen], partial(np.sum, axis=1))


def _pooled(whole: LevelScores, projected: Projected, tuning: Tuning) -> LevelScores:
    """Put the scores of the regions in place of those of the whole image."""
    detector, held_out = projected.detector, projected.detector.calibration
    return replace(
        whole,
        law=_regional_law(detector, tuning),
        left_out=detector.left_out_scores(tuning),
        test=detector.scores_at(projected.features, tuning),
        calibration=detector.scores_at(held_out.features, tuning) if held_out else None,
    )


def _regional_law(detector: Detector, tuning: Tuning) -> Law:
    """Give what chi-square predicts of pooled regions, each standardised as the detector standardises it."""
    known, pool = detector.known_regions(tuning), pool_of(tuning)
    standard, left_out = known.standard(tuning), known.left_out_by_level(tuning)
    n, n_levels, n_regions = left_out.shape

    def combine(distances: Array) -> Array:
        return pool(standard(distances.reshape(-1, n_levels, n_regions).sum(axis=1)))

    return CoupledChiLaws(left_out.reshape(n, -1), known.dimensions(tuning).ravel(), combine)


def threshold(scores: LevelScores, method: str, target_fpr: float) -> WorkingPoint | None:
    """Threshold by one method; None where the method knows none here (Hotelling for a sum, no calibration images).

    Raises `SampleTooSmall` where the images cannot support the target, and `GadError` where no tail fits them.
    """
    if method == "chi2":
        point = chi2(target_fpr, law=scores.law, n_train=scores.n_train) if scores.law else None
    elif method == "hotelling":
        k = scores.dimension
        point = hotelling(target_fpr, k=k, n_train=scores.n_train) if k is not None else None
    elif method == "pareto":
        point = pareto(scores.normal, target_fpr)
    elif method.startswith("cross"):
        point = remake(method, scores.left_out, target_fpr, groups=scores.groups)
    else:
        held_out, groups = scores.calibration, scores.calibration_groups
        point = remake(method, held_out, target_fpr, groups=groups) if held_out is not None else None
    return replace(point, level=scores.level) if point else None


def working_points(
    scores: LevelScores, anomalous: NDArray[np.bool_], target_fpr: float
) -> tuple[tuple[PointRates, ...], dict[str, str]]:
    """Report what every method's threshold promises and achieves, and why the others were refused, by method.

    `anomalous` (m,) labels the test images; without any, rates on them are None.
    """
    points: list[PointRates] = []
    refused: dict[str, str] = {}
    for method in METHODS:
        try:
            point = threshold(scores, method, target_fpr)
            if point is not None:
                points.append(point_rates(scores, anomalous, point))
        except GadError as error:
            refused[method] = str(error)
    return tuple(points), refused


def point_rates(scores: LevelScores, anomalous: NDArray[np.bool_], point: WorkingPoint) -> PointRates:
    """Rates of a threshold on the left-out images, on normal test images and on defects."""
    normal, defects = scores.test[~anomalous], scores.test[anomalous]
    return PointRates(
        point,
        left_out_rate(point, scores.left_out, scores.folds, groups=scores.groups),
        exceedance(normal, point.threshold) if len(normal) else None,
        exceedance(defects, point.threshold) if len(defects) else None,
    )


@dataclass(frozen=True)
class Evaluation:
    """AUROC by level and the rates at every working point asked for.

    Parameters
    ----------
    n_normal : int
        Normal test images.
    n_anomalous : int
        Defective test images.
    auroc : mapping of str to Auroc
        By "1".."L" and "sum": value, low and high, in [0, 1].
    working_points : tuple of PointRates
        Every threshold (`point`), and its rates on left-out normals (`left_out`), on normal test images (`test`) and on
        defects (`tpr`), each with an exact interval.
    refused : tuple of str
        Thresholds that the images cannot support, and why.
    unread : tuple of Refusal
        Test images that could not be read.
    localisation : Localisation, optional
        How well the maps of regions find the masked pixels, where the tuning pools regions and there are masks.

    Examples
    --------
    >>> import gad_core as gad
    >>> detector = gad.load_detector("parts.gad")
    >>> evaluation = gad.evaluate(detector, gad.read_dataset("parts").test, target_fprs=[0.1, 0.01])
    >>> evaluation.n_normal, evaluation.n_anomalous, list(evaluation.auroc)[-1]
    (10, 6, 'sum')
    >>> [why.partition(":")[0] for why in evaluation.refused if "sum, cross-conformal" in why]  # 30 images, 1 %
    ['level sum, cross-conformal']
    """

    n_normal: int
    n_anomalous: int
    auroc: Mapping[str, Auroc]
    working_points: tuple[PointRates, ...]
    refused: tuple[str, ...]
    unread: tuple[Refusal, ...] = ()
    localisation: Localisation | None = None


def evaluate(
    by_level: Mapping[str, LevelScores], anomalous: NDArray[np.bool_], targets: Iterable[float] = (0.05,)
) -> Evaluation:
    """Evaluate scores, by level, on test images labelled `anomalous` (m,); raises `GadError` where a class is missing.

    It asks for scores alone: what gave them is not its business.
    """
    rates: list[PointRates] = []
    refused: list[str] = []
    areas = {level: auroc(scores.test, anomalous) for level, scores in by_level.items()}
    for target in targets:
        for level, scores in by_level.items():
            points, reasons = working_points(scores, anomalous, target)
            rates += points
            refused += [f"level {level}, {method}: {reason}" for method, reason in reasons.items()]
    n_anomalous = int(anomalous.sum())
    return Evaluation(len(anomalous) - n_anomalous, n_anomalous, areas, tuple(rates), tuple(refused))
