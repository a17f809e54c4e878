"""The sign-in page, which is all that is shown to who is not let in; and in the sidebar, who is, or who could be."""

import streamlit as st

from gad_core.workspace.people import Person
from pages.shared import access, frame, person
from pages.shared.text import plain

_ROLES = {"engineer": "Engineer", "viewer": "Viewer: looks, changes nothing"}


def page() -> None:
    """What is shown to the others."""
    who = person.signed_in()
    assert who is not None  # noqa: S101 - where nobody has to sign in, all are let in
    with st.container(horizontal_alignment="center", key="sign_in"), st.container(width=440, gap="medium"):
        st.space("large")
        with st.container(border=True, gap="small"):
            if st.user.get("is_logged_in"):
                _stranger(who)
            else:
                _welcome()


def _welcome() -> None:
    st.title("Sign in to GAD", anchor=False)
    st.markdown(
        ":gray[This dashboard is for people whom its operator has named. You come back to the page that you opened.]"
    )
    services = access.providers()
    for service in services:
        st.button(
            "Sign in" if service == "default" else f"Sign in with {plain(service.capitalize())}",
            key=f"sign_in_{service}",
            type="primary" if service == services[0] else "secondary",
            icon=":material/login:",
            width="stretch",
            on_click=st.login,
            args=() if service == "default" else (service,),
        )


def _stranger(who: Person) -> None:
    st.title("Not let in", anchor=False)
    st.markdown(f":gray[{plain(frame.sentence(who.refusal))}]")
    _out("stretch")


def mark() -> None:
    """At the foot of the sidebar."""
    who = person.signed_in()
    with st.container(gap="xxsmall", key="signed_in"):
        if who:
            st.caption("Signed in")
            st.markdown(f":small[:gray[:material/person:] {plain(who.email)}]")
            st.markdown(f":small[:gray[:material/badge: {_ROLES[who.role or 'viewer']}]]")
            _out("content")
        elif access.open_to_all():
            st.markdown(":small[:orange[:material/lock_open:] Whoever reaches this server can change everything]")
        else:
            st.markdown(":small[:gray[:material/lock: Only this machine can reach this dashboard]]")


def _out(width: str) -> None:
    st.button(
        "Sign out",
        key="sign_out",
        icon=":material/logout:",
        type="tertiary" if width == "content" else "secondary",
        width="stretch" if width == "stretch" else "content",
        on_click=st.logout,
    )
