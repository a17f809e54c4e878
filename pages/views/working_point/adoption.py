"""Adopting a threshold: asked first where its promise does not hold, said afterwards, and undone with one click."""

from dataclasses import dataclass

import streamlit as st

from gad_core import figures, wording
from gad_core.decision.evaluation import PointRates
from gad_core.errors import GadError
from gad_core.gaussian.tuning import Tuning, WorkingPoint
from gad_core.workspace.adoption import adopt, restore
from gad_core.workspace.rows import DetectorRow
from pages.shared import adopted, frame, resources

_LAST = "_adoption"  # in the session: the last adoption of this tab


@dataclass(frozen=True)
class _Adoption:
    """What was adopted, and what it replaced."""

    detector_id: str
    point: WorkingPoint
    former_tuning: Tuning
    former_point: WorkingPoint | None
    told: bool = False


def adoption(row: DetectorRow, test: resources.TestImages, tuning: Tuning, rates: PointRates) -> None:
    """The button, and the way back from the last adoption."""
    if st.button("Adopt this threshold", type="primary", icon=":material/check:", key="adopt"):
        if rates.breaks_promise:
            _ask(row, test, tuning, rates)
        elif _adopt(row, test, tuning, rates.point):
            st.rerun()
    _last(row)


@st.dialog("The promise does not hold")
def _ask(row: DetectorRow, test: resources.TestImages, tuning: Tuning, rates: PointRates) -> None:
    st.markdown(_warning(rates))
    with st.container(horizontal=True):
        if st.button("Adopt it all the same", key="adopt_anyway", icon=":material/warning:") and _adopt(
            row, test, tuning, rates.point
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


def _adopt(row: DetectorRow, test: resources.TestImages, tuning: Tuning, point: WorkingPoint) -> bool:
    former = test.detector
    try:
        adopt(resources.store(), row, former, tuning, point, state=test.state.detector)
    except GadError as error:
        frame.trouble(error)
        return False
    st.session_state[_LAST] = _Adoption(row.id, point, former.tuning, former.working_point)
    return True


def _last(row: DetectorRow) -> None:
    """What was adopted last in this tab, as long as it holds."""
    last: _Adoption | None = st.session_state.get(_LAST)
    summary = resources.summary(row)
    if last is None or last.detector_id != row.id or last.point != summary.working_point:
        return
    words = f"Adopted: {adopted.words(last.point, summary.tuning)}"
    if not last.told:
        st.toast(f"{words}. It can be undone below the button.", icon=":material/check_circle:")
        st.session_state[_LAST] = _Adoption(**{**vars(last), "told": True})
    with st.container(horizontal=True, vertical_alignment="center", key="adopted"):
        st.markdown(f":material/check_circle: {words}.")
        st.button("Undo", key="undo_adopt", icon=":material/undo:", on_click=_undo, args=(row, last))


def _undo(row: DetectorRow, last: _Adoption) -> None:
    restore(resources.store(), row, last.former_tuning, last.former_point)
    del st.session_state[_LAST]
