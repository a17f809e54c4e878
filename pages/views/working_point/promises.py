"""What a threshold promises and what comes: chi-square at every level, every method over all targets, side by side."""

from collections.abc import Callable
from functools import partial

import pandas as pd
import streamlit as st

from gad_core import figures, wording
from gad_core.decision.evaluation import PointRates
from gad_core.decision.promises import most_broken
from gad_core.decision.rates import Rate
from gad_core.decision.working_point import METHODS
from gad_core.gaussian.tuning import SUM
from pages.shared import charts
from pages.shared.controls import STEPS
from pages.shared.text import plain
from pages.views.working_point.view import View, is_sum

#: Targets of the chart of promises.
TARGETS = tuple(step / 100 for step in STEPS)


def chi2_at(view: View) -> PointRates | None:
    """Rates at the chi-square threshold of the level shown, or of that level of the sum where most is amiss."""
    if not is_sum(view):
        return view.chi2.get(view.settings.level)
    summed = {level: rates for level, rates in view.chi2.items() if int(level) in view.settings.tuning.levels}
    return most_broken(summed) if summed else None


def by_level(view: View) -> None:
    """The promise of eq. 6 against what comes, at every level."""
    title = "Chi-square, level by level"
    rates = chi2_at(view)
    if rates is None:
        charts.panel_without(title, "Chi-square promises a rate for the Mahalanobis distance and no other.")
        return
    finding = chi2_finding(view, rates)
    marked = map(str, view.settings.tuning.levels) if is_sum(view) else [view.settings.level]
    with charts.panel(title, finding):
        figure = figures.level_promises(view.chi2, view.settings.target_fpr, marked=set(marked))
        charts.show(figure, key="chi2_levels", alt=finding)


def chi2_finding(view: View, rates: PointRates) -> str:
    """The paper's open problem on this data: what chi-square promises and what comes."""
    of_sum = ", the furthest off in the sum" if is_sum(view) and len(view.settings.tuning.levels) > 1 else ""
    words = [
        f"{name} say {wording.rate(rate)}, n = {rate.n}"
        for name, rate in (("left-out parts", rates.left_out), ("good test parts", rates.test))
        if rate
    ]
    promise = f"At level {rates.level}{of_sum}, chi-square promises {wording.percent(view.settings.target_fpr)}"
    return "; ".join([promise, *words]) + ("." if rates.test else "; there are no good test parts.")


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
    """Every method at the same target, side by side; a click on a row makes its method the one in force."""
    rows = [
        {
            "method": figures.METHOD_NAMES[rates.point.method],
            "threshold": wording.number(rates.point.threshold),
            "left-out good": _cell(rates.left_out, "too few"),
            "good test": _cell(rates.test, "none"),
            "defects caught": _cell(rates.tpr, "none"),
        }
        for rates in view.methods
    ]
    finding = (
        f"At a target of {wording.percent(view.settings.target_fpr)}; in brackets the exact 95 % interval of each. "
        "A click on a row puts its threshold in force above."
    )
    with charts.panel("Thresholds by method", finding):
        if rows:
            st.dataframe(
                pd.DataFrame(rows),
                hide_index=True,
                key="methods",
                alt="Thresholds and rates of every method",
                on_select=partial(_picked_row, view, on_pick),
                selection_mode="single-row",
                row_height=52,
            )
        for rates in view.methods:
            st.caption(f":material/info: {figures.METHOD_NAMES[rates.point.method]}: {plain(rates.point.how)}.")
        for method, reason in view.refused.items():
            st.caption(f":material/block: {figures.METHOD_NAMES[method]}: {plain(reason)}.")
        if view.settings.level == SUM:
            st.caption(":material/info: Chi-square and Hotelling describe one level: choose one to see them here.")


def _cell(rate: Rate | None, otherwise: str) -> str:
    return f"{wording.percent(rate.value)}\n{wording.interval(rate.low, rate.high)}" if rate else otherwise


def _picked_row(view: View, on_pick: Callable[[str], None]) -> None:
    rows = st.session_state["methods"].selection.rows
    if rows:
        on_pick(view.methods[rows[0]].point.method)
