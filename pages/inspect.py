"""Inspect: new parts before the detector, and whether its threshold holds on them."""

import streamlit as st

from gad_core.workspace.rows import DetectorRow
from pages.shared import frame, opened, resources, tasks
from pages.views.inspect import bring, drift, export, line, parts, report
from pages.views.inspect.numbers import numbers

frame.begin()

_PARTS, _LINE, _OVER = "Parts", "On the line", "Hand over"


def main() -> None:
    frame.heading("Inspect", "Decide what becomes of new parts, and whether the threshold still holds on them.")
    tasks.cards()
    tasks.show_failure()
    detector = opened.detector()
    if detector is None:
        frame.empty("Fit a detector first: then it judges every new part.", "Fit a detector", "pages/fit.py")
        return
    bring.sources(detector)
    inspected(detector)


def inspected(detector: DetectorRow) -> None:
    """What is known of the parts so far; while a folder is watched, as they come."""
    watched = any(watch.active for watch in resources.store().watches.of(detector.id))
    (_live if watched else _still)(detector)


@frame.fragment
def _still(detector: DetectorRow) -> None:
    _views(detector)


@st.fragment(run_every=2.0)
def _live(detector: DetectorRow) -> None:
    with frame.guarded():
        _views(detector)


def _views(detector: DetectorRow) -> None:
    parts.leave()
    if resources.line(detector).rows:
        numbers(detector)
    view = st.segmented_control(
        "View",
        [_PARTS, _LINE, _OVER],
        default=_PARTS,
        required=True,
        key="inspect_view",
        label_visibility="collapsed",
        persist_state="session",
    )
    if view == _OVER:
        report.report(detector)
        export.export(detector)
    elif view == _LINE:
        line.rates(detector)
        drift.drift(detector)
    else:
        parts.parts(detector)


main()
