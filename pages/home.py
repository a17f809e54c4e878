"""Home: the shortest way to a fitted detector."""

from functools import partial
from pathlib import Path

import streamlit as st

from gad_core.errors import GadError
from gad_core.features.backbones import BACKBONES
from gad_core.workspace.rows import DetectorRow
from gad_core.workspace.steps import try_demo
from pages.shared import frame, opened, resources, tasks
from pages.views.home.detectors import all_detectors

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
    tasks.cards()
    tasks.show_failure()
    with st.container(horizontal=True):
        if st.button("Try the demo", type="primary", icon=":material/play_arrow:", key="try_demo"):
            work = partial(
                try_demo, resources.store(), "washer", backbone=BACKBONES[0].name, cache=resources.feature_cache()
            )
            tasks.submit("fit", "Demo washer", work, then="pages/working_point.py")
            st.rerun()
        if st.button("Bring your images", icon=":material/add_photo_alternate:", key="bring"):
            st.switch_page("pages/data.py")
    with st.grid(4, min_column_width=180):
        for file, title, words in _STEPS:
            with st.container(border=True, height="stretch"):
                st.image(_WAY / file, width="stretch", alt=words)
                st.markdown(f"**{title}**")
                st.caption(words)
    recent()
    all_detectors()


def recent() -> None:
    """Detectors fitted lately, each a way back in."""
    rows = resources.store().detectors.all()[:4]
    if not rows:
        return
    st.subheader("Recent detectors", anchor=False)
    with st.grid(4, min_column_width=180):
        for row in rows:
            with st.container(border=True, height="stretch"):
                st.markdown(f"**{row.name}**")
                st.caption(f"{_size(row)} · {row.backbone} · {row.created:%d %b %Y, %H:%M} UTC")
                if st.button("Open", key=f"recent_{row.id}", icon=":material/arrow_forward:"):
                    opened.open_detector(row)
                    st.switch_page("pages/working_point.py", query_params=opened.link())


def _size(row: DetectorRow) -> str:
    try:
        return f"{resources.summary(row).n_train} good parts"
    except GadError:
        return "its file cannot be read"


main()
