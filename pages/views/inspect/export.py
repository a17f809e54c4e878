"""The detector on its way to the line: one ONNX graph, with the calibration beside it."""

import io
import zipfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import streamlit as st

from gad_core import wording
from gad_core.gaussian.detector_file import load_detector
from gad_core.progress import Progress
from gad_core.workspace.adoption import on_record
from gad_core.workspace.rows import DatasetRow, DetectorRow, detector_state
from gad_core.workspace.store import Store
from pages.shared import charts, opened, person, resources, tasks

_PLACE = "export"
_GRAPH = "detector.onnx"


@dataclass(frozen=True)
class _Exported:
    id: str  # of the detector


def export(detector: DetectorRow) -> None:
    """A button that writes and checks the graph, and one that hands it out."""
    finding = (
        "One ONNX graph from an image to score, map of regions, threshold and verdict. It is run against this detector "
        "on real images before it is handed out, and refused where a score differs by more than 1e-4 or a verdict does."
    )
    with charts.panel("Export as ONNX", finding):
        st.button(
            "Make and check the graph",
            key="export_go",
            icon=":material/deployed_code:",
            on_click=_export,
            args=(detector,),
            **person.changing(),
        )
        tasks.cards(_PLACE)
        tasks.show_failure(_PLACE)
        folder = _folder(resources.store(), detector)
        if (folder / _GRAPH).exists():
            st.download_button(
                "Download graph and calibration",
                lambda: _packed(folder),
                file_name=wording.file_name(detector.name, ".onnx.zip"),
                mime="application/zip",
                icon=":material/download:",
                key="export_download",
                type="primary",
            )
            st.caption("The graph asks for onnxruntime, numpy and Pillow alone; the README has a consumer of 15 lines.")
    with charts.panel("From the shell", "The same detector without a browser; each command says more with --help."):
        name = f'"{detector.path}"'
        st.code(
            f"gad score {name} parts/ --csv verdicts.csv\ngad monitor {name} parts/\n"
            f"gad export {name} line/detector.onnx\ngad serve {name}",
            language="bash",
            wrap_lines=True,
        )


def _export(detector: DetectorRow) -> None:
    work = partial(_work, resources.store(), detector, opened.dataset())
    tasks.submit("export", f"Export {detector.name}", work, place=_PLACE)


def _work(store: Store, row: DetectorRow, dataset: DatasetRow | None, *, progress: Progress) -> _Exported:
    """Write it, checked on the test images of the open data set as well."""
    from gad_core.library.exporting import export_onnx  # noqa: PLC0415 - loads torch, which the page does without

    detector, name = load_detector(row.path), _folder(store, row).name
    decision = on_record(store, row.path, detector) if detector.working_point else None
    check = store.read(dataset).test if dataset else None
    made_by = decision.id if decision else None
    with store.exporting(name) as folder:
        export_onnx(detector, folder / _GRAPH, check=check, decision=made_by, progress=progress)
    return _Exported(row.id)


def _folder(store: Store, row: DetectorRow) -> Path:
    """Where the graph of a detector lies, as its file is now."""
    return store.exported / str(detector_state(row))


def _packed(path: Path) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in sorted(path.iterdir()):
            archive.write(part, part.name)
    return stream.getvalue()
