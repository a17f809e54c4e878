"""What becomes of the detector when another camera or pipeline takes the pictures."""

import streamlit as st

from gad_core import wording
from gad_core.data.shifts import KINDS
from gad_core.deployment.results import DeploymentShift
from gad_core.deployment.settings import USUAL, ShiftSettings
from gad_core.deployment.words import name_of, sentence
from gad_core.gaussian.tuning import Tuning, WorkingPoint
from gad_core.workspace.rows import DatasetRow, DetectorRow
from gad_core.workspace.shift_runs import ShiftKey, find_shift_study, study_path
from gad_core.workspace.threshold_requests import ShiftStudy
from pages.shared import adopted, charts, frame, person, resources, settings, tasks
from pages.shared.text import plain
from pages.views.attributions import flagged
from pages.views.attributions.camera import remedies, results

_PLACE = "shift"
_TITLE = "Another camera: what does the threshold bear?"
_WHAT = "The same images as another lens, sensor, lamp or pipeline would give them, from weak to strong."


def show(detector: DetectorRow, dataset: DatasetRow, test: resources.TestImages, tuning: Tuning) -> None:
    """Rates against the strength of each change, what holds, and what could be done."""
    point, missing = flagged.in_force(test, settings.current(detector))
    if point is None:
        charts.panel_without(_TITLE, frame.sentence(f"there is no threshold to hold these images against: {missing}"))
        return
    key = ShiftKey.of(test.state.dataset, detector.id, test.detector, tuning, point)
    found = _found(key)
    with charts.panel(_TITLE, sentence(found) if found else _WHAT, loud=found is not None):
        chosen = _settings()
        _ask(detector, dataset, test, (tuning, point), chosen, again=found is not None)
        st.caption(f":material/adjust: {plain(f'Threshold {adopted.words(point, tuning)}.')}")
        tasks.cards(_PLACE)
        tasks.show_failure(_PLACE)
    if found:
        results.show(found, test, dataset, detector)
        remedies.show(detector, dataset, key, found)


def _settings() -> ShiftSettings | None:
    """What is tried; None while nothing is chosen."""
    st.session_state["shift_kinds"] = st.session_state.get("shift_kinds", list(USUAL))  # as in `tuning.in_popover`
    with st.popover("What is tried", icon=":material/photo_camera:", key="tried"):
        kinds = st.pills(
            "Kinds",
            KINDS,
            selection_mode="multi",
            format_func=name_of,
            key="shift_kinds",
            help="Each in five steps. Resizing reduces and enlarges the photo by that kernel.",
        )
    return ShiftSettings(kinds=tuple(kind for kind in KINDS if kind in kinds)) if kinds else None


def _ask(
    detector: DetectorRow,
    dataset: DatasetRow,
    test: resources.TestImages,
    reading: tuple[Tuning, WorkingPoint],
    chosen: ShiftSettings | None,
    *,
    again: bool,
) -> None:
    """The button, and how much work it is or why there is none."""
    why = _hindrance(test, chosen)
    under_way = any(job.kind == "shift" for job in tasks.own())
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button(
            "Try them again" if again else "Try other cameras",
            key="try_cameras",
            icon=":material/replay:" if again else ":material/play_arrow:",
            **person.changing(disabled=under_way or bool(why)),
        )
        st.caption(why or _work(chosen, test))
    if pressed and chosen:
        asked = ShiftStudy(dataset.id, detector.id, *reading, chosen)
        tasks.ask(f"Other cameras on {detector.name}", asked, place=_PLACE)
        st.rerun()


def _hindrance(test: resources.TestImages, chosen: ShiftSettings | None) -> str:
    """Why nothing can be tried; empty where it can."""
    if test.detector.settings.augmented:
        return "A fit to augmented copies cannot leave parts out again; fit without copies to try it."
    return "" if chosen else "Choose at least one kind."


def _work(chosen: ShiftSettings | None, test: resources.TestImages) -> str:
    if chosen is None:
        return ""
    n, m = min(test.detector.n_train, chosen.n_normals), min(len(test.images), chosen.n_test)
    shifts = len(chosen.shifts)
    return (
        f"{n} good parts, each scored by the fit without it, and {m} test images, under {shifts} shifts: "
        f"{wording.number(shifts * (n + m))} pictures."
    )


def _found(key: ShiftKey) -> DeploymentShift | None:
    try:
        written = study_path(resources.store(), key).stat().st_mtime_ns
    except OSError:
        return None
    return _read(key, written)


@st.cache_resource(show_spinner=False, max_entries=8)
def _read(key: ShiftKey, written: int) -> DeploymentShift | None:  # noqa: ARG001 - the key
    return find_shift_study(resources.store(), key)
