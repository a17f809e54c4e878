"""`gad report`: a detector, its data and its decision as one document."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gad_core.command_line.options import AsJson, DetectorFile
from gad_core.command_line.output import print_json, progress_bar

if TYPE_CHECKING:
    from gad_core.gaussian.detector import Detector
    from gad_core.workspace.known import Known


def report(
    detector: DetectorFile,
    dataset: Annotated[Path, typer.Argument(help="Its data set, a folder in MVTec layout.", show_default=False)],
    out: Annotated[Path, typer.Argument(metavar="OUT.html", help="The file to write.", show_default=False)],
    title: Annotated[str | None, typer.Option(help="Of the document.")] = None,
    images: Annotated[int, typer.Option(min=0, help="Pictures of each kind of error, at most.")] = 6,
    attributions: Annotated[int, typer.Option(min=0, help="Defects that are explained; 0 for none.")] = 4,
    as_json: AsJson = False,
) -> None:
    """Write one HTML file for a review: verdict, charts, errors, attributions, decisions, data, versions."""
    from gad_core.gaussian.detector_file import load_detector
    from gad_core.library.reporting import write_report

    fitted = load_detector(detector)
    known = known_of(detector, dataset, fitted)
    with progress_bar("Images") as progress:
        found = write_report(
            fitted,
            dataset,
            out,
            title=title,
            images=images,
            attributions=attributions,
            known=known,
            source=detector,
            progress=progress,
        )
    if as_json:
        facts = {"report": str(found.path), "bytes": found.n_bytes, "verdict": found.verdict}
        print_json(facts | {"sentence": found.sentence})
    else:
        typer.echo(found.sentence)


def known_of(path: Path, dataset: Path, detector: "Detector") -> "Known | None":
    """What the workspace knows of a detector that lies in it."""
    from gad_core.workspace.adoption import find_row
    from gad_core.workspace.known import find_dataset, what_is_known
    from gad_core.workspace.place import lies_in_workspace
    from gad_core.workspace.store import open_store

    if not lies_in_workspace(path):
        return None
    with open_store() as store:
        row = find_row(store, path)
        return what_is_known(store, row, find_dataset(store, dataset), detector) if row else None
