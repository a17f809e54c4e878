"""All detectors of the workspace in one table: found, opened, named, archived and deleted from here."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

import pandas as pd
import streamlit as st

from gad_core import wording
from gad_core.errors import GadError
from gad_core.workspace.rows import DatasetRow, DetectorRow
from pages.shared import naming, opened, person, resources

_PER_PAGE = 20
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
    everything = resources.store().detectors.all()
    if not everything:
        return
    st.subheader("All detectors", anchor=False)
    names = {dataset.id: dataset for dataset in resources.store().datasets.all()}
    rows = _chosen(everything, names)
    pages = max(-(-len(rows) // _PER_PAGE), 1)
    first = (min(st.session_state.get("detectors_page", 1), pages) - 1) * _PER_PAGE
    shown = rows[first : first + _PER_PAGE]
    if not shown:
        st.caption("No detector is called so.")
        return
    # A table of other rows is another table: a tick stays with its place, not with its detector.
    key = f"detectors_{hash(tuple(row.id for row in shown)) & 0xFFFFFF:x}"
    chosen = st.dataframe(
        pd.DataFrame([_line(row, names.get(row.dataset_id or "")) for row in shown]),
        hide_index=True,
        key=key,
        on_select="rerun",
        selection_mode="single-row",
        alt=f"{len(shown)} detectors with data, tuning, adopted threshold and AUROC",
        row_height=_ROW,
        column_config=_COLUMNS,
    )
    if pages > 1:
        st.pagination(pages, key="detectors_page")
    places = [place for place in chosen.selection.rows if place < len(shown)]
    _actions(shown[places[0]] if places else None)


def last_used(row: DetectorRow) -> datetime:
    """When somebody opened it last, else when it was fitted."""
    return row.used or row.created


_ORDERS: dict[str, Callable[[Iterable[DetectorRow]], list[DetectorRow]]] = {
    "Last used": lambda rows: sorted(rows, key=last_used, reverse=True),
    "Newest": lambda rows: sorted(rows, key=lambda row: row.created, reverse=True),
    "Name": lambda rows: sorted(rows, key=lambda row: row.name.casefold()),
    "AUROC": lambda rows: sorted(rows, key=lambda row: -(row.current_auroc or 0.0)),
}


def _chosen(everything: Sequence[DetectorRow], names: Mapping[str, DatasetRow]) -> list[DetectorRow]:
    """Search, order and archive; the rows that they leave."""
    archived = sum(row.archived is not None for row in everything)
    with st.container(horizontal=True, vertical_alignment="bottom", key="detector_filters"):
        text = st.text_input(
            "Search",
            key="detector_search",
            placeholder="name, description or data set",
            width=280,
            persist_state="session",
        )
        order = st.selectbox("Order", list(_ORDERS), key="detector_order", width=170, persist_state="session")
        too = bool(archived) and st.toggle(
            f"Archived too · {archived}", key="detector_archived", persist_state="session"
        )

    def holds(row: DetectorRow) -> bool:
        data = names.get(row.dataset_id or "")
        where = f"{row.name} {row.description} {data.name if data else ''} {row.backbone}".casefold()
        return (too or row.archived is None) and all(word in where for word in text.casefold().split())

    return _ORDERS[str(order)](filter(holds, everything))


def _actions(row: DetectorRow | None) -> None:
    """What can be done with a detector; all off without one."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(
            "Open", key="detector_open", icon=":material/arrow_forward:", type="primary", disabled=row is None
        ):
            assert row is not None  # noqa: S101 - the button is off without one
            opened.open_detector(row)
            st.switch_page("pages/working_point.py", query_params=opened.link())
        off = person.changing(disabled=row is None)
        if st.button("Name & description", key="detector_rename", icon=":material/edit:", **off) and row:
            naming.describe(row)
        archived = row is not None and row.archived is not None
        st.button(
            "Take out of the archive" if archived else "Archive",
            key="detector_archive",
            icon=":material/unarchive:" if archived else ":material/archive:",
            on_click=naming.archive,
            args=(row, not archived),
            **off,
        )
        if st.button("Delete", key="detector_delete", icon=":material/delete:", **off) and row:
            naming.delete(row)
        if row is None:
            st.caption("Choose a row to open, name, archive or delete its detector.")


def _line(row: DetectorRow, dataset: DatasetRow | None) -> dict[str, str]:
    data = dataset.name if dataset else "a data set that was deleted"
    try:
        summary = resources.summary(row)
    except GadError:
        parts, tuning, point = data, "its file cannot be read", None
    else:
        parts, tuning, point = f"{summary.n_train} of {data}", wording.tuning(summary.tuning), summary.working_point
    return {
        "name": f"{row.name} · {parts}, {row.created:%d %b %Y}{_told(row)}",
        "tuning": tuning.replace(" %", "\u00a0%"),
        "threshold": f"{wording.number(point.threshold)} at {wording.percent(point.target_fpr)}" if point else "none",
        "AUROC": f"{100 * area:.1f} %" if (area := row.current_auroc) is not None else "not known",
    }


def _told(row: DetectorRow) -> str:
    """What people said of it: ` · archived · for line 3`."""
    return "".join(f" · {words}" for words in ("archived" if row.archived else "", row.description) if words)
