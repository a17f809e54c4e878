"""Dialogs over a detector or a data set: its name and what it is for, and its way into the bin."""

import streamlit as st

from gad_core.errors import GadError
from gad_core.workspace.hanging import hangs_on_dataset, hangs_on_detector
from gad_core.workspace.keeping import Keeping
from gad_core.workspace.rows import DatasetRow, DetectorRow
from pages.shared import frame, resources
from pages.shared.text import plain

Row = DetectorRow | DatasetRow


@st.dialog("Name and description")
def describe(row: Row) -> None:
    """Change both."""
    name = st.text_input("Name", value=row.name, key="thing_name", max_chars=60)
    description = st.text_area(
        "What it is for", value=row.description, key="thing_description", max_chars=500, placeholder="may stay empty"
    )
    if st.button("Save", key="thing_save", type="primary", icon=":material/check:"):
        with frame.guarded():
            shelf_of(row).rename(row.id, name)
            shelf_of(row).describe(row.id, description)
            st.rerun()


@st.dialog("Delete")
def delete(row: Row) -> None:
    """Name what hangs on it, and put it into the bin."""
    st.markdown(f"**{plain(row.name)}**, of {row.created:%d %b %Y}. {_words(row)}")
    st.caption("For a day it can be brought back, on Home under Recently deleted; then it is gone for good.")
    if st.button("Delete it", key="thing_delete_sure", icon=":material/delete:"):
        with frame.guarded():
            shelf_of(row).delete(row.id)
            st.toast(f"{plain(row.name)} was deleted; it can be brought back on Home.", icon=":material/delete:")
            st.rerun()


def archive(row: Row, archived: bool) -> None:
    """Put it away or back; for callbacks."""
    try:
        shelf_of(row).archive(row.id, archived)
    except GadError as error:
        frame.toast(error)


def shelf_of(row: Row) -> Keeping:
    """Where it stands."""
    return resources.store().detectors if isinstance(row, DetectorRow) else resources.store().datasets


def _words(row: Row) -> str:
    if isinstance(row, DetectorRow):
        hangs = hangs_on_detector(resources.store(), row)
        kept = "The data set stays, and so do folders on disk; images that were brought to Inspect by hand go."
        return f"What goes with it: {hangs}. {kept}" if hangs else "Nothing hangs on it; the data set stays."
    hangs = hangs_on_dataset(resources.store(), row)
    files = "The folder stays as it is" if row.kind == "folder" else "Its images go with it"
    return f"{files}; what was made with it stays: {hangs}." if hangs else f"{files}."
