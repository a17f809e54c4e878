"""Compare: detectors and baselines of one data set side by side, and the paper's tables on it."""

import streamlit as st

from gad_core.workspace.rows import DatasetRow
from pages.shared import frame, opened, tasks
from pages.views.compare import beside, costs, offers, pair, plane, tables
from pages.views.compare.candidates import candidates, choice, together

frame.begin()


def main() -> None:
    frame.heading("Compare", "Decide which detector to trust: your own, one of another kind, or the paper's.")
    tasks.cards()
    tasks.show_failure()
    dataset = opened.dataset()
    if dataset is None:
        frame.empty("Bring images first: then detectors can be held against each other.", "Bring some", "pages/data.py")
        return
    if not (dataset.counts.test_normal and dataset.counts.test_defective):
        frame.empty("A comparison needs good and defective test images.", "Bring some", "pages/data.py")
        return
    comparison(dataset)


@frame.fragment
def comparison(dataset: DatasetRow) -> None:
    """What there is, held against each other; then what can be added."""
    known = candidates(dataset)
    with st.container(border=True):
        chosen = choice(known)
    if chosen:
        field = together(dataset, chosen)
        beside.numbers(field)
        beside.beside(field)
        if len(field.members) > 1:
            pair.pair(field)
        costs.costs(field)
        plane.plane(field)
    offers.offers(dataset, known)
    tables.tables(dataset)


main()
