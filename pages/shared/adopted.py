"""The adopted threshold in words, and the mark of a page that shows something else."""

from collections.abc import Callable

import streamlit as st

from gad_core import figures, wording
from gad_core.gaussian.tuning import SUM, Tuning, WorkingPoint
from gad_core.workspace.rows import DetectorRow
from pages.shared import frame, resources, settings

_STEP = 1e-6  # of the field for a rate


def words(point: WorkingPoint, tuning: Tuning) -> str:
    """A threshold with its tuning: `22.1, cross-conformal at 5.0 %, levels 6-8, NPCA 5 %`."""
    level = "" if point.level == SUM else f", level {point.level}"
    return (
        f"{wording.number(point.threshold)}{level}{band(point)}, {figures.METHOD_NAMES[point.method].lower()} at "
        f"{wording.percent(point.target_fpr)}, {wording.tuning(tuning)}"
    )


def band(point: WorkingPoint) -> str:
    """The review band, where there is one: `, review up to 3.4`."""
    return "" if point.reject_above is None else f", review up to {wording.number(point.reject_above)}"


def mark(row: DetectorRow) -> None:
    """Say that the tuning of the controls differs from what is adopted, with one click back."""
    if settings.current(row).tuning != settings.own(row).tuning:
        differs(row, on_restore=lambda: None)


def mark_whole(row: DetectorRow, reject_fpr: float | None, *, on_restore: Callable[[], None]) -> None:
    """The same of level, method, target and review band as well; `on_restore` sets the controls of the band back."""
    point = resources.summary(row).working_point
    if point and (settings.current(row) != settings.own(row) or not _alike(reject_fpr, point.reject_fpr)):
        differs(row, on_restore=on_restore)


def differs(row: DetectorRow, *, on_restore: Callable[[], None]) -> None:
    """The mark, where anything is adopted; `on_restore` is called when its button is pressed."""
    summary, own = resources.summary(row), settings.own(row)
    if summary.working_point is None:
        return

    def restore() -> None:
        settings.choose_all(own)
        on_restore()
        frame.redraw()

    with st.container(horizontal=True, vertical_alignment="center", key="differs"):
        st.markdown(
            ":material/difference: **Differs from the adopted threshold** "
            f":gray[{words(summary.working_point, summary.tuning)}]"
        )
        st.button(
            "Restore",
            key="restore",
            icon=":material/undo:",
            on_click=restore,
            help="Set the controls to what was adopted.",
        )


def _alike(one: float | None, other: float | None) -> bool:
    """Whether two rates are the same, to what a control tells apart."""
    return one == other if one is None or other is None else abs(one - other) < _STEP
