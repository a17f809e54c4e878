"""All detectors of the workspace in one table: opened, renamed and deleted from here."""

import pandas as pd
import streamlit as st

from gad_core import wording
from gad_core.errors import GadError
from gad_core.workspace.rows import DatasetRow, DetectorRow
from pages.shared import frame, opened, resources
from pages.shared.text import plain

_ROW = 78  # pixels: three lines, as cells wrap from twice the usual height on
#: Together they fit beside the sidebar in a window of 900 pixels, with room for a tick in front.
_COLUMNS = {
    "name": st.column_config.TextColumn(width=150, help="With its good parts, and when it was fitted."),
    "tuning": st.column_config.TextColumn(width=116),
    "threshold": st.column_config.TextColumn(
        width=92, help="The adopted threshold, and the target that it was set for."
    ),
    "AUROC": st.column_config.TextColumn(width=74),
}


def all_detectors() -> None:
    """The table, and what can be done with the chosen row."""
    rows = resources.store().detectors.all()
    if not rows:
        return
    st.subheader("All detectors", anchor=False)
    names = {dataset.id: dataset for dataset in resources.store().datasets.all()}
    table = pd.DataFrame([_line(row, names.get(row.dataset_id or "")) for row in rows])
    chosen = st.dataframe(
        table,
        hide_index=True,
        key="detectors",
        on_select="rerun",
        selection_mode="single-row",
        alt=f"{len(rows)} detectors with data, tuning, adopted threshold and AUROC",
        row_height=_ROW,
        column_config=_COLUMNS,
    )
    places = [place for place in chosen.selection.rows if place < len(rows)]
    row = rows[places[0]] if places else None
    with st.container(horizontal=True):
        if st.button(
            "Open", key="detector_open", icon=":material/arrow_forward:", type="primary", disabled=row is None
        ):
            assert row is not None  # noqa: S101 - the button is off without one
            opened.open_detector(row)
            st.switch_page("pages/working_point.py", query_params=opened.link())
        if st.button("Rename", key="detector_rename", icon=":material/edit:", disabled=row is None) and row:
            _rename(row)
        if st.button("Delete", key="detector_delete", icon=":material/delete:", disabled=row is None) and row:
            _delete(row)
        if row is None:
            st.caption("Choose a row to open, rename or delete its detector.")


def _line(row: DetectorRow, dataset: DatasetRow | None) -> dict[str, str]:
    data = dataset.name if dataset else "a data set that was deleted"
    try:
        summary = resources.summary(row)
    except GadError:
        parts, tuning, point = data, "its file cannot be read", None
    else:
        parts, tuning, point = f"{summary.n_train} of {data}", wording.tuning(summary.tuning), summary.working_point
    return {
        "name": f"{row.name} · {parts}, {row.created:%d %b %Y}",
        "tuning": tuning.replace(" %", "\u00a0%"),
        "threshold": f"{wording.number(point.threshold)} at {wording.percent(point.target_fpr)}" if point else "none",
        "AUROC": f"{100 * area:.1f} %" if (area := row.current_auroc) is not None else "not known",
    }


@st.dialog("Rename")
def _rename(row: DetectorRow) -> None:
    name = st.text_input("Name", value=row.name, key="detector_name", max_chars=60)
    if st.button("Save", key="detector_name_save", type="primary", icon=":material/check:"):
        try:
            resources.store().detectors.rename(row.id, name)
        except GadError as error:
            frame.trouble(error)
        else:
            st.rerun()


@st.dialog("Delete a detector")
def _delete(row: DetectorRow) -> None:
    decisions = len(resources.store().detectors.decisions(row.id))
    st.markdown(
        f"**{plain(row.name)}**, fitted on {row.created:%d %b %Y}, goes with its file and the {decisions} "
        "thresholds that were adopted for it. The images stay."
    )
    if st.button("Delete it", key="detector_delete_sure", icon=":material/delete:"):
        with frame.guarded():
            resources.store().detectors.delete(row.id)
            st.rerun()
