"""ROC and precision-recall: every threshold at once, and where the chosen one stands."""

from collections.abc import Callable
from typing import Any

from gad_core import figures, wording
from gad_core.decision.curves import precision_recall, roc
from gad_core.decision.rates import Rate, exceedance, rate
from pages.shared import charts, frame, live
from pages.views.working_point.view import View


def curves(view: View, on_pick: Callable[[dict[str, Any]], None]) -> None:
    """ROC or precision-recall with the operating point."""
    area = view.area
    if area is None:
        frame.empty("A ROC needs good and defective test images.", "Bring some", "pages/data.py")
        return
    finding = f"AUROC {wording.area(area)} ({area.interval} interval), n = {area.n_normal} + {area.n_anomalous}."
    chosen = _rates(view, view.threshold)
    with charts.panel_of(("ROC", "Precision-recall"), finding, key="curve_kind") as name:
        if name == "ROC":
            curve = roc(view.scores.test, view.anomalous)
            adopted = _rates(view, view.adopted) if view.adopted != view.threshold else None
            figure = figures.roc_curve(curve, area, chosen=chosen, adopted=adopted)
            marks = [{"kind": "point", "x": "false alarms", "y": "caught rate"}]
        else:
            curve = precision_recall(view.scores.test, view.anomalous)
            figure = figures.precision_recall_curve(curve, chosen=chosen)
            marks = [{"kind": "point", "x": "caught rate", "y": "precision"}]
        charts.pick(figure, key="curves", alt=finding, on_pick=on_pick, marks=marks)


def points(view: View) -> dict[str, list[float] | None]:
    """The operating point on both curves, in percent with intervals, by slot."""
    alarms, caught = (view.chosen.test, view.chosen.tpr) if view.chosen else (None, None)
    flagged = alarms.count + caught.count if alarms and caught else 0
    return {
        "false alarms": live.triple(alarms),
        "caught rate": live.triple(caught),
        "precision": live.triple(rate(caught.count, flagged)) if caught and flagged else None,
    }


def _rates(view: View, threshold: float | None) -> tuple[Rate, Rate] | None:
    """False alarms and caught defects at a threshold, which have been counted for the chosen one."""
    if threshold is None:
        return None
    if view.chosen and view.chosen.test and view.chosen.tpr and threshold == view.threshold:
        return view.chosen.test, view.chosen.tpr
    good, bad = view.scores.test[~view.anomalous], view.scores.test[view.anomalous]
    return exceedance(good, threshold), exceedance(bad, threshold)
