"""Data: bring images, see what was refused and why."""

import streamlit as st

from gad_core.data.datasets import ImageFile
from gad_core.workspace.rows import DatasetRow
from pages.shared import frame, opened, resources, tasks
from pages.shared.gallery import gallery
from pages.shared.refusals import refusals
from pages.shared.text import plain
from pages.views.data import bring, relabel, shelf
from pages.views.data.checks import checks
from pages.views.data.suspects import suspects

frame.begin()


def main() -> None:
    frame.heading("Data", "Decide which images show good parts: all others are judged against them.")
    row = opened.dataset()
    tasks.cards()
    tasks.show_failure()
    if row is None:
        bring.sources()
        shelf.shelf(None)
        return
    with st.expander("Bring other images", icon=":material/add_photo_alternate:", key="bring_other"):
        bring.sources()
        shelf.shelf(row)
    shelf.named(row)
    numbers(row)
    refusals(row.refused, f"{len(row.refused)} refused", key="refused", expanded=True)
    checks(row)
    pictures(row)
    detector = opened.detector()
    if detector is not None and detector.dataset_id == row.id:
        suspects(row, detector)


def numbers(row: DatasetRow) -> None:
    """What there is, and the next step."""
    counts = row.counts
    with st.grid(4, min_column_width=150):
        st.metric("Good parts to fit", counts.train, border=True, help="Images in train/good.")
        st.metric("Good parts to test", counts.test_normal, border=True, help="Images in test/good.")
        st.metric("Defective parts to test", counts.test_defective, border=True, help="All other images in test/.")
        st.metric("Refused files", len(row.refused), border=True, help="Files that could not be read, listed below.")
    frame.onward(f"Next: fit {plain(row.name)}", "pages/fit.py")


def pictures(row: DatasetRow) -> None:
    """Thumbnails by kind."""
    dataset = resources.dataset(row)
    kinds: dict[str, list[ImageFile]] = {"good, to fit": list(dataset.train)}
    for file in dataset.test:
        kinds.setdefault("good, to test" if not file.anomalous else file.defect.replace("_", " "), []).append(file)
    kind = st.segmented_control(
        "Pictures",
        list(kinds),
        default="good, to fit",
        required=True,
        format_func=lambda kind: f"{plain(kind)} · {len(kinds[kind])}",
        key="kind",
        label_visibility="collapsed",
    )
    files = kinds.get(str(kind)) or kinds["good, to fit"]
    gallery(files, key=f"pictures_{row.id}_{kind}", on_press=relabel.press)
    st.caption(relabel.offer(row))
    relabel.pressed(row)


main()
