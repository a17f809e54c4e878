"""Adopting a threshold: asked first where its promise does not hold, said afterwards, and undone with one click."""

from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from gad_core import figures, wording
from gad_core.decision.evaluation import PointRates
from gad_core.errors import GadError
from gad_core.gaussian.tuning import Tuning, WorkingPoint
from gad_core.workspace.adoption import adopt, restore
from gad_core.workspace.rows import Circumstances, DetectorRow
from gad_core.workspace.steps import auroc_of
from pages.shared import adopted, frame, person, resources
from pages.shared.text import plain
from pages.views.working_point import review
from pages.views.working_point.view import View

_LAST = "_adoption"  # in the session: the last adoption of this tab
_TROUBLE = "_adoption_failed"
_NOTE = "adopt_note"
_NOTED = "_adopt_noted"  # the note went on record
_SHOWN = "_adoption_shown"  # the state of the detector whose numbers the tab shows


@dataclass(frozen=True)
class _Adoption:
    """What was adopted, and what it replaced."""

    detector_id: str
    point: WorkingPoint
    former_tuning: Tuning
    former_point: WorkingPoint | None
    former_auroc: float | None
    told: bool = False


def adoption(row: DetectorRow, view: View, *, reject_fpr: float | None) -> None:
    """The button with the note that goes on record, and the way back from the last adoption.

    `reject_fpr` is the rate of the review band's stricter threshold.
    """
    test, rates = view.test, view.chosen
    if st.session_state.pop(_NOTED, False):
        st.session_state[_NOTE] = ""  # set, not dropped: the browser would send the old words with the next decision
    shown, st.session_state[_SHOWN] = st.session_state.get(_SHOWN), test.state.detector
    lacking = view.missing.why if view.missing else view.review if isinstance(view.review, str) else ""
    with st.container(horizontal=True, key="adopting"):
        pressed = st.button(
            "Adopt this threshold",
            type="primary",
            icon=":material/check:",
            key="adopt",
            **person.changing(disabled=bool(lacking), tip=plain(lacking) if lacking else None),
        )
        with st.popover("Name & note", icon=":material/edit_note:", key="adopt_note_panel"):
            person.ask()
            st.text_area(
                "Why this threshold", key=_NOTE, max_chars=500, placeholder="goes on record with it", height=90
            )
    if pressed and rates:
        point = review.with_band(rates.point, view.review, reject_fpr)
        if shown is not None and shown != test.state.detector:
            st.warning(
                f"{plain(row.name)} was fitted again or given another threshold meanwhile. These are its numbers now; "
                "adopt again if you want them.",
                icon=":material/sync_problem:",
            )
        elif rates.breaks_promise:
            _ask(row, view, point)
        else:
            _adopt(row, view, point)
            st.rerun()
    _last(row)


@st.dialog("The promise does not hold")
def _ask(row: DetectorRow, view: View, point: WorkingPoint) -> None:
    if view.chosen:
        st.markdown(_warning(view.chosen))
    with st.container(horizontal=True):
        if st.button(
            "Adopt it all the same",
            key="adopt_anyway",
            icon=":material/warning:",
            on_click=_adopt,
            args=(row, view, point),
        ):
            st.rerun()
        if st.button("Leave it", key="adopt_not", type="primary"):
            st.rerun()


def _warning(rates: PointRates) -> str:
    assert rates.left_out is not None  # noqa: S101 - a promise that is broken has been checked
    return (
        f"{figures.METHOD_NAMES[rates.point.method]} promises that **{wording.percent(rates.point.target_fpr)}** of "
        f"good parts are flagged. Of {rates.left_out.n} left-out good parts this threshold flags "
        f"**{wording.rate(rates.left_out)}**."
    )


def _adopt(row: DetectorRow, view: View, point: WorkingPoint) -> None:
    """Adopt; also for callbacks, so that what goes wrong is said in the next run."""
    test, tuning = view.test, view.settings.tuning
    former, labels = test.detector, test.images.labels
    circumstances = Circumstances(person.name(), str(st.session_state.get(_NOTE, "")).strip(), _rates(view))
    try:
        area = auroc_of(former, tuning, test.features, labels)
        state = test.state.detector
        adopt(resources.store(), row, former, tuning, point, state=state, auroc=area, circumstances=circumstances)
    except GadError as error:
        st.session_state[_TROUBLE] = error
    else:
        st.session_state[_NOTED] = True
        st.session_state[_LAST] = _Adoption(
            row.id, point, former.tuning, former.working_point, auroc_of(former, former.tuning, test.features, labels)
        )


def _rates(view: View) -> dict[str, Any] | None:
    """What is known of the threshold now, as it goes on record."""
    if view.chosen is None:
        return None
    promised = view.predicted.left_out if view.predicted else None
    return view.chosen.to_json() | {"chi2_left_out_fpr": promised.value if promised else None}


def _last(row: DetectorRow) -> None:
    """What was adopted last in this tab, as long as it holds, or why nothing was."""
    if trouble := st.session_state.pop(_TROUBLE, None):
        frame.trouble(trouble)
    last: _Adoption | None = st.session_state.get(_LAST)
    summary = resources.summary(row)
    if last is None or last.detector_id != row.id or last.point != summary.working_point:
        return
    words = f"Adopted: {adopted.words(last.point, summary.tuning)}"
    if not last.told:
        st.toast(f"{words}. It can be undone below the button.", icon=":material/check_circle:")
        st.session_state[_LAST] = replace(last, told=True)
    with st.container(horizontal=True, vertical_alignment="center", key="adopted"):
        st.markdown(f":material/check_circle: {words}.")
        st.button(
            "Undo", key="undo_adopt", icon=":material/undo:", on_click=_undo, args=(row, last), **person.changing()
        )


def _undo(row: DetectorRow, last: _Adoption) -> None:
    if st.session_state.pop(_LAST, None) is None:  # pressed twice
        return
    try:
        restore(
            resources.store(),
            row,
            last.former_tuning,
            last.former_point,
            auroc=last.former_auroc,
            circumstances=Circumstances(person.name(), "undone"),
        )
    except GadError as error:
        st.session_state[_TROUBLE] = error
    else:
        review.show(last.former_point)
        frame.redraw()
