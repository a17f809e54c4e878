"""Where there is no threshold: the reason, and one button that brings one."""

import streamlit as st

from pages.shared import frame, settings
from pages.shared.text import plain
from pages.views.working_point.view import Missing


def notice(missing: Missing) -> None:
    """Why, and the way out."""
    with st.container(horizontal=True, vertical_alignment="center", key="no_threshold"):
        st.warning(plain(missing.why), icon=":material/block:")
        st.button(
            missing.remedy,
            key="remedy",
            icon=":material/arrow_forward:",
            on_click=_set,
            args=(missing,),
            width="content",
        )


def _set(missing: Missing) -> None:
    st.session_state[missing.control] = missing.value
    settings.keep()
    frame.redraw()
