"""What a threshold promises and what comes: chi-square at every level, every method over all targets, side by side."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from gad_core import figures, wording
from gad_core.decision.rates import Rate
from gad_core.decision.working_point import METHODS
from pages.shared import charts
from pages.shared.controls import STEPS
from pages.shared.text import plain
from pages.views.working_point.view import View

#: Targets of the chart of promises.
TARGETS = tuple(step / 100 for step in STEPS)


def chi2_finding(view: View) -> str:
    """The paper's open problem on this data: what chi-square promises at a level and what comes."""
    rates, levels = view.predicted, view.settings.tuning.levels
    if rates is None:
        return "Chi-square promises a rate for the Mahalanobis distance and no other."
    of_sum = ", the furthest off of these levels" if view.is_sum and len(levels) > 1 else ""
    words = [
        f"{name} say {wording.rate(rate)}, n = {rate.n}"
        for name, rate in (("left-out parts", rates.left_out), ("good test parts", rates.test))
        if rate
    ]
    promise = f"At level {rates.level}{of_sum}, chi-square promises {wording.percent(view.settings.target_fpr)}"
    return "; ".join([promise, *words]) + ("." if rates.test else "; there are no good test parts.")


def by_level(view: View, finding: str) -> None:
    """The promise of eq. 6 against what comes, at every level; `finding` is that of `chi2_finding`."""
    title = "Chi-square, level by level"
    if not view.chi2:
        charts.panel_without(title, finding)
        return
    marked = map(str, view.settings.tuning.levels) if view.is_sum else [view.settings.level]
    with charts.panel(title, finding, loud=True):
        figure = figures.level_promises(view.chi2, view.settings.target_fpr, marked=set(marked))
        charts.show(figure, key="chi2_levels", alt=finding)


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
            "method": figures.METHOD_NAMES[rates.point.method],
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
        if view.is_sum:
            st.caption(":material/info: Chi-square and Hotelling describe one level: choose one to see them here.")
