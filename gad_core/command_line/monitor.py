"""`gad monitor`: images in the order in which they came, and whether the detector's calibration still holds."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gad_core.command_line.options import AsJson, DetectorFile
from gad_core.command_line.output import end, print_json, progress_bar, refusals_json, say, write_csv

if TYPE_CHECKING:
    from gad_core.library.monitoring import MonitoredImages


def monitor(
    detector: DetectorFile,
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH...", help="Images or folders, in the order they came.", show_default=False),
    ],
    groups: Annotated[
        Path | None, typer.Option(metavar="CSV", help="Which images belong to one lot: columns file,group.")
    ] = None,
    alpha: Annotated[float, typer.Option(help="Chance of an alarm, ever, while nothing changes.")] = 0.05,
    seed: Annotated[int, typer.Option(min=0, help="Of the smoothed p-values; keep it.")] = 0,
    table: Annotated[Path | None, typer.Option("--csv", help="Write a line an image to this file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say whether good-looking parts still score as they did, and since when they do not."""
    from gad_core.gaussian.detector_file import load_detector
    from gad_core.library import monitoring, reading

    fitted = load_detector(detector)
    lots = reading.read_groups(groups) if groups else None
    with progress_bar("Images") as progress:
        monitored = monitoring.monitor(fitted, paths, lots=lots, alpha=alpha, seed=seed, progress=progress)
    if table:
        write_csv(table, monitored.rows)
    if as_json:
        report = monitored.drift.to_json()
        print_json({**report, "images": monitored.rows, "refused": refusals_json(monitored.refused)})
    else:
        for line in lines(monitored):
            say(line)
    end(monitored.refused)


def lines(monitored: "MonitoredImages") -> Iterator[str]:
    """The sentence, where the shift and the alarm are, then a line a lot."""
    drift, files = monitored.drift, monitored.images.files
    yield drift.sentence
    if drift.since is not None and drift.alarm is not None:
        yield f"shifted since {files[drift.since].path}"
        yield f"alarm at {files[drift.alarm].path}"
    held = "exactly" if drift.exact else "about; a theorem takes separate calibration images that stand alone"
    yield f"while nothing changes, an alarm ever comes with a chance of at most {100 * drift.alpha:.3g} %, {held}"
    for lot in drift.lots:
        state = "out of limits" if lot.outside else ""
        yield f"mean {lot.mean:+7.3f}  limits ±{lot.limit:.3f}  n {lot.n:4}  {state:13}  {lot.name}"
