"""Which of the inspected parts are shown, and in which order."""

from collections.abc import Callable, Sequence

import streamlit as st

from gad_core.workspace.rows import InspectionRow, WatchRow

Rows = Sequence[InspectionRow]
_VERDICTS: dict[str, Callable[[InspectionRow], bool]] = {
    "All": lambda _: True,
    "Flagged": lambda row: row.flagged,
    "For review": lambda row: row.outcome == "review",
    "Passed": lambda row: not row.flagged,
}
_WORDS: dict[str, Callable[[InspectionRow], bool]] = {
    "Any": lambda _: True,
    "Not judged": lambda row: row.defective is None,
    "Called good": lambda row: row.defective is False,
    "Called defective": lambda row: row.defective is True,
}
_ORDERS: dict[str, Callable[[InspectionRow], float]] = {
    "Least sure first": lambda row: abs(row.score - row.threshold),
    "Highest first": lambda row: -row.score,
    "Newest first": lambda row: -row.id,
}


def chosen(rows: Rows, watches: Sequence[WatchRow]) -> list[InspectionRow]:
    """The controls, and the rows that they leave, in their order."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="inspect_filters"):
        verdict = _choice("Verdict", _VERDICTS, rows, key="inspect_verdict")
        word = _choice("By a person", _WORDS, rows, key="inspect_word")
        order = st.selectbox("Order", list(_ORDERS), key="inspect_order", width=170, persist_state="session")
        sources = {"everywhere": None} | {watch.folder: watch.id for watch in watches} | {"brought by hand": ""}
        source = st.selectbox("From", list(sources), key="inspect_source", width=190, persist_state="session")
        text = st.text_input(
            "Name", key="inspect_name", width=150, placeholder="part of a name", persist_state="session"
        )
    kept = [row for row in rows if _VERDICTS[verdict](row) and _WORDS[word](row)]
    if (wanted := sources.get(str(source))) is not None:
        kept = [row for row in kept if row.source == (wanted or row.detector_id)]
    if needle := text.strip().casefold():
        kept = [row for row in kept if needle in row.name.casefold()]
    return sorted(kept, key=_ORDERS[str(order)])


def _choice(label: str, kinds: dict[str, Callable[[InspectionRow], bool]], rows: Rows, *, key: str) -> str:
    """One kind of rows, each named with how many there are."""
    counts = {name: sum(map(belongs, rows)) for name, belongs in kinds.items()}
    chosen = st.selectbox(
        label,
        list(kinds),
        format_func=lambda name: f"{name} · {counts[name]:,}",
        key=key,
        width=175,
        persist_state="session",
    )
    return str(chosen)
