"""A folder of this machine: its path, typed or found by looking through the folders."""

from pathlib import Path

import streamlit as st

from gad_core.data.folders import Folder, Listing, check_folder, list_folder
from gad_core.errors import GadError
from gad_core.workspace.requests import FolderImages
from pages.shared import frame, tasks
from pages.shared.text import plain

_PLACE = "folder"  # where cards and errors stand, and the key of the field
_SHOWN = 60  # sub-folders


def choose() -> None:
    """The field, and the folders below the one that it names."""
    # Within a form the field does not take the first click on the button for its own end.
    with st.form("folder_form", border=False):
        path_box, button = st.columns([5, 1], vertical_alignment="bottom")
        path_box.text_input(
            "Path of a folder in MVTec layout, or of a folder of good parts",
            placeholder="/data/parts/bottle",
            help="The images stay where they are; nothing is copied or changed.",
            key=_PLACE,
            persist_state="session",
        )
        button.form_submit_button("Open", type="primary", key="folder_go", width="stretch", on_click=_open)
    tasks.cards(_PLACE)
    tasks.show_failure(_PLACE)
    _browse()


def _open() -> None:
    """Open what the field names; what can be seen at once is said at once."""
    text = st.session_state[_PLACE].strip()
    title = f"Open {Path(text).name or text or 'a folder'}"
    try:
        if not text:
            raise GadError("no folder is named; type its path, or choose one below")
        tasks.ask(title, FolderImages(check_folder(Path(text))), place=_PLACE)
    except GadError as error:
        tasks.refuse(title, error, place=_PLACE)


def _browse() -> None:
    """Where the field points to, or the home folder while that leads nowhere."""
    try:
        listing = list_folder(Path(st.session_state.get(_PLACE, "").strip() or "~"))
    except GadError:  # said once it is opened
        try:
            listing = list_folder(Path("~"))
        except GadError as error:
            frame.trouble(error)
            return
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", key="folders"):
        path = listing.folder.path
        if path != path.parent:
            st.button(
                "Up",
                key="folder_up",
                icon=":material/arrow_upward:",
                help=f"To {plain(path.parent)}",
                on_click=_go,
                args=(path.parent,),
            )
        for place, one in enumerate(listing.folders[:_SHOWN]):
            st.button(
                f"{plain(one.path.name)}{_count(one)}",
                key=f"folder_{place}",
                icon=":material/folder_special:" if one.category else ":material/folder:",
                type="secondary" if one.category or one.n_images else "tertiary",
                help="In MVTec layout." if one.category else None,
                on_click=_go,
                args=(one.path,),
            )
    st.caption(plain(_words(listing)))


def _words(listing: Listing) -> str:
    """Where one is, and what lies there."""
    here = listing.folder
    words = f"{here.path}: {'a category in MVTec layout' if here.category else f'{here.n_images} images'}"
    more = len(listing.folders) - _SHOWN
    return f"{words}, {len(listing.folders)} folders{f', {more} not shown' if more > 0 else ''}."


def _count(one: Folder) -> str:
    return f" · {one.n_images}" if one.n_images else ""


def _go(path: Path) -> None:
    st.session_state[_PLACE] = str(path)
