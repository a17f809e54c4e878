"""Remedies against one shift, tried as a job: before and after, and what they cost on images as they are."""

import pandas as pd
import streamlit as st

from gad_core import wording
from gad_core.data.rendering import Kind
from gad_core.data.shifts import Shift
from gad_core.deployment.outcomes import Outcome
from gad_core.deployment.remedies import Remedies
from gad_core.deployment.results import DeploymentShift
from gad_core.deployment.words import name_of, remedies_sentence, remedy_name
from gad_core.workspace.rows import DatasetRow, DetectorRow
from gad_core.workspace.shift_runs import ShiftKey, find_remedies, remedies_path
from gad_core.workspace.threshold_requests import ShiftRemedies
from pages.shared import charts, person, resources, tasks
from pages.shared.text import plain

_PLACE = "shift_remedies"
_TITLE = "Remedies"
_WHAT = (
    "Without each of its levels, at other reductions, and with copies of the good parts under the shift merged into "
    "the fit; each with a threshold of its own at the same target."
)


def show(detector: DetectorRow, dataset: DatasetRow, key: ShiftKey, found: DeploymentShift) -> None:
    """Choose a shift, try, and what came out."""
    shift = _chosen(found)
    tried = _found(key, shift)
    with charts.panel(_TITLE, remedies_sentence(tried) if tried else _WHAT, loud=tried is not None):
        under_way = any(job.kind == "shift" for job in tasks.own())
        with st.container(horizontal=True, vertical_alignment="bottom"):
            _choose(found)
            pressed = st.button(
                "Try again" if tried else "Try remedies",
                key="try_remedies",
                icon=":material/replay:" if tried else ":material/healing:",
                **person.changing(disabled=under_way),
            )
        if pressed:
            asked = ShiftRemedies(dataset.id, detector.id, found.tuning, found.point, shift)
            tasks.ask(f"Remedies against {shift}", asked, place=_PLACE)
            st.rerun()
        tasks.cards(_PLACE)
        tasks.show_failure(_PLACE)
        if tried:
            _table(tried)


def _kinds(found: DeploymentShift) -> list[Kind]:
    """The culprit first, then the steepest."""
    culprit = found.culprit.shift.kind if found.culprit else None
    return sorted((one.kind for one in found.tolerances), key=lambda kind: kind != culprit)


def _chosen(found: DeploymentShift) -> Shift:
    """What the two boxes below say: by default the culprit's own step, else the first that breaks."""
    kinds = _kinds(found)
    kind = st.session_state.get("remedy_kind")
    kind = kind if kind in kinds else kinds[0]
    strengths = [step.shift.strength for step in found.by_kind[kind]]
    strength = st.session_state.get("remedy_strength")
    return Shift(kind, strength if strength in strengths else _usual(found, kind).strength)


def _usual(found: DeploymentShift, kind: Kind) -> Shift:
    if found.culprit and found.culprit.shift.kind == kind:
        return found.culprit.shift
    tolerance = next(one for one in found.tolerances if one.kind == kind)
    return tolerance.breaks or found.by_kind[kind][-1].shift


def _choose(found: DeploymentShift) -> None:
    """A box for the kind and one for its step."""
    shift, kinds = _chosen(found), _kinds(found)
    st.selectbox("Against", kinds, index=kinds.index(shift.kind), format_func=name_of, key="remedy_kind", width=220)
    strengths = [step.shift.strength for step in found.by_kind[shift.kind]]
    st.session_state["remedy_strength"] = shift.strength  # another kind has other steps
    st.selectbox(
        "Step",
        strengths,
        format_func=lambda strength: str(Shift(shift.kind, strength)),
        key="remedy_strength",
        width=280,
    )


def _table(tried: Remedies) -> None:
    """Before and after, under the shift and on images as they are."""
    every = (tried.as_it_is, *tried.tried)
    names = [remedy_name(one, tried.as_it_is.tuning) for one in every]
    with st.grid(2, min_column_width=400):
        for where, outcomes in (
            (f"Under {tried.shift}", [one.shifted for one in every]),
            ("On images as they are", [one.clean for one in every]),
        ):
            with st.container(gap="xsmall"):
                st.markdown(f"**{plain(where)}**")
                rows = [{"remedy": name, **_columns(one)} for name, one in zip(names, outcomes, strict=True)]
                st.table(pd.DataFrame(rows), border="horizontal", hide_index=True, alt=f"{where}, remedy by remedy")
    clean = tried.as_it_is.clean
    counts = [f"{clean.left_out.n} left-out good parts"]
    counts += [f"{clean.caught.n} defects"] if clean.caught else []
    st.caption(f"{wording.listed(counts)}; intervals 95 %. Copies are made of the shift and the steps before it.")


def _columns(outcome: Outcome) -> dict[str, str]:
    found = {"flagged": charts.cell(outcome.left_out)}
    if outcome.caught:
        found["caught"] = charts.cell(outcome.caught)
    if outcome.area:
        area = outcome.area
        found["AUROC, %"] = charts.unbroken(f"{100 * area.value:.1f}", wording.interval(area.low, area.high))
    return found


def _found(key: ShiftKey, shift: Shift) -> Remedies | None:
    try:
        written = remedies_path(resources.store(), key, shift).stat().st_mtime_ns
    except OSError:
        return None
    return _read(key, shift, written)


@st.cache_resource(show_spinner=False, max_entries=8)
def _read(key: ShiftKey, shift: Shift, written: int) -> Remedies | None:  # noqa: ARG001 - the key
    return find_remedies(resources.store(), key, shift)
