"""`gad evaluate`: a detector held against labelled test images."""

from pathlib import Path
from typing import Annotated

import typer

from gad_core.command_line.options import AsJson, DetectorFile, Distance, Grid, Keep, Levels, Pooling, parse_tuning
from gad_core.command_line.output import end, evaluation_json, print_json, progress_bar, rates_line


def evaluate(
    detector: DetectorFile,
    dataset: Annotated[Path, typer.Argument(help="A folder in MVTec layout with test/.", show_default=False)],
    levels: Levels = None,
    keep: Keep = None,
    score: Distance = None,
    regions: Grid = None,
    pool: Pooling = None,
    target_fpr: Annotated[list[float] | None, typer.Option(help="Target rate, repeatable; default 0.05.")] = None,
    as_json: AsJson = False,
) -> None:
    """Report AUROC per level and of the sum, and rates at each working point, at any reduction without a new fit."""
    from gad_core.data.datasets import read_dataset
    from gad_core.gaussian.detector_file import load_detector
    from gad_core.library import judging

    fitted = load_detector(detector)
    kept = fitted.regions.levels if fitted.regions else ()
    tuning = parse_tuning(fitted.backbone, levels, keep, score, regions, pool, base=fitted.tuning, kept=kept)
    tuning = tuning or fitted.tuning
    images = read_dataset(dataset, need_test=True).test
    with progress_bar("Images") as progress:
        result = judging.evaluate(fitted, images, tuning=tuning, target_fprs=target_fpr or (0.05,), progress=progress)
    if as_json:
        print_json(evaluation_json(fitted, tuning, result))
    else:
        typer.echo(f"{result.n_normal} normal and {result.n_anomalous} anomalous test images, {tuning.reduction}")
        for level, area in result.auroc.items():
            typer.echo(f"AUROC {level:>3}: {area.value:6.1%} [{area.low:.1%}, {area.high:.1%}]")
        if found := result.localisation:
            words = f"pixel AUROC {found.pixel_auroc:.1%}, AUPRO up to 30 % {found.aupro:.1%}"
            typer.echo(f"{words}, {found.n_masks} masks; {fitted.regions} regions are coarse")
        for rates in result.working_points:
            typer.echo(rates_line(rates))
    for reason in result.refused:
        typer.echo(f"no threshold for {reason}", err=True)
    end(result.unread)
