"""Whether good-looking parts still score as the normal images did, and a newer version of the detector if not."""

from functools import partial

import streamlit as st

from gad_core import figures
from gad_core.decision.drift import Drift
from gad_core.errors import GadError
from gad_core.workspace.on_line import OnLine, for_calibration
from gad_core.workspace.recalibration import recalibrate
from gad_core.workspace.rows import DetectorRow, InspectionRow
from pages.shared import charts, frame, person, resources, tasks

_PLACE = "recalibrate"


def drift(detector: DetectorRow) -> None:
    """Control chart and martingale over the parts in their order; below, the recalibration."""
    line = resources.line(detector)
    if not line.rows:
        return
    try:
        found = _drift(detector, resources.store().inspections.latest(detector.id), line)
    except GadError as error:
        charts.panel_without("Control chart", frame.sentence(error))
        return
    finding = frame.sentence(found.sentence)
    with st.grid(2, min_column_width=420):
        with charts.panel("Control chart", finding, loud=True):
            charts.show(figures.control_chart(found), key="control_chart", alt=finding)
        with charts.panel("Evidence that something changed", _promise(found)):
            charts.show(figures.martingale(found), key="martingale", alt=_promise(found))
    _recalibration(detector, line, found)


@st.cache_resource(
    show_spinner="Holding the parts against the normal images …", max_entries=4, hash_funcs=resources.BY_STATE
)
def _drift(detector: DetectorRow, latest: str, _line: OnLine) -> Drift:  # noqa: ARG001 - part of the key
    return _line.drift(resources.detector(detector))


def _promise(found: Drift) -> str:
    """What an alarm is worth."""
    held = "exactly" if found.exact else "about: a theorem takes separate calibration images that stand alone"
    return (
        "A conformal test martingale: it may be read after every part, for ever. While nothing changes, an alarm comes "
        f"with a chance of at most {100 * found.alpha:.3g} %, {held}."
    )


def _recalibration(detector: DetectorRow, line: OnLine, found: Drift) -> None:
    """One click makes a newer detector that is calibrated on the parts since the shift, or on all."""
    since = found.since or 0
    rows = line.rows[since:]
    good, waiting = for_calibration(rows)
    began = f"from part {since + 1} on" if since else "all of them"
    finding = (
        f"{len(good)} of {len(rows)} parts, {began}, are good as far as anybody knows. One click makes a newer version "
        "of the detector whose threshold is calibrated on them; this one stays as it is."
    )
    with charts.panel("Recalibrate with these images", finding):
        if waiting:
            _waiting(waiting)
        st.button(
            f"Recalibrate with {len(good)} parts",
            key="recalibrate",
            icon=":material/restart_alt:",
            type="primary" if found.alarm is not None and not waiting else "secondary",
            on_click=_recalibrate,
            args=(detector, good),
            **person.changing(disabled=not good or bool(waiting)),
        )
        tasks.cards(_PLACE)
        tasks.show_failure(_PLACE)


def _waiting(waiting: tuple[InspectionRow, ...]) -> None:
    n = len(waiting)
    st.warning(
        f"{n} flagged {'part of these waits' if n == 1 else 'parts of these wait'} for a person's word. Judge "
        f"{'it' if n == 1 else 'them'} first, in Parts: without the good ones among them the new threshold would come "
        "out too low.",
        icon=":material/person_search:",
    )


def _recalibrate(detector: DetectorRow, rows: tuple[InspectionRow, ...]) -> None:
    """Submit it; for callbacks."""
    ids, who = [row.id for row in rows], person.name()
    work = partial(recalibrate, resources.store(), detector.id, ids, who=who, cache=resources.feature_cache())
    title = f"Recalibrate {detector.name}"
    tasks.submit("fit", title, work, then="pages/working_point.py", place=_PLACE)
