"""The inspected parts in a table, and the one that is open beside it."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from gad_core.wording import file_name, for_spreadsheet
from gad_core.workspace.rows import DetectorRow, InspectionRow
from pages.shared import charts, frame, resources
from pages.views.inspect import choice, part, send

_SHOWN = 1000  # rows of the table; the CSV has all
_OPEN = "_inspected"  # in the session: by detector, the id of the part that is open
_EXPLAIN = "_explain_inspected"
_VERDICTS = {"good": "good", "review": "for review", "anomalous": "anomalous"}
_WORDS = {None: "", False: "good", True: "defective"}
_COLUMNS = {
    "verdict": st.column_config.TextColumn(width=86, help="By the threshold in force when the part came."),
    "person": st.column_config.TextColumn(width=76, help="What a person said of it last."),
    "part": st.column_config.TextColumn(width=128),
    "score": st.column_config.NumberColumn(
        width=66, format="%.3g", help="Distance; the threshold is in the open part."
    ),
    "p-value": st.column_config.NumberColumn(
        width=66, format="%.3g", help="Share of normal images that score at least as high, by the method's account."
    ),
    "came": st.column_config.DatetimeColumn(width=126, format="D MMM YYYY, HH:mm:ss"),
    "lot": st.column_config.TextColumn(width=70),
}


def leave() -> None:
    """Go to the attributions of a part for which that was asked."""
    if st.session_state.pop(_EXPLAIN, False):
        frame.go("pages/attributions.py")


def explain() -> None:
    """Ask for the attributions of what is open; for callbacks."""
    st.session_state[_EXPLAIN] = True


def parts(detector: DetectorRow) -> None:
    """Filters, table and CSV; beside them the open part; below, the way into a data set."""
    everything = resources.inspections(detector)
    if not everything:
        st.caption(
            ":material/info: No part was inspected yet. Bring some images above: each gets a verdict, a score and a "
            "map of what is unlike the good parts."
        )
        return
    rows = choice.chosen(everything, resources.store().watches.of(detector.id))
    shown = rows[:_SHOWN]
    opened = _opened(detector, rows, everything)
    with st.grid(2, min_column_width=430):
        with charts.cornered("Parts", _finding(rows, everything)) as corner:
            corner.download_button(
                "CSV",
                lambda: _csv(rows),
                file_name=file_name(detector.name, " inspected.csv"),
                mime="text/csv",
                icon=":material/download:",
                key="inspect_csv",
                disabled=not rows,
            )
            _table(detector, shown)
        if opened:
            part.show(detector, opened, following=_following(rows, opened))
    send.send(detector, rows)


def go_to(detector_id: str, inspection_id: int | None) -> None:
    """Open a part; for callbacks."""
    st.session_state.setdefault(_OPEN, {})[detector_id] = inspection_id


def _opened(
    detector: DetectorRow, rows: Sequence[InspectionRow], everything: Sequence[InspectionRow]
) -> InspectionRow | None:
    """The part that is open: the one that was chosen, else the first of the table."""
    wanted = st.session_state.get(_OPEN, {}).get(detector.id)
    return next((row for row in everything if row.id == wanted), rows[0] if rows else None)


def _following(rows: Sequence[InspectionRow], opened: InspectionRow) -> int | None:
    """The next part in the order of the table that nobody has judged."""
    place = next((i for i, row in enumerate(rows) if row.id == opened.id), -1)
    order = [*rows[place + 1 :], *rows[: max(place, 0)]]
    return next((row.id for row in order if row.defective is None), None)


def _table(detector: DetectorRow, rows: Sequence[InspectionRow]) -> None:
    # A table of other rows is another table: a tick stays with its place, not with its part.
    key = f"parts_{hash(tuple(row.id for row in rows)) & 0xFFFFFF:x}"

    def picked() -> None:
        places = st.session_state[key].selection.rows
        if places and places[0] < len(rows):
            go_to(detector.id, rows[places[0]].id)

    st.dataframe(
        _frame(rows),
        hide_index=True,
        key=key,
        height=520,
        on_select=picked,
        selection_mode="single-row",
        column_config=_COLUMNS,
        alt=f"{len(rows)} inspected parts with verdict, score and p-value",
    )


def _frame(rows: Sequence[InspectionRow]) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "verdict": [_VERDICTS[row.outcome] for row in rows],
            "person": [_WORDS[row.defective] for row in rows],
            "part": [row.name for row in rows],
            "score": [row.score for row in rows],
            "p-value": [row.p_value for row in rows],
            "came": [row.created for row in rows],
            "lot": [row.lot or "" for row in rows],
        }
    )
    return table if any(row.lot for row in rows) else table.drop(columns="lot")


def _finding(rows: Sequence[InspectionRow], everything: Sequence[InspectionRow]) -> str:
    flagged = sum(row.flagged for row in rows)
    of = f" of {len(everything):,}" if len(rows) != len(everything) else ""
    words = f"{len(rows):,}{of} {'part' if len(rows) == 1 else 'parts'}, {flagged:,} flagged."
    more = f" The first {_SHOWN:,} are shown; the CSV has all." if len(rows) > _SHOWN else ""
    return words + more + " A click on a row opens the part."


def _csv(rows: Sequence[InspectionRow]) -> bytes:
    table = pd.DataFrame(
        [
            {
                "part": for_spreadsheet(row.name),
                "lot": for_spreadsheet(row.lot or ""),
                "came": row.created.isoformat(),
                "verdict": row.outcome,
                "score": row.score,
                "p_value": row.p_value,
                "threshold": row.threshold,
                "reject_above": row.reject_above,
                "person": _WORDS[row.defective],
                "judged": row.judged.isoformat() if row.judged else "",
                "detector_version": row.version,
                "decision": row.decision_id or "",
                "sha256": row.digest,
            }
            for row in rows
        ]
    )
    return table.to_csv(index=False).encode()
