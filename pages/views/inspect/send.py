"""Judged parts on their way into a data set, as new normals or as defects to test with."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from gad_core.data.datasets import GOOD
from gad_core.errors import GadError
from gad_core.workspace import sending
from gad_core.workspace.imports import Split, defect_type
from gad_core.workspace.rows import DatasetRow, DetectorRow, InspectionRow
from pages.shared import opened, person, resources, tasks
from pages.shared.text import plain

_PLACE = "send"
_KINDS: dict[str, tuple[Split, bool]] = {
    "called good, to fit": ("train", False),
    "called good, to test": ("test", False),
    "called defective, to test": ("test", True),
}


def send(detector: DetectorRow, rows: Sequence[InspectionRow]) -> None:
    """Which of the parts shown go, as what, and where to."""
    dataset = opened.dataset()
    tasks.cards(_PLACE)
    tasks.show_failure(_PLACE)
    if dataset is None or not any(row.defective is not None for row in rows):
        return
    with st.expander("Send judged parts to the data set", icon=":material/library_add:", key="send_panel"):
        kind_box, type_box, button = st.columns([3, 2, 2], vertical_alignment="bottom")
        kind = kind_box.selectbox("Those that a person", list(_KINDS), key="send_kind")
        split, defective = _KINDS[str(kind)]
        type_box.text_input("Type of defect", value="defect", key="send_defect", max_chars=60, disabled=not defective)
        going = [row for row in rows if row.defective is defective]
        button.button(
            f"Send {len(going)}",
            key="send_go",
            icon=":material/send:",
            type="primary",
            width="stretch",
            on_click=_send,
            args=(dataset, going, split, defective),
            **person.changing(disabled=not going),
        )
        st.caption(_words(dataset, detector))


def _words(dataset: DatasetRow, detector: DetectorRow) -> str:
    """What becomes of it."""
    name = plain(dataset.name)
    if dataset.kind == "upload":
        where = f"They are added to {name}"
    else:
        where = f"{name} cannot be changed, so that a copy of it gets them"
    return f"Of the parts in the table above. {where}; {plain(detector.name)} stays as it is until you fit again."


def _send(dataset: DatasetRow, rows: Sequence[InspectionRow], split: Split, defective: bool) -> None:
    """Submit it; for callbacks."""
    title = f"Send {len(rows)} parts to {dataset.name}"
    try:
        defect = defect_type(st.session_state["send_defect"]) if defective else GOOD
    except GadError as error:
        tasks.refuse(title, error, place=_PLACE)
        return
    work = partial(sending.send, resources.store(), dataset.id, rows, split=split, defect=defect)
    tasks.submit("data", title, work, place=_PLACE)
