"""What a detector's new images say together: how its threshold does, and whether its calibration still holds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gad_core.decision.achieved import Achieved, achieved
from gad_core.decision.drift import Drift, watch_at
from gad_core.decision.point_settings import PointSettings
from gad_core.decision.verdict import Judge
from gad_core.features.registry import get_backbone
from gad_core.gaussian.detector import Detector
from gad_core.workspace.rows import DetectorRow, InspectionRow
from gad_core.workspace.store import Store


@dataclass(frozen=True)
class OnLine:
    """The images whose scores mean what the detector's scores mean now, in the order in which they came.

    `others` were judged by another fit or another reading of it; `threshold` is the adopted one.
    """

    rows: tuple[InspectionRow, ...]
    others: int
    threshold: float | None = None

    @property
    def achieved(self) -> Achieved:
        """What the threshold in force does on them, as far as people told."""
        return achieved(self.flagged, [row.defective for row in self.rows])

    @property
    def flagged(self) -> list[bool]:
        """Whether each lies above the threshold in force, which may be another than when it came."""
        return [row.flagged if self.threshold is None else row.score > self.threshold for row in self.rows]

    def drift(self, detector: Detector) -> Drift:
        """Hold their scores against the detector's normal images; raises as `watch_at` and `Judge.of` do."""
        judge = Judge.of(detector)
        lots = [row.lot for row in self.rows]
        scores = replace(judge.normal, test=np.array([row.score for row in self.rows]))
        return watch_at(judge.point, scores, lots=lots if any(lots) else None)


def on_line(
    store: Store, row: DetectorRow, detector: Detector, inspected: Sequence[InspectionRow] | None = None
) -> OnLine:
    """The images that a detector has judged as it would judge them now, of all that it has judged."""
    inspected = store.inspections.of([row.id]) if inspected is None else inspected
    own = PointSettings.of(detector.tuning, detector.working_point)
    # Before anything was adopted, a detector is read as it was fitted.
    fitted = PointSettings.of(detector.settings.tuning_on(get_backbone(detector.backbone)), None)
    readings = {one.id: (one.tuning, one.point.level) for one in store.detectors.decisions(row.id)}
    alike: set[str | None] = {one for one, reading in readings.items() if reading == (own.tuning, own.level)}
    if (fitted.tuning, fitted.level) == (own.tuning, own.level):
        alike.add(None)
    version = detector.version
    same = [one for one in inspected if one.version == version and one.decision_id in alike]
    point = detector.working_point
    return OnLine(tuple(same), len(inspected) - len(same), point.threshold if point else None)


def for_calibration(rows: Sequence[InspectionRow]) -> tuple[tuple[InspectionRow, ...], tuple[InspectionRow, ...]]:
    """The images that are good as far as anybody knows, and the flagged ones that somebody has to judge first.

    Without the flagged good ones the others would look better than good parts are, and the threshold come out too low.
    """
    good = tuple(row for row in rows if row.defective is False or (row.defective is None and not row.flagged))
    return good, tuple(row for row in rows if row.defective is None and row.flagged)
