"""A folder of this machine: its path, typed or found by looking through the folders."""

from contextlib import suppress
from pathlib import Path

import streamlit as st

from gad_core.data.folders import Folder, Listing
from gad_core.errors import GadError
from gad_core.workspace.requests import FolderImages
from pages.shared import frame, person, resources, tasks
from pages.shared.text import plain

_PLACE = "folder"  # where cards and errors stand, and the key of the field
_SHOWN = 60  # sub-folders
_CRUMBS = 4  # folders above


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
        button.form_submit_button(
            "Open", type="primary", key="folder_go", width="stretch", on_click=_open, **person.changing()
        )
    tasks.cards(_PLACE)
    tasks.show_failure(_PLACE)
    if person.closed() is None:  # who may open none is not told which there are
        _browse()


def _open() -> None:
    """Open what the field names; what can be seen at once is said at once."""
    text = st.session_state[_PLACE].strip()
    title = f"Open {Path(text).name or text or 'a folder'}"
    try:
        if not text:
            raise GadError("no folder is named; type its path, or choose one below")
        tasks.ask(title, FolderImages(resources.store().roots.check_images(Path(text))), place=_PLACE)
    except GadError as error:
        tasks.refuse(title, error, place=_PLACE)


def _browse() -> None:
    """The way to a folder and what lies in it, each a click."""
    try:
        listing = _nearest(st.session_state.get(_PLACE, "").strip())
    except GadError as error:
        frame.trouble(error)
        return
    path = listing.folder.path
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", key="folder_way"):
        roots = resources.store().roots
        for above in reversed([one for one in path.parents[:_CRUMBS] if roots.holds(one)]):
            st.button(
                plain(above.name or above),
                key=f"folder_up_{len(above.parts)}",
                type="tertiary",
                icon=":material/chevron_left:",
                help=f"Up to {plain(above)}",
                on_click=_go,
                args=(above,),
            )
        st.markdown(f"**{plain(path.name or path)}**", width="content")
    st.caption(_words(listing))
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", key="folders"):
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


def _nearest(text: str) -> Listing:
    """The folder that is named, else the nearest one above it that is there, else where one begins to look."""
    roots = resources.store().roots
    if text:
        with suppress(GadError):
            path = roots.check(Path(text))
            for folder in (path, *path.parents[:-1]):  # not the root for a word that is no path at all
                with suppress(GadError):
                    return roots.list(folder)
    return roots.list(roots.start)


def _words(listing: Listing) -> str:
    """What lies here."""
    here, n = listing.folder, len(listing.folders)
    lies = "a category in MVTec layout, ready to open" if here.category else _counted(here.n_images, "image")
    more = f", {n - _SHOWN} of them not shown" if n > _SHOWN else ""
    return f"Here: {lies}; {_counted(n, 'sub-folder')}{more}."


def _counted(count: int, what: str) -> str:
    return f"{count or 'no'} {what}{'' if count == 1 else 's'}"


def _count(one: Folder) -> str:
    return f" · {one.n_images}" if one.n_images else ""


def _go(path: Path) -> None:
    st.session_state[_PLACE] = str(path)
