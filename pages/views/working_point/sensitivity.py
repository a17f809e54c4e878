"""What a defect must measure to be caught: synthetic ones on the detector's own images, at the threshold shown."""

import streamlit as st

from gad_core import wording
from gad_core.detectability.defects import KINDS, WORDS
from gad_core.detectability.plan import CONTRASTS, SensitivitySettings
from gad_core.detectability.results import Sensitivity
from gad_core.workspace import threshold_requests
from gad_core.workspace.rows import DatasetRow, DetectorRow
from gad_core.workspace.sensitivity_runs import Measured, find_study, path_of
from pages.shared import charts, frame, person, resources, tasks
from pages.shared.text import plain
from pages.views.working_point.sensitivity_results import results, sentence
from pages.views.working_point.view import View

_PLACE = "sensitivity"
_TITLE = "Sensitivity: what must a defect measure to be caught?"
_NOT_REAL = "Synthetic defects are not real ones: they compare sizes, places and settings."
_OFFERED = (0.05, *CONTRASTS, 0.8)


@frame.fragment
def sensitivity(detector: DetectorRow, dataset: DatasetRow, view: View) -> None:
    """The last study of this detector on this data set, and a button for another at the threshold that is shown."""
    measured = Measured.of(view.test.state.dataset, detector.id, view.test.detector)
    found = _found(measured)
    with charts.panel(_TITLE, f"{sentence(found)} {_NOT_REAL}" if found else _NOT_REAL, loud=found is not None):
        settings = _settings()
        _ask(detector, dataset, view, settings, again=found is not None)
        if found and (note := _differs(found, view)):
            st.caption(f":material/info: {plain(note)}")
        tasks.cards(_PLACE)
        tasks.show_failure(_PLACE)
    if found:
        results(found, view.test, dataset)


def _settings() -> SensitivitySettings | None:
    """What is drawn; None while nothing is chosen."""
    for key, default in (("drawn_kinds", [KINDS[0]]), ("drawn_contrasts", list(CONTRASTS))):
        st.session_state[key] = st.session_state.get(key, default)  # set in every run, as in `tuning.in_popover`
    with st.popover("What is drawn", icon=":material/brush:", key="drawn"):
        kinds = st.pills(
            "Kinds",
            KINDS,
            selection_mode="multi",
            format_func=WORDS.__getitem__,
            key="drawn_kinds",
            help="Each once in 49 places of the image, at each size and contrast.",
        )
        contrasts = st.pills(
            "Contrasts",
            _OFFERED,
            selection_mode="multi",
            format_func=lambda value: f"{value:g}",
            key="drawn_contrasts",
            help="Of a spot: by how much of the full range of grey it is darker or brighter. A curve each.",
        )
    if not kinds or not contrasts:
        return None
    return SensitivitySettings(kinds=tuple(kinds), contrasts=tuple(sorted(contrasts)))


def _ask(
    detector: DetectorRow, dataset: DatasetRow, view: View, settings: SensitivitySettings | None, *, again: bool
) -> None:
    """The button, and how much work it is or why there is none."""
    why = _hindrance(view, settings)
    under_way = any(job.kind == "sensitivity" for job in tasks.own())
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button(
            "Draw defects and measure again" if again else "Draw defects and measure",
            key="draw_defects",
            icon=":material/replay:" if again else ":material/play_arrow:",
            **person.changing(disabled=under_way or bool(why)),
        )
        st.caption(why or _work(settings))
    if pressed and settings and view.chosen:
        asked = threshold_requests.Sensitivity(
            dataset.id, detector.id, view.settings.tuning, view.chosen.point, settings
        )
        tasks.ask(f"Sensitivity of {detector.name}", asked, place=_PLACE)
        st.rerun()


def _hindrance(view: View, settings: SensitivitySettings | None) -> str:
    """Why nothing can be measured; empty where it can."""
    if view.test.detector.settings.augmented:
        return "A fit to augmented copies cannot leave parts out again; fit without copies to measure it."
    if view.chosen is None:
        return "There is no threshold to measure at."
    return "" if settings else "Choose at least one kind and one contrast."


def _work(settings: SensitivitySettings | None) -> str:
    n = settings.n_draws if settings else 0
    return f"{n:,} pictures, each scored by the fit without the part that it is drawn on."


def _differs(found: Sensitivity, view: View) -> str:
    """How what was measured differs from what the controls show."""
    if view.chosen and (found.tuning, found.point) == (view.settings.tuning, view.chosen.point):
        return ""
    return (
        f"Measured at {wording.tuning(found.tuning)}, threshold {wording.number(found.point.threshold)}; the controls "
        "show another threshold. Measure again for that."
    )


def _found(measured: Measured) -> Sensitivity | None:
    try:
        written = path_of(resources.store(), measured).stat().st_mtime_ns
    except OSError:
        return None
    return _read(measured, written)


@st.cache_resource(show_spinner=False, max_entries=8)
def _read(measured: Measured, written: int) -> Sensitivity | None:  # noqa: ARG001 - the key
    return find_study(resources.store(), measured)
