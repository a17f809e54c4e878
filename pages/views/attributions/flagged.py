"""Whether the image shown is flagged, and by how much: against the adopted threshold, else that of the controls."""

from dataclasses import dataclass

import streamlit as st

from gad_core import figures, wording
from gad_core.data.datasets import ImageFile
from gad_core.decision.evaluation import threshold
from gad_core.decision.point_settings import PointSettings
from gad_core.errors import GadError
from gad_core.gaussian.tuning import SUM, WorkingPoint
from pages.shared import frame, resources
from pages.shared.text import plain


@dataclass(frozen=True)
class Judged:
    """An image's score against a threshold; without one, why there is none."""

    score: float  # at the threshold's level
    point: WorkingPoint | None
    adopted: bool
    missing: str = ""

    @property
    def flagged(self) -> bool:
        """Whether the score lies above the threshold."""
        return self.point is not None and self.score > self.point.threshold


def judged(test: resources.TestImages, file: ImageFile, settings: PointSettings) -> Judged:
    """Hold an image against the threshold in force at these settings."""
    scores, place = resources.scores(test, settings.tuning), test.images.files.index(file)
    point, missing = in_force(test, settings)
    score = float(scores[point.level if point else settings.level].test[place])
    return Judged(score, point, adopted=point is not None and point == test.detector.working_point, missing=missing)


def in_force(test: resources.TestImages, settings: PointSettings) -> tuple[WorkingPoint | None, str]:
    """The adopted threshold where it belongs to these settings, else that which they ask for, or why there is none."""
    detector, adopted = test.detector, test.detector.working_point
    if adopted and detector.tuning == settings.tuning:
        return adopted, ""
    try:
        made = threshold(resources.scores(test, settings.tuning)[settings.level], settings.method, settings.target_fpr)
    except GadError as error:
        return None, str(error)
    name = figures.METHOD_NAMES[settings.method].lower()
    return (
        made,
        "" if made else f"{name} knows no threshold for {_level(settings.level)}; choose another on Working point",
    )


def words(found: Judged) -> str:
    """The verdict in a sentence: `Flagged: 31.2 lies 1.6 times above the threshold 19.4 (..)`."""
    if found.point is None:
        return frame.sentence(f"no threshold to hold this image against: {found.missing}")
    point = found.point
    at = "" if point.level == SUM else f" at {_level(point.level)}"
    how = f"{figures.METHOD_NAMES[point.method].lower()} at {wording.percent(point.target_fpr)}"
    limit = f"the {'adopted ' if found.adopted else ''}threshold {wording.number(point.threshold)} ({how})"
    times = found.score / point.threshold if point.threshold else float("inf")
    if found.flagged:
        return f"Flagged: the distance {wording.number(found.score)}{at} is {times:.2g} times {limit}."
    return f"Not flagged: the distance {wording.number(found.score)}{at} is {wording.percent(times)} of {limit}."


def show(found: Judged) -> None:
    """The verdict as a line of text with its mark."""
    icon = ":material/flag:" if found.flagged else ":material/check:" if found.point else ":material/info:"
    st.markdown(f"{icon} {plain(words(found))}")


def _level(level: str) -> str:
    return "the sum" if level == SUM else f"level {level}"
