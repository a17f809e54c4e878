"""Home: the shortest way to a fitted detector."""

from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from gad_core.errors import GadError
from gad_core.features.backbones import BACKBONES
from gad_core.workspace.requests import Demo
from gad_core.workspace.rows import DetectorRow
from pages.shared import frame, opened, person, resources, strips, tasks
from pages.shared.text import plain
from pages.views.home.binned import recently_deleted
from pages.views.home.damaged import damaged_rows
from pages.views.home.detectors import all_detectors, last_used

frame.begin()

_WAY = Path(__file__).parents[1] / "assets" / "way"
_STEPS = (
    ("bring.svg", "Bring", "A few hundred images of good parts; defects only to check."),
    ("fit.svg", "Fit", "A frozen network gives features; every level gets a Gaussian of good parts."),
    ("threshold.svg", "Set the threshold", "Say how many good parts may be flagged; the threshold follows."),
    ("decide.svg", "Decide", "See what is caught, what is not, and how sure that is."),
)


def main() -> None:
    frame.heading(
        "Find the parts that are not like the others", "Fitted to good parts only, in seconds, on this machine."
    )
    with st.container(horizontal=True):
        st.button(
            "Try the demo",
            type="primary",
            icon=":material/play_arrow:",
            key="try_demo",
            on_click=tasks.ask,
            args=("Demo washer", Demo("washer", BACKBONES[0].name)),
            kwargs={"then": "pages/working_point.py"},
            **person.changing(),
        )
        if st.button("Bring your images", icon=":material/add_photo_alternate:", key="bring"):
            st.switch_page("pages/data.py")
    tasks.cards()
    tasks.show_failure()
    damaged_rows()
    with st.grid(4, min_column_width=180):
        for file, title, words in _STEPS:
            with st.container(border=True, height="stretch"):
                st.image(_WAY / file, width="stretch", alt=words)
                st.markdown(f"**{title}**")
                st.caption(words)
    recent()
    all_detectors()
    recently_deleted()


def recent() -> None:
    """Detectors fitted lately, each a way back in."""
    there = [row for row in resources.store().detectors.all() if row.archived is None]
    rows = sorted(there, key=last_used, reverse=True)[:4]
    if not rows:
        return
    st.subheader("Recent detectors", anchor=False)
    with st.grid(4, min_column_width=180):
        for row in rows:
            with st.container(border=True, height="stretch"):
                strips.show(_strip(row), alt=f"{row.name}: images of its data set")
                st.markdown(f"**{plain(row.name)}**")
                st.caption(f"{_size(row)} · {row.backbone} · {row.created:%d %b %Y, %H:%M} UTC")
                if st.button("Open", key=f"recent_{row.id}", icon=":material/arrow_forward:"):
                    opened.open_detector(row)
                    st.switch_page("pages/working_point.py", query_params=opened.link())


def _strip(row: DetectorRow) -> NDArray[np.uint8] | None:
    try:
        return strips.of_dataset(resources.store().datasets.get(row.dataset_id)) if row.dataset_id else None
    except GadError:  # deleted meanwhile
        return None


def _size(row: DetectorRow) -> str:
    try:
        return f"{resources.summary(row).n_train} good parts"
    except GadError:
        return "its file cannot be read"


main()
