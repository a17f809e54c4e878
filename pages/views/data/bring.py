"""The three ways to bring images: the demo, an upload, a folder of this machine."""

from collections.abc import Iterable
from functools import partial

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from gad_core.data.datasets import GOOD
from gad_core.data.demo import CATEGORIES
from gad_core.data.images import IMAGE_SUFFIXES
from gad_core.errors import GadError
from gad_core.workspace.imports import Split, Upload, add_upload, defect_type, extend_upload
from gad_core.workspace.requests import DemoImages
from gad_core.workspace.rows import DatasetRow
from pages.shared import opened, person, strips, tasks
from pages.shared.resources import store
from pages.shared.text import plain
from pages.views.data import folder

#: What uploaded images show: their part of the data set, and whether they are good.
KINDS: dict[str, tuple[Split, bool]] = {
    "good parts, to fit": ("train", True),
    "good parts, to test": ("test", True),
    "defects, to test": ("test", False),
}
_ABOUT = {
    "weave": ("Weave", "A woven texture: thread breaks, stains, holes, off-colour yarn."),
    "washer": ("Washer", "A machined part at any angle: scratches, dents, bites, contamination."),
    "board": ("Board", "An assembly: missing, swapped or rotated components, solder bridges."),
    "washer_stamped": ("Stamped washer", "A trap: every defective part also carries an inspector's stamp."),
    "board_soft": ("Soft board", "A trap: defects hardly to be seen, and a softer lens before every defective part."),
    "weave_ruler": ("Ruled weave", "A trap: all defects came in one lot, photographed with a ruler at the edge."),
}
_PLACE = "upload"


def sources() -> None:
    """Tabs with one way each; what goes wrong is said in its tab."""
    demo, upload, own = st.tabs(
        [
            ":material/auto_awesome: Demo parts",
            ":material/upload: Upload",
            ":material/folder_open: Folder on this machine",
        ],
        key="bring_way",
        on_change="rerun",  # so that the server knows the tab, and shows it again whatever comes above it
    )
    with demo:
        _demo()
    with upload:
        _upload()
    with own:
        folder.choose()


def _demo() -> None:
    with st.grid(3, min_column_width=190):
        for category in CATEGORIES:
            name, words = _ABOUT[category]
            with st.container(border=True, height="stretch"):
                strips.show(strips.of_demo(category), alt=f"{name}: three demo parts")
                st.markdown(f"**{name}**")
                st.caption(words)
                st.button(
                    "Open",
                    key=f"demo_{category}",
                    icon=":material/arrow_forward:",
                    on_click=tasks.ask,
                    args=(f"Demo {name}", DemoImages(category)),
                    kwargs={"place": "demo"},
                    **person.changing(),
                )
    tasks.cards("demo")
    tasks.show_failure("demo")


def _upload() -> None:
    files = st.file_uploader(
        "Images, or a ZIP of a folder in MVTec layout",
        type=[*sorted(suffix.lstrip(".") for suffix in IMAGE_SUFFIXES), "zip"],
        accept_multiple_files=True,
        key="upload",
        **person.changing(
            tip="PNG, JPEG, BMP, TIFF and WebP. What cannot be read is refused one by one, the rest comes in."
        ),
    )
    kind_box, type_box, name_box, button = st.columns([3, 2, 2, 2], vertical_alignment="bottom")
    kind = kind_box.selectbox(
        "They show", list(KINDS), key="upload_kind", help="Of a ZIP in MVTec layout, its folders."
    )
    _, good = KINDS[kind]
    type_box.text_input(
        "Type of defect",
        value="defect",
        key="upload_defect",
        max_chars=60,
        disabled=good,
        help="A mask named 003_mask.png beside 003.png comes along.",
    )
    current = opened.dataset()
    name_box.text_input("Name", value="my parts", key="upload_name", max_chars=60)
    off = person.changing(disabled=not files)
    button.button("Bring in", type="primary", key="upload_go", width="stretch", on_click=_bring, args=(None,), **off)
    if current is not None and current.kind == "upload":
        st.button(
            f"Add to {plain(current.name)}",
            key="upload_add",
            icon=":material/library_add:",
            on_click=_bring,
            args=(current,),
            **off,
        )
    tasks.cards(_PLACE)
    tasks.show_failure(_PLACE)


def _bring(into: DatasetRow | None) -> None:
    """Submit what the controls say: a data set of its own, or more of one."""
    state = st.session_state
    split, good = KINDS[state["upload_kind"]]
    name = state["upload_name"].strip() or "my parts"
    try:
        defect = GOOD if good else defect_type(state["upload_defect"])
    except GadError as error:
        tasks.refuse(f"Bring in {name}" if into is None else f"Add to {into.name}", error, place=_PLACE)
        return
    files = _read(state["upload"])
    if into is None:
        work = partial(add_upload, store(), files, name=name, split=split, defect=defect)
        tasks.submit("data", f"Bring in {name}", work, place=_PLACE)
    else:
        more = partial(extend_upload, store(), into.id, files, split=split, defect=defect)
        tasks.submit("data", f"Add to {into.name}", more, place=_PLACE)


def _read(files: Iterable[UploadedFile]) -> list[Upload]:
    return [(file.name, file.getvalue()) for file in files]
