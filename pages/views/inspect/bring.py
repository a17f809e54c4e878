"""The three ways in which new parts come before the detector: files, a watched folder, the camera."""

from collections.abc import Sequence
from functools import partial

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from gad_core.data.images import IMAGE_SUFFIXES
from gad_core.workspace.inspecting import forget_refused, inspect_files, refused_last
from gad_core.workspace.rows import DetectorRow
from pages.shared import person, resources, tasks
from pages.shared.refusals import refusals
from pages.views.inspect import watched

_PLACE = "parts"


def sources(detector: DetectorRow) -> None:
    """Tabs with one way each; what goes wrong is said in its tab."""
    files, folder, camera = st.tabs(
        [":material/upload: Files", ":material/folder_eye: Watched folder", ":material/photo_camera: Camera"],
        key="inspect_way",
        on_change="rerun",  # so that the server knows the tab, and shows it again whatever comes above it
    )
    with files:
        _files(detector)
    with folder:
        watched.watched(detector)
    with camera:
        _camera(detector)
    tasks.cards(_PLACE)
    tasks.show_failure(_PLACE)
    refused = refused_last(resources.store(), detector.id)
    refusals(refused, f"{len(refused)} of the files brought last could not be used", key="refused_inspect")
    if refused:
        st.button(
            "Forget these",
            key="refused_forget",
            type="tertiary",
            icon=":material/close:",
            on_click=_forget,
            args=(detector,),
            **person.changing(),
        )


def _forget(detector: DetectorRow) -> None:
    forget_refused(resources.store(), detector.id)


def _files(detector: DetectorRow) -> None:
    box, button = st.columns([5, 1], vertical_alignment="bottom")
    files = box.file_uploader(
        "Images, or a ZIP of them",
        type=[*sorted(suffix.lstrip(".") for suffix in IMAGE_SUFFIXES), "zip"],
        accept_multiple_files=True,
        key="inspect_files",
        **person.changing(
            tip="The folders within a ZIP are taken for lots. What cannot be read is refused one by one."
        ),
    )
    button.button(
        "Inspect",
        type="primary",
        key="inspect_go",
        width="stretch",
        on_click=_inspect,
        args=(detector, "inspect_files"),
        **person.changing(disabled=not files),
    )


def _camera(detector: DetectorRow) -> None:
    st.caption("Each picture is judged at once. Hold the part as the detector's own images show it.")
    with st.container(width=520):
        st.camera_input(
            "A part before the camera",
            key="inspect_camera",
            on_change=_inspect,
            args=(detector, "inspect_camera"),
            label_visibility="collapsed",
            **person.changing(),
        )


def _inspect(detector: DetectorRow, key: str) -> None:
    """Submit what a control holds; for callbacks."""
    held: UploadedFile | Sequence[UploadedFile] | None = st.session_state[key]
    files = [held] if isinstance(held, UploadedFile) else list(held or ())
    if not files:
        return
    uploads = [(_name(key, file), file.getvalue()) for file in files]
    work = partial(inspect_files, resources.store(), detector.id, uploads, cache=resources.feature_cache())
    title = f"Inspect {uploads[0][0]}" if len(uploads) == 1 else f"Inspect {len(uploads)} files"
    tasks.submit("inspect", title, work, place=_PLACE)


def _name(key: str, file: UploadedFile) -> str:
    return f"camera {file.file_id[:8]}.jpg" if key == "inspect_camera" else file.name
