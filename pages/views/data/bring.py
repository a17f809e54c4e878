"""The three ways to bring images: the demo, an upload, a folder of this machine."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from gad_core.data.datasets import GOOD
from gad_core.data.demo import CATEGORIES
from gad_core.data.images import IMAGE_SUFFIXES
from gad_core.workspace.imports import Split, Upload, add_demo, add_folder, add_upload, extend_upload
from pages.shared import opened, tasks
from pages.shared.resources import store

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
}


def sources() -> None:
    """Tabs with one way each."""
    demo, upload, folder = st.tabs(
        [
            ":material/auto_awesome: Demo parts",
            ":material/upload: Upload",
            ":material/folder_open: Folder on this machine",
        ]
    )
    with demo:
        _demo()
    with upload:
        _upload()
    with folder:
        _folder()


def _demo() -> None:
    with st.grid(4, min_column_width=190):
        for category in CATEGORIES:
            name, words = _ABOUT[category]
            with st.container(border=True, height="stretch"):
                st.markdown(f"**{name}**")
                st.caption(words)
                if st.button("Open", key=f"demo_{category}", icon=":material/arrow_forward:"):
                    tasks.submit("data", f"Demo {name}", partial(add_demo, store(), category))
                    st.rerun()


def _upload() -> None:
    files = st.file_uploader(
        "Images, or a ZIP of a folder in MVTec layout",
        type=[*sorted(suffix.lstrip(".") for suffix in IMAGE_SUFFIXES), "zip"],
        accept_multiple_files=True,
        help="PNG, JPEG, BMP, TIFF and WebP. What cannot be read is refused one by one, the rest comes in.",
        key="upload",
    )
    kind_box, type_box, name_box, button = st.columns([3, 2, 2, 2], vertical_alignment="bottom")
    kind = kind_box.selectbox(
        "They show", list(KINDS), key="upload_kind", help="Of a ZIP in MVTec layout, its folders."
    )
    split, good = KINDS[kind]
    defect = type_box.text_input(
        "Type of defect",
        value="defect",
        key="upload_defect",
        max_chars=60,
        disabled=good,
        help="A mask named 003_mask.png beside 003.png comes along.",
    )
    current = opened.dataset()
    name = name_box.text_input("Name", value="my parts", key="upload_name", max_chars=60)
    defect = GOOD if good else defect.strip() or "defect"
    if button.button("Bring in", type="primary", key="upload_go", disabled=not files, width="stretch"):
        work = partial(add_upload, store(), _read(files), name=name.strip() or "my parts", split=split, defect=defect)
        tasks.submit("data", f"Bring in {name}", work)
        st.rerun()
    if (
        current is not None
        and current.kind == "upload"
        and st.button(f"Add to {current.name}", key="upload_add", icon=":material/library_add:", disabled=not files)
    ):
        extension = partial(extend_upload, store(), current.id, _read(files), split=split, defect=defect)
        tasks.submit("data", f"Add to {current.name}", extension)
        st.rerun()


def _read(files: Iterable[UploadedFile]) -> list[Upload]:
    return [(file.name, file.getvalue()) for file in files]


def _folder() -> None:
    path_box, button = st.columns([3, 1], vertical_alignment="bottom")
    path = path_box.text_input(
        "Path of a folder in MVTec layout, or of a folder of good parts",
        placeholder="/data/parts/bottle",
        help="The images stay where they are; nothing is copied or changed.",
        key="folder",
    )
    if button.button("Open", type="primary", key="folder_go", disabled=not path.strip(), width="stretch"):
        folder = Path(path.strip())
        tasks.submit("data", f"Open {folder.name}", partial(add_folder, store(), folder))
        st.rerun()
