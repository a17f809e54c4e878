"""What a report says, gathered: numbers, sentences and pictures, not yet laid out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gad_core.attribution.explanation import Explanation
from gad_core.data.datasets import Dataset, ImageFile
from gad_core.decision.costs import Band, BandRates, band_rates
from gad_core.decision.curves import Auroc, Curve, auroc, roc
from gad_core.decision.evaluation import LevelScores, PointRates, Projected, level_scores, point_rates, working_points
from gad_core.decision.promises import chi2_rates
from gad_core.decision.rates import Rate, rates_by_type
from gad_core.decision.verdict import deciding_point, own_scores
from gad_core.features.extract import Extraction
from gad_core.gaussian.detector import Detector
from gad_core.wording import listed, number, percent, rate

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Health:
    """How sound one level's Gaussian is."""

    level: int
    n_features: int
    shrinkage: float  # of the whole covariance, in [0, 1]
    kept: int  # components at the tuning's reduction
    area: Auroc | None  # of this level alone
    summed: bool


@dataclass(frozen=True)
class Judged:
    """A test image with its score."""

    file: ImageFile
    score: float
    place: int  # among the test images


@dataclass(frozen=True)
class Explained:
    """A defect with its attribution over it."""

    file: ImageFile
    picture: NDArray[np.uint8]
    gap: float
    explanation: Explanation | None


@dataclass(frozen=True)
class Content:
    """All that stands in a report beside what the workspace knows."""

    detector: Detector
    dataset: Dataset
    extraction: Extraction  # of the test images
    scores: LevelScores
    rates: PointRates
    methods: tuple[PointRates, ...]
    chi2: PointRates | None
    area: Auroc | None
    curve: Curve | None
    health: tuple[Health, ...]
    band: BandRates | None
    explained: tuple[Explained, ...] = ()
    not_explained: str = ""  # why there are none

    @property
    def adopted(self) -> bool:
        """Whether a person decided."""
        return self.detector.working_point is not None

    @property
    def anomalous(self) -> NDArray[np.bool_]:
        """Labels of the test images (m,)."""
        return self.extraction.images.labels

    @property
    def caught(self) -> dict[str, Rate]:
        """Share flagged of each type of defect."""
        types = np.array([file.defect for file in self.extraction.images])[self.anomalous]
        return rates_by_type(self.scores.test[self.anomalous], types.tolist(), self.rates.point.threshold)

    @property
    def verdict(self) -> str:
        """Whether the promise holds, as far as left-out images say: holds, broken or unknown."""
        if self.rates.left_out is None:
            return "unknown"
        return "broken" if self.rates.breaks_promise else "holds"

    @property
    def sentence(self) -> str:
        """The verdict in words, with its numbers."""
        point, names = self.rates.point, []
        for found, what in (
            (self.rates.left_out, "left-out good parts"),
            (self.rates.test, "good test parts"),
            (self.rates.tpr, "defects"),
        ):
            if found:
                names.append(f"{rate(found)} of {found.n} {what}")
        value = number(point.threshold)
        start = f"At the adopted threshold {value}"
        if not self.adopted:
            start = f"Nobody has adopted a threshold; at the default of {value}"
        flagged = f"{listed(names)} are flagged" if names else "nothing is known of what is flagged"
        return f"{start}, {flagged}. {self._holds}"

    @property
    def _holds(self) -> str:
        target = percent(self.rates.point.target_fpr)
        return {
            "holds": f"The promise of {target} holds on left-out parts.",
            "broken": f"The promise of {target} does not hold on left-out parts: {self._side}.",
            "unknown": f"Whether the promise of {target} holds is not known: no left-out parts can say.",
        }[self.verdict]

    @property
    def _side(self) -> str:
        found = self.rates.left_out
        if found and found.low > self.rates.point.target_fpr:
            return "more good parts are flagged"
        return "fewer good parts are flagged, as the threshold is stricter than asked for"

    def errors(self, limit: int) -> dict[str, tuple[list[Judged], int]]:
        """False alarms, missed defects and what is nearest to the threshold, worst first, and how many there are."""
        threshold = self.rates.point.threshold
        judged = [
            Judged(file, float(score), place)
            for place, (file, score) in enumerate(zip(self.extraction.images, self.scores.test, strict=True))
        ]
        alarms = sorted((one for one in judged if not one.file.anomalous and one.score > threshold), key=_falling)
        missed = sorted((one for one in judged if one.file.anomalous and one.score <= threshold), key=_rising)
        near = sorted(judged, key=lambda one: abs(one.score - threshold))
        found = {"False alarms": alarms, "Missed defects": missed, "Nearest to the threshold": near}
        return {name: (images[:limit], len(images)) for name, images in found.items()}


def gather(detector: Detector, dataset: Dataset, extraction: Extraction) -> Content:
    """Work all of it out but the attributions; raises as `deciding_point` does."""
    by_level = level_scores(Projected.of(detector, extraction.features), detector.tuning)
    scores = own_scores(detector, extraction.features)
    point, labels = deciding_point(detector, scores), extraction.images.labels
    both = bool(labels.any() and not labels.all())
    methods, _ = working_points(scores, labels, point.target_fpr)
    band = Band(point.threshold, point.reject_above) if point.reject_above is not None else None
    tuning = detector.tuning
    health = tuple(
        Health(
            level,
            gaussian.spectrum.n_features,
            gaussian.spectrum.whole,
            gaussian.spectrum.dimension(tuning.reduction),
            auroc(by_level[str(level)].test, labels) if both else None,
            level in tuning.levels,
        )
        for level, gaussian in enumerate(detector.gaussians, start=1)
    )
    return Content(
        detector,
        dataset,
        extraction,
        scores,
        point_rates(scores, labels, point),
        methods,
        chi2_rates({scores.level: scores}, labels, point.target_fpr).get(scores.level),
        auroc(scores.test, labels) if both else None,
        roc(scores.test, labels) if both else None,
        health,
        band_rates(scores.test, labels, band) if band else None,
    )


def to_explain(content: Content, limit: int) -> list[ImageFile]:
    """The highest defect of every type, those with a mask first, up to a number of images."""
    order = np.argsort(-content.scores.test)
    defects = [content.extraction.images.files[i] for i in order if content.anomalous[i]]
    first: dict[str, ImageFile] = {}
    for file in sorted(defects, key=lambda file: file.mask is None):
        first.setdefault(file.defect, file)
    return list(first.values())[:limit]


def with_explained(content: Content, explained: Sequence[Explained], why: str) -> Content:
    """The same with attributions, or why there are none."""
    return replace(content, explained=tuple(explained), not_explained=why)


def _falling(one: Judged) -> float:
    return -one.score


def _rising(one: Judged) -> float:
    return one.score
