"""Data sets that are already here, the last used first; and what the open one is called."""

import streamlit as st

from gad_core.workspace.rows import DatasetRow
from pages.shared import naming, opened, person, resources, strips
from pages.shared.text import plain

_PER_PAGE = 24


def shelf(current: DatasetRow | None) -> None:
    """The others, a card each; archived ones only if asked for."""
    everything = [row for row in resources.store().datasets.all() if current is None or row.id != current.id]
    if not everything:
        return
    st.markdown("**Already here**")
    rows = _chosen(everything)
    pages = max(-(-len(rows) // _PER_PAGE), 1)
    first = (min(st.session_state.get("datasets_page", 1), pages) - 1) * _PER_PAGE
    with st.grid(4, min_column_width=190):
        for row in rows[first : first + _PER_PAGE]:
            _card(row)
    if pages > 1:
        st.pagination(pages, key="datasets_page")


def named(row: DatasetRow) -> None:
    """The open data set's name and description, and what can be done with it."""
    with st.container(horizontal=True, vertical_alignment="center", key="dataset_named"):
        about = f" :gray[{plain(row.description)}]" if row.description else ""
        st.markdown(f"**{plain(row.name)}**{about}")
        off = person.changing()
        if st.button("Name & description", key="dataset_rename", icon=":material/edit:", type="tertiary", **off):
            naming.describe(row)
        archived = row.archived is not None
        st.button(
            "Take out of the archive" if archived else "Archive",
            key="dataset_archive",
            icon=":material/unarchive:" if archived else ":material/archive:",
            type="tertiary",
            on_click=naming.archive,
            args=(row, not archived),
            **off,
        )
        if st.button("Delete", key="dataset_delete", icon=":material/delete:", type="tertiary", **off):
            naming.delete(row)


def _chosen(everything: list[DatasetRow]) -> list[DatasetRow]:
    """Those that are searched for, the last used first; the fields come with many data sets alone."""
    archived = sum(row.archived is not None for row in everything)
    text, too = "", False
    if archived or len(everything) > _PER_PAGE:
        with st.container(horizontal=True, vertical_alignment="bottom", key="dataset_filters"):
            text = st.text_input(
                "Search", key="dataset_search", placeholder="name or description", width=240, persist_state="session"
            )
            too = bool(archived) and st.toggle(
                f"Archived too · {archived}", key="dataset_archived", persist_state="session"
            )
    there = [row for row in everything if too or row.archived is None]
    words = text.casefold().split()
    found = [row for row in there if all(word in f"{row.name} {row.description}".casefold() for word in words)]
    return sorted(found, key=lambda row: row.used or row.created, reverse=True)


def _card(row: DatasetRow) -> None:
    with st.container(border=True, gap="xsmall", key=f"shelf_{row.id}"):
        strips.show(strips.of_dataset(row), alt=f"{row.name}: its first images")
        st.markdown(f"**{plain(row.name)}**")
        archived = " · archived" if row.archived else ""
        st.caption(f"{row.counts.total} {'image' if row.counts.total == 1 else 'images'} · {row.kind}{archived}")
        st.button(
            "Open", key=f"open_{row.id}", icon=":material/arrow_forward:", on_click=opened.open_dataset, args=(row,)
        )
