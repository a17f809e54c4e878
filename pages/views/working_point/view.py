"""One tuning, one level, one target: every method's threshold there, its rates, and why there may be none."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gad_core import figures
from gad_core.decision.costs import Band
from gad_core.decision.curves import Auroc, auroc
from gad_core.decision.evaluation import LevelScores, PointRates, threshold, working_points
from gad_core.decision.point_settings import PointSettings
from gad_core.decision.promises import chi2_rates
from gad_core.decision.sigma_table import LEVEL
from gad_core.errors import GadError
from gad_core.gaussian.tuning import SUM, Tuning
from pages.shared import controls, frame
from pages.shared.resources import TestImages

#: Why a method has no threshold, where it is not that images are missing.
_NOTES = {"chi2": "too rare to simulate", "pareto": "no tail for this rate"}


@dataclass(frozen=True)
class Missing:
    """Why there is no threshold, and the control that would bring one: its key and the value to set."""

    why: str
    note: str  # the same in a few words
    remedy: str  # what the button says
    control: str
    value: Any


@dataclass(frozen=True)
class View:
    """Scores at one tuning and level, the chosen threshold, and what the other methods do at the same target.

    Without a threshold `chosen` is None and `missing` says why.
    """

    test: TestImages
    anomalous: NDArray[np.bool_]  # labels of the test images
    settings: PointSettings
    scores: LevelScores
    chosen: PointRates | None
    missing: Missing | None
    methods: tuple[PointRates, ...]
    refused: dict[str, str]
    chi2: dict[str, PointRates]  # by level and of the sum, where chi-square predicts a threshold
    area: Auroc | None  # under the ROC; without both kinds of test images there is none
    review: Band | str | None  # or why there is none that was asked for
    reach: tuple[float, ...] = ()  # the ends of the thresholds that the slider leads to

    @property
    def threshold(self) -> float | None:
        """The distance above which a part is flagged."""
        return self.chosen.point.threshold if self.chosen else None

    @property
    def predicted(self) -> PointRates | None:
        """What comes at the threshold that chi-square predicts for the score shown."""
        return self.chi2.get(self.settings.level)

    @property
    def is_sum(self) -> bool:
        """Whether the distances of several levels are added."""
        return self.settings.level == SUM

    @property
    def adopted(self) -> float | None:
        """The adopted threshold, where these are the scores that it belongs to."""
        detector = self.test.detector
        point = detector.working_point
        same = point is not None and (detector.tuning, point.level) == (self.settings.tuning, self.settings.level)
        return point.threshold if point and same else None

    @property
    def groups(self) -> dict[str, tuple[NDArray[np.float64], str]]:
        """Scores by kind of image, with the colour of the kind."""
        scores = self.scores
        return {
            "left-out good": (scores.left_out, figures.LEFT_OUT),
            "good test": (scores.test[~self.anomalous], figures.NORMAL),
            "defects": (scores.test[self.anomalous], figures.DEFECT),
        }


def view_at(
    test: TestImages, settings: PointSettings, by_level: dict[str, LevelScores], *, reject: float | None = None
) -> View:
    """The view at the chosen method's threshold; `reject` asks for a stricter second one, for a band between them."""
    scores, labels = by_level[settings.level], test.images.labels
    methods, refused = working_points(scores, labels, settings.target_fpr)
    chosen = next((rates for rates in methods if rates.point.method == settings.method), None)
    return View(
        test,
        labels,
        settings,
        scores,
        chosen,
        None if chosen else missing(settings, scores, lowest_supported(scores, settings.method)),
        methods,
        refused,
        chi2_rates(by_level, labels, settings.target_fpr),
        auroc(scores.test, labels) if test.has_both_kinds else None,
        _band(scores, chosen, reject) if chosen and reject is not None else None,
    )


def level_to_show(tuning: Tuning) -> int:
    """The single level to look at in place of a sum: the paper's, or else the last one in the sum."""
    return LEVEL if LEVEL in tuning.levels else tuning.levels[-1]


def missing(settings: PointSettings, scores: LevelScores, supported: float | None) -> Missing:
    """Why there is no threshold; `supported` is the lowest step, in percent, that the images do support."""
    method, name = settings.method, figures.METHOD_NAMES[settings.method]
    cross_conformal = ("Use cross-conformal", "method", "cross-conformal")
    try:
        threshold(scores, method, settings.target_fpr)
    except GadError as error:
        why = frame.sentence(error)
        note = _NOTES.get(method) or f"needs {getattr(error, 'needed', 0):,} good parts"
        if supported is None:
            return Missing(why, note, *cross_conformal)
        return Missing(why, note, f"Use {controls.step_name(supported)}", "fpr", float(supported))
    if method.startswith("split"):
        return Missing(
            f"{name} needs good parts that are kept apart for calibration, and this detector was fitted "
            "without any; fit again with some, or use cross-conformal.",
            "no calibration parts",
            *cross_conformal,
        )
    if settings.tuning.distance != "mahalanobis":
        return Missing(
            f"{name} describes the Mahalanobis distance and no other.",
            "not for this distance",
            "Use Mahalanobis",
            "score",
            "mahalanobis",
        )
    level = str(level_to_show(settings.tuning))
    whole = "the score of regions" if settings.tuning.pool else "the sum of levels"
    return Missing(
        f"{name} describes one level; {whole} follows no such law, so it has no threshold here.",
        "for one level only",
        f"Show level {level}",
        "level",
        level,
    )


def lowest_supported(scores: LevelScores, method: str) -> float | None:
    """The lowest step, in percent, for which the images give a threshold by this method."""
    return next((step for step in controls.STEPS if _supports(scores, method, step / 100)), None)


def _supports(scores: LevelScores, method: str, target_fpr: float) -> bool:
    try:
        return threshold(scores, method, target_fpr) is not None
    except GadError:
        return False


def _band(scores: LevelScores, chosen: PointRates, reject: float) -> Band | str:
    lower = chosen.point.threshold
    try:
        upper = threshold(scores, chosen.point.method, reject)
    except GadError as error:
        return frame.sentence(error)
    if upper is None or upper.threshold < lower:
        return "The rate to reject at must lie below the target; choose a smaller one."
    return Band(lower, upper.threshold)
