"""What a threshold promises and what comes: chi-square at every level, every method over all targets, side by side."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from gad_core import figures, wording
from gad_core.decision.assurance import exceeding
from gad_core.decision.promises import most_broken
from gad_core.decision.rates import Rate
from gad_core.decision.working_point import METHODS, conformal_rank
from gad_core.gaussian.tuning import SUM, WorkingPoint
from pages.shared import charts, resources
from pages.shared.controls import STEPS
from pages.shared.text import plain
from pages.views.working_point.view import View

#: Targets of the chart of promises.
TARGETS = tuple(step / 100 for step in STEPS)
ON_AVERAGE = ("chi2", "hotelling", "cross-conformal", "split-conformal")


def chi2_finding(view: View) -> str:
    """The paper's open problem on this data: the threshold that chi-square predicts and what lies above it."""
    rates = view.predicted
    if rates is None:
        if view.settings.tuning.distance != "mahalanobis":
            return "Chi-square predicts thresholds for the Mahalanobis distance and no other."
        return "The target is too rare for chi-square's law of several distances, which is simulated."
    words = [
        f"{wording.rate(rate)} of {rate.n} {name} lie above it"
        for name, rate in (("left-out good parts", rates.left_out), ("good test parts", rates.test))
        if rate
    ]
    target = wording.percent(view.settings.target_fpr)
    predicted = f"For {target} chi-square predicts the threshold {wording.number(rates.point.threshold)}"
    return "; ".join([predicted, *words]) + ("." if rates.test else "; there are no good test parts.")


def by_level(view: View) -> None:
    """The promise of eq. 6 against what comes, at every level and of the whole score."""
    title = "Chi-square, level by level"
    if not view.chi2:
        charts.panel_without(title, chi2_finding(view))
        return
    tuning = view.settings.tuning
    worst = most_broken(view.chi2)
    whole = wording.score_name(tuning)
    place = f"for the {whole}" if worst.level == SUM else f"at level {worst.level}"
    finding = f"Furthest from the {wording.percent(view.settings.target_fpr)} that it promises: {place}"
    if worst.left_out:
        finding += f", {wording.rate(worst.left_out)} of {worst.left_out.n} left-out good parts"
    marked = {*map(str, tuning.levels), SUM} if view.is_sum else {view.settings.level}
    with charts.panel(title, f"{finding}.", loud=True):
        figure = figures.level_promises(view.chi2, view.settings.target_fpr, marked=marked, whole=whole)
        charts.show(figure, key="chi2_levels", alt=finding)


def curves(view: View) -> dict[str, list[Rate | None]]:
    """Left-out rates over all targets: of the methods that are right on average, and of the chosen one."""
    methods = tuple(dict.fromkeys((*ON_AVERAGE, view.settings.method)))
    return resources.promise_curves(view.test, view.settings.tuning, view.settings.level, TARGETS, methods)


def over_targets(view: View, curves: dict[str, list[Rate | None]]) -> None:
    """The rate that left-out parts give against the one promised, over the whole range of targets."""
    finding = _finding(view)
    with charts.panel("Rates: promised and achieved", finding):
        figure = figures.promised_against_achieved(TARGETS, curves, view.settings.target_fpr)
        charts.show(figure, key="promises", alt=finding)


def _finding(view: View) -> str:
    target = wording.percent(view.settings.target_fpr)
    rates = {method.point.method: method.left_out for method in view.methods}
    words = [
        f"{figures.METHOD_NAMES[method]} {wording.percent(rate.value)}"
        for method in METHODS
        if (rate := rates.get(method))
    ]
    if not words:
        return f"Promised {target}; the left-out parts are too few to check it."
    return f"Promised {target}; left-out good parts say: {', '.join(words)}."


def comparison(view: View, on_pick: Callable[[str], None]) -> None:
    """Every method at the same target, side by side; a button each puts another one in force."""
    rows = [
        {
            "method": f"**{figures.METHOD_NAMES[rates.point.method]}**: {_promise(rates.point, view)}",
            "threshold": wording.number(rates.point.threshold),
            "left-out good": charts.cell(rates.left_out) if rates.left_out else "too few",
            "good test": charts.cell(rates.test) if rates.test else "none",
            "defects caught": charts.cell(rates.tpr) if rates.tpr else "none",
        }
        for rates in view.methods
    ]
    target = wording.percent(view.settings.target_fpr)
    with charts.panel("Thresholds by method", f"At a target of {target}; in brackets the exact 95 % interval of each."):
        if rows:
            # Unlike a data frame this table breaks its lines, and no column is cut off on a narrow screen.
            st.table(pd.DataFrame(rows), hide_index=True, border="horizontal", alt="Thresholds and rates by method")
        with st.container(horizontal=True, gap="small"):
            for rates in view.methods:
                method = rates.point.method
                if method != view.settings.method:
                    st.button(
                        f"Use {figures.METHOD_NAMES[method]}",
                        key=f"use_{method}",
                        icon=":material/arrow_upward:",
                        on_click=on_pick,
                        args=(method,),
                    )
        for rates in view.methods:
            st.caption(f":material/info: {figures.METHOD_NAMES[rates.point.method]}: {plain(rates.point.how)}.")
        for method, reason in view.refused.items():
            st.caption(f":material/block: {figures.METHOD_NAMES[method]}: {plain(reason)}.")
        if view.scores.dimension is None:
            st.caption(":material/info: Hotelling describes one level: choose one to see it here.")


def _promise(point: WorkingPoint, view: View) -> str:
    """What a method says of the true rate, and how often a threshold that is right on average breaks it."""
    target, about = wording.percent(point.target_fpr), "about " if point.method.startswith("cross") else ""
    if point.method.endswith("-confident"):
        return f"{target} at most, {about}95 % confident"
    if point.method.endswith("-simultaneous"):
        return f"{target} at most, {about}95 % confident, whichever target is chosen"
    if point.method == "pareto":
        return f"{target}, extrapolated; no guarantee"
    if point.method in ("chi2", "hotelling"):
        return f"{target}, if the Gaussians are right"
    if point.method == "split-conformal" and view.scores.calibration_groups:
        return f"{target} on average, of an image of a new lot"
    broken = exceeding(point.n, conformal_rank(point.n, point.target_fpr), point.target_fpr)
    return f"{about}{target} on average; above it in {100 * broken:.0f} of 100 calibrations"
