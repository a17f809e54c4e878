"""The report of a detector: one file for a review, made from a button."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import streamlit as st

from gad_core import wording
from gad_core.gaussian.detector_file import load_detector
from gad_core.progress import Progress
from gad_core.workspace.known import what_is_known
from gad_core.workspace.rows import DatasetRow, DetectorRow, detector_state
from gad_core.workspace.store import Store
from pages.shared import charts, opened, person, resources, tasks

_PLACE = "report"


@dataclass(frozen=True)
class _Reported:
    id: str  # of the detector


def report(detector: DetectorRow) -> None:
    """A button that writes the report, and one that hands it out."""
    finding = (
        "One file with the verdict first, charts, errors as pictures, attributions, decisions, digests and versions. "
        "It needs no network and prints to A4."
    )
    dataset = opened.dataset()
    with charts.panel("Report for a review", finding):
        if dataset is None:
            st.caption("A report takes the detector's data set, which is not open.")
            return
        st.button(
            "Write the report",
            key="report_go",
            icon=":material/description:",
            on_click=_report,
            args=(detector, dataset),
            **person.changing(),
        )
        tasks.cards(_PLACE)
        tasks.show_failure(_PLACE)
        path = _path(resources.store(), detector, dataset)
        if path.exists():
            st.download_button(
                "Download the report",
                path.read_bytes,
                file_name=wording.file_name(detector.name, " report.html"),
                mime="text/html",
                icon=":material/download:",
                key="report_download",
                type="primary",
            )


def _report(detector: DetectorRow, dataset: DatasetRow) -> None:
    work = partial(_work, resources.store(), detector, dataset)
    tasks.submit("report", f"Report on {detector.name}", work, place=_PLACE)


def _work(store: Store, row: DetectorRow, dataset: DatasetRow, *, progress: Progress) -> _Reported:
    from gad_core.library.reporting import write_report  # noqa: PLC0415 - loads torch, which the page does without

    detector = load_detector(row.path)
    known = what_is_known(store, row, dataset, detector)
    path = _path(store, row, dataset)
    write_report(detector, store.read(dataset), path, known=known, source=row.path, progress=progress)
    return _Reported(row.id)


def _path(store: Store, detector: DetectorRow, dataset: DatasetRow) -> Path:
    """Where the report lies, as detector and data set are now."""
    return store.exported / f"{detector_state(detector)}-{dataset.id}-{dataset.modified:%Y%m%d%H%M%S%f}.html"
