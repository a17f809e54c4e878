"""The three ways to bring images: the demo, an upload, a folder of this machine."""

from functools import partial
from pathlib import Path

import streamlit as st

from gad_core.data.demo import CATEGORIES
from gad_core.data.images import IMAGE_SUFFIXES
from gad_core.workspace.imports import add_demo, add_folder, add_upload
from pages.shared import tasks
from pages.shared.resources import store

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
        "Images of good parts, or a ZIP of a folder in MVTec layout",
        type=[*sorted(suffix.lstrip(".") for suffix in IMAGE_SUFFIXES), "zip"],
        accept_multiple_files=True,
        help="PNG, JPEG, BMP, TIFF and WebP. What cannot be read is refused one by one, the rest comes in.",
        key="upload",
    )
    name_box, button = st.columns([3, 1], vertical_alignment="bottom")
    name = name_box.text_input("Name", value="my parts", key="upload_name", max_chars=60)
    if button.button("Bring in", type="primary", key="upload_go", disabled=not files, width="stretch"):
        uploads = [(file.name, file.getvalue()) for file in files]
        tasks.submit("data", f"Bring in {name}", partial(add_upload, store(), uploads, name=name.strip() or "my parts"))
        st.rerun()


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
