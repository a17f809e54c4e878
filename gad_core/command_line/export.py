"""`gad export`: a detector as one ONNX graph."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gad_core.command_line.options import AsJson, DetectorFile
from gad_core.command_line.output import end, print_json, progress_bar, refusals_json

if TYPE_CHECKING:
    from gad_core.gaussian.detector import Detector
    from gad_core.library.exporting import Exported


def export(
    detector: DetectorFile,
    out: Annotated[Path, typer.Argument(metavar="OUT.onnx", help="The file to write.", show_default=False)],
    check: Annotated[
        Path | None, typer.Option(metavar="DATASET", help="Run the graph on this data set's test images as well.")
    ] = None,
    target_fpr: Annotated[float | None, typer.Option(help="Default: the adopted threshold, else 0.05.")] = None,
    method: Annotated[str | None, typer.Option(help="Default: the adopted one, else cross-conformal.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write one ONNX graph from image to score, regions, threshold and verdict, and calibration.json beside it."""
    from gad_core.gaussian.detector_file import load_detector
    from gad_core.library.exporting import export_onnx

    fitted = load_detector(detector)
    asked = target_fpr is not None or method is not None
    decision = None if asked else decision_of(detector, fitted)
    with progress_bar("Images checked") as progress:
        found = export_onnx(
            fitted, out, check=check, target_fpr=target_fpr, method=method, decision=decision, progress=progress
        )
    if as_json:
        print_json(export_json(found))
    else:
        typer.echo(export_lines(found))
    end(found.refused)


def decision_of(path: Path, detector: "Detector") -> str | None:
    """The id under which the workspace has the detector's adopted threshold on record."""
    from gad_core.workspace.adoption import on_record
    from gad_core.workspace.place import lies_in_workspace
    from gad_core.workspace.store import open_store

    if detector.working_point is None or not lies_in_workspace(path):
        return None
    with open_store() as store:
        decision = on_record(store, path, detector)
    return decision.id if decision else None


def export_json(found: "Exported") -> dict[str, object]:
    """What `export` prints."""
    agreement, facts = found.agreement, found.facts
    return {
        "graph": str(found.graph),
        "calibration": str(found.calibration),
        "bytes": found.graph.stat().st_size,
        "threshold": facts["threshold"],
        "adopted": facts["adopted"],
        "decision": facts["decision"],
        "method": facts["calibration"]["method"],
        "target_fpr": facts["calibration"]["target_fpr"],
        "checked": {
            "images": agreement.n,
            "largest_difference": agreement.largest_difference,
            "differing_verdicts": agreement.differing_verdicts,
            "milliseconds": agreement.milliseconds,
        },
        "refused": refusals_json(found.refused),
    }


def export_lines(found: "Exported") -> str:
    """The same in words."""
    agreement, facts = found.agreement, found.facts
    how = "adopted" if facts["adopted"] else "not adopted by anybody"
    return (
        f"{found.graph} ({found.graph.stat().st_size / 1e6:.1f} MB) and {found.calibration.name} beside it\n"
        f"threshold {facts['threshold']:.3f}, {how}: {facts['calibration']['how']}\n"
        f"checked on {agreement.n} images: largest difference of a score {agreement.largest_difference:.1e}, the same "
        f"verdicts, {agreement.milliseconds:.0f} ms an image"
    )
