"""One tuning, one level, one target: every method's threshold there, its rates, and the charts that show them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from gad_core import figures, wording
from gad_core.data.datasets import GOOD
from gad_core.decision.curves import Auroc, auroc, precision_recall, roc
from gad_core.decision.evaluation import LevelScores, PointRates, working_points
from gad_core.decision.point_settings import PointSettings
from gad_core.decision.rates import Rate, exceedance, rates_by_type
from pages.shared import charts, frame
from pages.shared.controls import STEPS
from pages.shared.resources import TestImages

Picked = Callable[[dict[str, Any]], None]

#: Targets of the chart of promises.
TARGETS = tuple(step / 100 for step in STEPS)


@dataclass(frozen=True)
class View:
    """Scores at one tuning and level, the chosen threshold, and what the other methods do at the same target."""

    test: TestImages
    settings: PointSettings
    scores: LevelScores
    chosen: PointRates
    methods: tuple[PointRates, ...]
    refused: dict[str, str]

    @property
    def anomalous(self) -> NDArray[np.bool_]:
        """Labels of the test images."""
        return self.test.images.labels

    @property
    def adopted(self) -> float | None:
        """The adopted threshold, where these are the scores that it belongs to."""
        detector = self.test.detector
        point = detector.working_point
        same = point is not None and (detector.tuning, point.level) == (self.settings.tuning, self.settings.level)
        return point.threshold if point and same else None

    @property
    def area(self) -> Auroc | None:
        """Area under the ROC; None where a kind of image is missing."""
        return auroc(self.scores.test, self.anomalous) if self.test.has_both_kinds else None

    @property
    def groups(self) -> dict[str, tuple[NDArray[np.float64], str]]:
        """Scores by kind of image, with the colour of the kind."""
        scores = self.scores
        return {
            "left-out good": (scores.left_out, figures.LEFT_OUT),
            "good test": (scores.test[~self.anomalous], figures.NORMAL),
            "defects": (scores.test[self.anomalous], figures.DEFECT),
        }


def view_at(test: TestImages, settings: PointSettings, scores: LevelScores) -> View | str:
    """The view at the chosen method's threshold, or why the method has none."""
    method = settings.method
    methods, refused = working_points(scores, test.images.labels, settings.target_fpr)
    for rates in methods:
        if rates.point.method == method:
            return View(test, settings, scores, rates, methods, refused)
    if method in refused:
        return frame.sentence(refused[method])
    if method == "split-conformal":
        return "Split-conformal needs separate good parts for calibration; fit with some, or choose cross-conformal."
    return "The sum of levels has no known distribution; choose one level, or cross-conformal."


def distances(view: View, on_pick: Picked) -> None:
    """Histogram or distribution function of the three kinds of images."""
    with charts.panel("Distances", _separation(view)) as corner:
        kind = charts.switch(corner, ("Histogram", "ECDF"), key="distance_kind")
        threshold, alt = view.chosen.point.threshold, _separation(view)
        if kind == "Histogram":
            figure = figures.score_histogram(view.groups, threshold, adopted=view.adopted)
            charts.pick(figure, key="distances", alt=alt, on_pick=on_pick)
        else:
            figure = figures.score_ecdf(view.groups, threshold, adopted=view.adopted)
            charts.show(figure, key="shares", alt=alt)


def curves(view: View, on_pick: Picked) -> None:
    """ROC or precision-recall with the operating point."""
    area, test, caught = view.area, view.chosen.test, view.chosen.tpr
    if area is None or test is None or caught is None:
        frame.empty("A ROC needs good and defective test images.", "Bring some", "pages/data.py")
        return
    finding = f"AUROC {wording.area(area)} ({area.interval} interval), n = {area.n_normal} + {area.n_anomalous}."
    with charts.panel_of(("ROC", "Precision-recall"), finding, key="curve_kind") as name:
        if name == "ROC":
            curve = roc(view.scores.test, view.anomalous)
            figure = figures.roc_curve(curve, test, caught, area, adopted=_adopted_rates(view))
        else:
            curve = precision_recall(view.scores.test, view.anomalous)
            figure = figures.precision_recall_curve(curve, caught, test.count)
        charts.pick(figure, key="curves", alt=finding, on_pick=on_pick)


def _adopted_rates(view: View) -> tuple[Rate, Rate] | None:
    """False alarms and caught defects at an adopted threshold other than the shown one."""
    if view.adopted is None or view.adopted == view.chosen.point.threshold:
        return None
    good, bad = view.scores.test[~view.anomalous], view.scores.test[view.anomalous]
    return exceedance(good, view.adopted), exceedance(bad, view.adopted)


def promises(view: View, curves: dict[str, list[Rate | None]]) -> None:
    """The rate that left-out parts give against the one promised, over the whole range of targets."""
    finding = _promise_finding(view)
    with charts.panel("Rates: promised and achieved", finding):
        figure = figures.promised_against_achieved(TARGETS, curves, view.settings.target_fpr)
        charts.show(figure, key="promises", alt=finding)


def defect_types(view: View) -> None:
    """Share caught of every defect type."""
    if not view.anomalous.any():
        return
    defects = [defect for defect in view.test.images.defects if defect != GOOD]
    rates = rates_by_type(view.scores.test[view.anomalous], defects, view.chosen.point.threshold)
    worst = min(rates, key=lambda defect: rates[defect].value)
    finding = f"Hardest to catch: {worst.replace('_', ' ')}, {wording.rate(rates[worst])}."
    with charts.panel("Caught defects by type", finding):
        charts.show(figures.rate_bars(rates, figures.DEFECT), key="types", alt=finding)


def comparison(view: View, on_pick: Callable[[str], None]) -> None:
    """Every method at the same target, side by side; a click on a row makes its method the one in force."""
    rows = [
        {
            "method": figures.METHOD_NAMES[rates.point.method],
            "threshold": wording.number(rates.point.threshold),
            "promised": wording.percent(view.settings.target_fpr),
            "left-out good": wording.rate(rates.left_out) if rates.left_out else "too few images",
            "good test parts": wording.rate(rates.test) if rates.test else "none",
            "caught defects": wording.rate(rates.tpr) if rates.tpr else "none",
            "how": rates.point.how,
        }
        for rates in view.methods
    ]
    finding = "In brackets the exact 95 % interval of each rate. A click on a row puts its threshold in force above."
    with charts.panel("Thresholds by method", finding):
        st.dataframe(
            pd.DataFrame(rows),
            hide_index=True,
            key="methods",
            alt="Thresholds and rates of every method",
            on_select=partial(_picked_row, view, on_pick),
            selection_mode="single-row",
        )
        for method, reason in view.refused.items():
            st.caption(f":material/block: {figures.METHOD_NAMES[method]}: {reason}.")
        if view.scores.dimension is None:
            st.caption(
                ":material/info: Chi-square and Hotelling describe one level: choose one above to see them beside."
            )


def _picked_row(view: View, on_pick: Callable[[str], None]) -> None:
    rows = st.session_state["methods"].selection.rows
    if rows:
        on_pick(view.methods[rows[0]].point.method)


def _separation(view: View) -> str:
    """What the histogram shows, in words."""
    words = []
    if view.chosen.test:
        words.append(f"{view.chosen.test.count} of {view.chosen.test.n} good test parts lie above the threshold")
    if view.chosen.tpr:
        missed = view.chosen.tpr.n - view.chosen.tpr.count
        words.append(f"{missed} of {view.chosen.tpr.n} defects below it")
    return (", ".join(words) or f"{len(view.scores.left_out)} good parts, each scored by a fit without it") + "."


def _promise_finding(view: View) -> str:
    """The paper's open problem on this data: what each method promises and what left-out parts say."""
    rates = {method.point.method: method.left_out for method in view.methods}
    words = [
        f"{figures.METHOD_NAMES[method]} {wording.percent(rate.value)}"
        for method in ("chi2", "hotelling", "cross-conformal", "split-conformal")
        if (rate := rates.get(method))
    ]
    if not words:
        return f"Promised {wording.percent(view.settings.target_fpr)}; the left-out parts are too few to check it."
    return f"Promised {wording.percent(view.settings.target_fpr)}; left-out good parts say: {', '.join(words)}."
