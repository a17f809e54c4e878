"""Who sits before the page: signed in with a role, or by the name that was given in this tab."""

import time
from typing import TypedDict

import streamlit as st

from gad_core.workspace.people import Person
from pages.shared.access import access
from pages.shared.text import plain

_NAME = "person"


class Control(TypedDict):
    """What a control is drawn with."""

    disabled: bool
    help: str | None


def signed_in() -> Person | None:
    """Who has signed in, with a role or the reason why there is none; None where nobody has to."""
    rules = access()
    return rules.person(st.user.to_dict(), time.time()) if rules else None


def let_in() -> bool:
    """Whether whoever sits here may look at all."""
    person = signed_in()
    return person is None or person.role is not None


def closed() -> str | None:
    """Why whoever sits here may change nothing; None where they may."""
    person = signed_in()
    return person.closed if person else None


def changing(*, disabled: bool = False, tip: str | None = None) -> Control:
    """Options of a control that changes the workspace: for viewers it is off, and its help says why."""
    reason = closed()
    words = plain(f"{reason[0].upper()}{reason[1:]}.") if reason else tip
    return {"disabled": disabled or reason is not None, "help": words}


def name() -> str:
    """The name that goes on record; empty where nobody gave one."""
    if person := signed_in():
        return person.email
    return " ".join(str(st.session_state.get(_NAME, "")).split())


def ask() -> None:
    """The field for a name, unless somebody has signed in: then it is not theirs to choose."""
    if person := signed_in():
        st.caption(f"On record as {plain(person.email)}.")
        return
    st.text_input(
        "Your name",
        key=_NAME,
        max_chars=60,
        placeholder="goes on record with it",
        persist_state="session",
    )
