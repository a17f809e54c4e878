"""Who sits before the page: as logged in, or by the name that was given in this tab."""

import streamlit as st

_NAME = "person"


def name() -> str:
    """The name that goes on record; empty where nobody gave one."""
    if logged := _logged_in():
        return logged
    return " ".join(str(st.session_state.get(_NAME, "")).split())


def ask() -> None:
    """The field for a name, unless somebody is logged in."""
    if logged := _logged_in():
        st.caption(f"On record as {logged}.")
        return
    st.text_input(
        "Your name",
        key=_NAME,
        max_chars=60,
        placeholder="goes on record with it",
        persist_state="session",
    )


def _logged_in() -> str:
    return str(st.user.get("email") or "") if st.user.get("is_logged_in") else ""
