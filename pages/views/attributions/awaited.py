"""The explanation of one image while it is made: how far it is, and the way to give it up."""

import streamlit as st

from gad_core.attribution.attribution_map import Attribution
from gad_core.data.datasets import ImageFile
from gad_core.errors import Cancelled
from gad_core.gaussian.tuning import Tuning
from pages.shared import explaining, resources
from pages.shared.background import Explanation, explanations
from pages.shared.text import plain

#: Seconds for which the page waits by itself, so that one explanation does not draw it twice.
PATIENCE = 1.5
_POLL = 0.5
_GIVEN_UP = "_explanation_given_up"  # in the session: what was not to be explained


def attribution(test: resources.TestImages, file: ImageFile, tuning: Tuning, n_references: int) -> Attribution | None:
    """The map of an image; None while it is made, and once that was cancelled until it is asked for again."""
    task = explaining.task(test, resources.pixels(test.detector.backbone, file), tuning, n_references)
    if st.session_state.get(_GIVEN_UP) == task.key:
        st.info("The explanation was cancelled.", icon=":material/cancel:")
        st.button("Explain this image", key="explain_again", icon=":material/play_arrow:", on_click=_ask_again)
        return None
    under_way = explanations().of(task)
    if not under_way.wait(PATIENCE):
        _card(under_way, task, plain(file.path.name))
        return None
    explanations().heard(task)
    try:
        return under_way.result()
    except Cancelled:  # in another tab, while this one waited for the same
        st.rerun(scope="app")


@st.fragment(run_every=_POLL)
def _card(under_way: Explanation, task: explaining.Task, name: str) -> None:
    """How far it is, until it ends or is given up: then the page is drawn anew."""
    if under_way.ended or st.session_state.get(_GIVEN_UP) == task.key:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center", key="explaining"):
        words = f"Explaining {name} … {under_way.done} of {under_way.total} references"
        st.progress(under_way.done / max(under_way.total, 1), words)
        st.button("Cancel", key="explain_cancel", icon=":material/cancel:", on_click=_give_up, args=[under_way, task])


def _give_up(under_way: Explanation, task: explaining.Task) -> None:
    st.session_state[_GIVEN_UP] = task.key
    under_way.cancel()
    explanations().heard(task)


def _ask_again() -> None:
    del st.session_state[_GIVEN_UP]
