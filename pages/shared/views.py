"""The four views of Attributions, one of which is shown, and the way from other pages to one image's."""

import streamlit as st

from pages.shared import opened
from pages.shared.controls import BOUND

IMAGE, CATEGORY, STRATEGIES, CAMERA = _NAMES = ("This image", "Whole category", "Strategies", "Another camera")
_KEY = "view"


def choose() -> str:
    """A switch between them; the link carries it."""
    chosen = st.segmented_control(
        "View",
        _NAMES,
        default=IMAGE,
        required=True,
        key=_KEY,
        label_visibility="collapsed",
        **BOUND,
    )
    return str(chosen or IMAGE)


def explain(digest: str) -> None:
    """Open an image, and Attributions at its own view the next time that page is shown; for callbacks."""
    opened.open_image(digest)
    st.session_state[_KEY] = IMAGE


def turn_to(view: str) -> None:
    """Show a view of the open page the next time; for callbacks."""
    st.session_state[_KEY] = view
