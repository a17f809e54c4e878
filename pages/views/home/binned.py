"""What was deleted within a day, each with the way back."""

from datetime import UTC, datetime

import streamlit as st

from gad_core import wording
from gad_core.errors import GadError
from gad_core.workspace.keeping import KEPT, Keeping
from pages.shared import frame, person, resources
from pages.shared.text import plain


def recently_deleted() -> None:
    """Detectors and data sets in the bin; nothing where it is empty."""
    store = resources.store()
    resources.workspace().empty_bins(datetime.now(UTC))  # a server may run for weeks, and by itself it empties them
    shelves: tuple[tuple[str, str, Keeping], ...] = (
        ("detector", "scatter_plot", store.detectors),
        ("data set", "photo_library", store.datasets),
    )
    things = [(kind, icon, *thing) for kind, icon, shelf in shelves for thing in shelf.binned()]
    if not things:
        return
    with st.expander(f"Recently deleted · {len(things)}", icon=":material/delete:", key="binned"):
        for kind, icon, key, name, deleted in things:
            left = (deleted + KEPT - datetime.now(UTC)).total_seconds()
            with st.container(horizontal=True, vertical_alignment="center", key=f"binned_{key}"):
                words = f"{kind}, gone for good in {wording.duration(max(left, 60))}"
                st.markdown(f":material/{icon}: **{plain(name)}** :gray[{words}]")
                st.button(
                    "Bring back",
                    key=f"bring_back_{key}",
                    icon=":material/undo:",
                    on_click=_bring_back,
                    args=(kind, key),
                    **person.changing(),
                )


def _bring_back(kind: str, key: str) -> None:
    """Take it out of the bin; for callbacks."""
    store = resources.store()
    shelf: Keeping = store.detectors if kind == "detector" else store.datasets
    try:
        shelf.bring_back(key)
    except GadError as error:
        frame.toast(error)
