"""Folders of the server whose new images are judged as they come."""

from datetime import UTC, datetime
from pathlib import Path

import streamlit as st

from gad_core import wording
from gad_core.errors import GadError
from gad_core.workspace.rows import DetectorRow, WatchRow
from pages.shared import frame, person, resources, tasks
from pages.shared.refusals import refusals
from pages.shared.text import plain

_PLACE = "watch"
_POLL = 2.0  # seconds


def watched(detector: DetectorRow) -> None:
    """The field for a folder, and the folders that are watched for this detector."""
    with st.form("watch_form", border=False):
        path_box, sink_box = st.columns(2, vertical_alignment="bottom")
        path_box.text_input(
            "Path of a folder on this server",
            placeholder="/line/camera-1",
            help="New images are judged as they come, each once, also after a restart. Its sub-folders are lots. The "
            "images stay where they are.",
            key="watch_folder",
            persist_state="session",
        )
        sink_box.text_input(
            "Results also go to",
            placeholder="nowhere else",
            help="May stay empty. A file on the server (results.jsonl), a webhook (https://host/path), or an MQTT "
            "broker with a topic (mqtt://host/topic).",
            key="watch_sink",
            persist_state="session",
        )
        st.form_submit_button(
            "Watch",
            type="primary",
            key="watch_go",
            icon=":material/folder_eye:",
            on_click=_watch,
            args=(detector,),
            **person.changing(),
        )
    tasks.show_failure(_PLACE)
    watches = resources.store().watches.of(detector.id)
    if any(watch.active for watch in watches):
        resources.watcher()  # after a restart, the first who looks wakes it
        _standing(detector)
    else:
        _list(watches)


@st.fragment(run_every=_POLL)
def _standing(detector: DetectorRow) -> None:
    _list(resources.store().watches.of(detector.id))


def _list(watches: tuple[WatchRow, ...]) -> None:
    for watch in watches:
        state = resources.watcher().state(watch.id) if watch.active else None
        with st.container(horizontal=True, vertical_alignment="center", key=f"watch_{watch.id}"):
            icon = "folder_eye" if watch.active else "folder_off"
            st.markdown(f":material/{icon}: **{plain(watch.folder)}** :gray[{plain(_words(watch))}]")
            if watch.active:
                st.button(
                    "Stop",
                    key=f"stop_watch_{watch.id}",
                    icon=":material/stop_circle:",
                    on_click=_stop,
                    args=(watch,),
                    **person.changing(),
                )
            else:
                st.button(
                    "Go on",
                    key=f"go_on_{watch.id}",
                    icon=":material/play_circle:",
                    on_click=_go_on,
                    args=(watch,),
                    **person.changing(),
                )
        if state and state.error:
            frame.trouble(GadError(state.error))
        if state:
            title = f"{len(state.refused)} files there cannot be read"
            refusals(state.refused, title, key=f"refused_{watch.id}")


def _words(watch: WatchRow) -> str:
    """How a watch stands: `looked 1 s ago, 12 wait`."""
    if not watch.active:
        return "not watched"
    state = resources.watcher().state(watch.id)
    if state.waiting:
        return f"{state.waiting} wait"
    if state.looked is None:
        other = watch.owner not in (None, resources.store().owner)
        return "watched by another server of this workspace" if other else "starts"
    return f"looked {wording.duration(max((datetime.now(UTC) - state.looked).total_seconds(), 1))} ago"


def _watch(detector: DetectorRow) -> None:
    """Watch what the field names; for callbacks."""
    text = st.session_state["watch_folder"].strip()
    title = f"Watch {Path(text).name or text or 'a folder'}"
    try:
        if not text:
            raise GadError("no folder is named; type its path")
        sink = st.session_state["watch_sink"].strip()
        resources.store().watches.start(detector.id, Path(text), sink=sink or None)
        resources.watcher().wake()
    except GadError as error:
        tasks.refuse(title, error, place=_PLACE)


def _stop(watch: WatchRow) -> None:
    try:
        resources.store().watches.stop(watch.id)
    except GadError as error:
        tasks.refuse(f"Stop watching {Path(watch.folder).name}", error, place=_PLACE)


def _go_on(watch: WatchRow) -> None:
    try:
        resources.store().watches.start(watch.detector_id, Path(watch.folder), sink=watch.sink)
        resources.watcher().wake()
    except GadError as error:
        tasks.refuse(f"Watch {Path(watch.folder).name}", error, place=_PLACE)
