"""The decisions on this detector's threshold, the newest first: who, when, why, and what was known."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from gad_core import figures, wording
from gad_core.decision.point_settings import PointSettings
from gad_core.errors import GadError
from gad_core.gaussian.tuning import SUM
from gad_core.workspace.adoption import in_force, restore_decision
from gad_core.workspace.decisions import table, what
from gad_core.workspace.rows import DecisionRow, DetectorRow
from gad_core.workspace.steps import auroc_of
from pages.shared import adopted, charts, frame, person, resources, settings
from pages.shared.text import plain
from pages.views.working_point import review
from pages.views.working_point.view import View

_SHOWN = 12
_TROUBLE = "_decision_failed"
_ICONS = {"adopted": "check_circle", "restored": "history", "withdrawn": "undo"}


def timeline(detector: DetectorRow, view: View) -> None:
    """One entry a decision, the way back to it, and the whole list as CSV; nothing before the first."""
    decisions = resources.store().detectors.decisions(detector.id)
    if not decisions:
        return
    summary = resources.summary(detector)
    holds = in_force(decisions, summary.tuning, summary.working_point)
    finding = "Nothing here is ever changed or deleted; an earlier threshold comes back as a new entry."
    with charts.cornered("Decisions", finding) as corner:
        corner.download_button(
            "CSV",
            pd.DataFrame(table(decisions)).to_csv(index=False).encode(),
            file_name=wording.file_name(detector.name, " decisions.csv"),
            mime="text/csv",
            icon=":material/download:",
            key="decisions_csv",
        )
        if trouble := st.session_state.pop(_TROUBLE, None):
            st.error(plain(trouble), icon=":material/error:")
        for decision in decisions[:_SHOWN]:
            _entry(detector, view, decision, holds=holds is not None and decision.id == holds.id)
        if len(decisions) > _SHOWN:
            st.caption(f"{len(decisions) - _SHOWN} earlier ones are in the CSV.")


def _entry(detector: DetectorRow, view: View, decision: DecisionRow, *, holds: bool) -> None:
    done = what(decision)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"decision_{decision.id}"):
        with st.container(gap="xxsmall"):
            who = plain(decision.who) or "not named"
            mark = " · :green-badge[in force]" if holds else ""
            head = f":material/{_ICONS[done]}: **{decision.created:%d %b %Y, %H:%M}** UTC · {who} · {done}{mark}"
            st.markdown(head)
            st.markdown(f":small[{plain(_words(decision))}]")
            if decision.rates and not decision.withdrawn:
                st.caption(plain(_rates(decision.rates)))
            if decision.note:
                st.markdown(f":small[:gray[“{plain(decision.note)}”]]")
        if not holds and not decision.withdrawn:
            st.button(
                "Restore",
                key=f"restore_{decision.id}",
                icon=":material/history:",
                on_click=_restore,
                args=(detector, view, decision),
                **person.changing(tip="Adopt it again, as a new entry."),
            )


def _words(decision: DecisionRow) -> str:
    """The threshold and how it came about: `2.71, cross-conformal at 5.0 %, levels 6-7, NPCA 5 %`."""
    point = decision.point
    level = "" if point.level == SUM else f", level {point.level}"
    return (
        f"{wording.number(point.threshold)}{level}{adopted.band(point)} · "
        f"{figures.METHOD_NAMES[point.method].lower()} at {wording.percent(point.target_fpr)}, n = {point.n} · "
        f"{wording.tuning(decision.tuning)}"
    )


def _rates(rates: Mapping[str, Any]) -> str:
    """What was known then: left out, good test parts, caught defects."""
    names = {"left_out_fpr": "left-out good", "test_fpr": "good test parts", "tpr": "caught defects"}
    words = []
    for name, label in names.items():
        low_high, n = (rates.get(f"{name.removesuffix('_fpr')}_{part}") for part in ("interval", "n"))
        if rates.get(name) is not None and low_high:
            words.append(f"{label} {wording.percent(rates[name])} {wording.interval(*low_high)}, n = {n}")
    return " · ".join(words)


def _restore(detector: DetectorRow, view: View, decision: DecisionRow) -> None:
    """Adopt it again; for callbacks."""
    test = view.test
    try:
        area = auroc_of(test.detector, decision.tuning, test.features, test.images.labels)
        restore_decision(resources.store(), detector, decision.id, auroc=area, who=person.name())
    except GadError as error:
        st.session_state[_TROUBLE] = str(error)
    else:
        settings.choose_all(PointSettings.of(decision.tuning, decision.point))
        review.show(decision.point)
        frame.redraw()
