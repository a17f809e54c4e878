"""The adopted threshold in words, and the mark of a page that shows something else."""

import streamlit as st

from gad_core import figures, wording
from gad_core.gaussian.tuning import SUM, Tuning, WorkingPoint
from gad_core.workspace.rows import DetectorRow
from pages.shared import resources, settings


def words(point: WorkingPoint, tuning: Tuning) -> str:
    """A threshold with its tuning: `22.1, cross-conformal at 5.0 %, levels 6-8, NPCA 5 %`."""
    level = "" if point.level == SUM else f", level {point.level}"
    return (
        f"{wording.number(point.threshold)}{level}, {figures.METHOD_NAMES[point.method].lower()} at "
        f"{wording.percent(point.target_fpr)}, {wording.tuning(tuning)}"
    )


def mark(row: DetectorRow, *, whole: bool = False) -> None:
    """Say that the controls differ from what is adopted, with one click back; nothing where they do not.

    `whole` compares level, method and target as well as the tuning.
    """
    summary, own, current = resources.summary(row), settings.own(row), settings.current(row)
    if summary.working_point is None or (current == own if whole else current.tuning == own.tuning):
        return
    with st.container(horizontal=True, vertical_alignment="center", key="differs"):
        st.markdown(
            ":material/difference: **Differs from the adopted threshold** "
            f":gray[{words(summary.working_point, summary.tuning)}]"
        )
        st.button(
            "Restore",
            key="restore",
            icon=":material/undo:",
            on_click=settings.choose_all,
            args=(own,),
            help="Set the controls to what was adopted.",
        )
