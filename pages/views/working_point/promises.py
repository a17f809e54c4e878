"""What a threshold promises and what comes: chi-square at every level, every method over all targets, side by side."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from gad_core import figures, wording
from gad_core.decision.assurance import exceeding
from gad_core.decision.promises import most_broken
from gad_core.decision.rates import Rate
from gad_core.decision.working_point import METHODS, conformal_rank
from gad_core.gaussian.tuning import SUM, WorkingPoint
from pages.shared import charts, live, resources
from pages.shared.controls import STEPS
from pages.views.working_point.view import View

#: Targets of the chart of promises.
TARGETS = tuple(step / 100 for step in STEPS)
_COLUMNS = ("threshold", "left-out good", "good test", "defects caught")
_IN_FORCE = ' aria-current="true"'
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
    marked = {*map(str, tuning.levels), SUM} if view.is_sum else {view.settings.level}
    finding = _levels_finding(view)
    with charts.panel(title, finding, loud=True, slot="levels"):
        figure = figures.level_promises(
            view.chi2, view.settings.target_fpr, marked=marked, whole=wording.score_name(tuning)
        )
        levels = [[level, level in marked] for level in view.chi2]
        marks: list[live.Mark] = [{"kind": "promise", "y": "target at"}]
        marks += [
            {"kind": "levels", "series": name, "levels": levels, "aside": aside}
            for name, aside in figures.LEVEL_SERIES.items()
        ]
        charts.show(figure, key="chi2_levels", alt=finding, marks=marks)


def _levels_finding(view: View) -> str:
    if not view.chi2:
        return chi2_finding(view)
    worst, whole = most_broken(view.chi2), wording.score_name(view.settings.tuning)
    place = f"for the {whole}" if worst.level == SUM else f"at level {worst.level}"
    finding = f"Furthest from the {wording.percent(view.settings.target_fpr)} that it promises: {place}"
    if worst.left_out:
        finding += f", {wording.rate(worst.left_out)} of {worst.left_out.n} left-out good parts"
    return f"{finding}."


def curves(view: View) -> dict[str, list[Rate | None]]:
    """Left-out rates over all targets: of the methods that are right on average, and of the chosen one."""
    methods = tuple(dict.fromkeys((*ON_AVERAGE, view.settings.method)))
    return resources.promise_curves(view.test, view.settings.tuning, view.settings.level, TARGETS, methods)


def over_targets(view: View, curves: dict[str, list[Rate | None]]) -> None:
    """The rate that left-out parts give against the one promised, over the whole range of targets."""
    finding = _finding(view)
    with charts.panel("Rates: promised and achieved", finding, slot="promises"):
        figure = figures.promised_against_achieved(TARGETS, curves, view.settings.target_fpr)
        marks = [{"kind": "line", "x": "target at", "label": "target name", "style": "threshold"}]
        charts.show(figure, key="promises", alt=finding, marks=marks)


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


def target_words(target: float) -> str:
    """The name of the line at a target."""
    return f"target {wording.number(100 * target)} %"


def comparison(view: View, on_pick: Callable[[str], None]) -> None:
    """Every method at the same target, side by side; a button each puts another one in force."""
    with charts.panel("Thresholds by method", str(_methods_finding(view)), slot="methods"):
        rows = [
            f'<tr{_IN_FORCE if method == view.settings.method else ""}><th scope="row">{figures.METHOD_NAMES[method]}'
            f'<small data-slot="{method} promise"></small><small data-slot="{method} how"></small></th>'
            + "".join(f'<td data-slot="{method} {column}"></td>' for column in _COLUMNS)
            + f"<td>{_use(method) if method != view.settings.method else 'in force'}</td></tr>"
            for method in METHODS
            if _has_a_row(view, method)
        ]
        head = "".join(f'<th scope="col">{name}</th>' for name in ("method", *_COLUMNS, ""))
        live.words(
            f'<table class="gad-table"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>',
            words(view),
            key="methods",
            on_choose=on_pick,
        )
        if view.scores.dimension is None:
            st.caption(":material/info: Hotelling describes one level: choose one to see it here.")


def _use(method: str) -> str:
    return f'<button data-choose="{method}" aria-label="Use {figures.METHOD_NAMES[method]}">Use</button>'


def words(view: View) -> dict[str, Any]:
    """What stands in the table and above it, the findings, and the points of all levels, by slot."""
    found = {
        "promises": _finding(view),
        "methods": _methods_finding(view),
        "levels": _levels_finding(view),
        "levels left-out good": {level: live.triple(rates.left_out) for level, rates in view.chi2.items()},
        "levels good test": {level: live.triple(rates.test) for level, rates in view.chi2.items()},
    }
    for method in METHODS:
        if _has_a_row(view, method):
            cells = _cells(view, method)
            found |= {f"{method} {column}": text for column, text in cells.items()}
    return found


def _methods_finding(view: View) -> str:
    return f"At a target of {wording.percent(view.settings.target_fpr)}; in brackets the exact 95 % interval of each."


def _has_a_row(view: View, method: str) -> bool:
    """Whether a method can have a threshold here at all."""
    if method == "hotelling":
        return view.scores.dimension is not None
    if method == "chi2":
        return view.scores.law is not None
    return view.scores.calibration is not None or not method.startswith("split")


def _cells(view: View, method: str) -> dict[str, str]:
    """One row: what the method promises and what comes, or why it has no threshold at this target."""
    rates = next((rates for rates in view.methods if rates.point.method == method), None)
    if rates is None:
        refused = view.refused.get(method, "it has no threshold here")
        return dict.fromkeys(_COLUMNS, "–") | {"promise": "", "how": f"{refused[0].upper()}{refused[1:]}."}
    how = rates.point.how
    return {
        "promise": _promise(rates.point, view),
        "how": f"{how[0].upper()}{how[1:]}.",
        "threshold": wording.number(rates.point.threshold),
        "left-out good": wording.rate(rates.left_out) if rates.left_out else "too few",
        "good test": wording.rate(rates.test) if rates.test else "none",
        "defects caught": wording.rate(rates.tpr) if rates.tpr else "none",
    }


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
