"""`gad paper`: tables of the paper on own data."""

from pathlib import Path
from typing import Annotated

import typer

from gad_core.command_line.output import print_json, progress_bar


def paper(
    table: Annotated[str, typer.Argument(help='Tables, "I" to "XIII", such as "I,II", or "all".', show_default=False)],
    root: Annotated[
        Path, typer.Argument(help="A category in MVTec layout, or a folder of categories.", show_default=False)
    ],
    backbones: Annotated[
        str | None, typer.Option(help='Networks, the main one first: "resnet18,tf_efficientnet_lite0".')
    ] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where results go, and where a killed run goes on.")] = Path(
        "paper"
    ),
    scale: Annotated[
        str, typer.Option(help="Of what is trained: small (two cores), paper, or auto: paper where there is a GPU.")
    ] = "auto",
    folds: Annotated[int, typer.Option(min=2, help="Folds of the normal training images.")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout and nothing else.")] = False,
) -> None:
    """Make tables of the paper beside its own figures: CSV, JSON and one HTML page; what is done is not done again."""
    from gad_core.figures.paper import with_error
    from gad_core.library.experiments import paper_tables
    from gad_core.paper.settings import PaperSettings, choose_scale

    names = tuple(name.strip() for name in backbones.split(",")) if backbones else None
    chosen = {"backbones": names} if names else {}
    settings = PaperSettings(scale=choose_scale(scale), folds=folds, seed=seed, **chosen)
    with progress_bar("Experiments") as progress:
        results = paper_tables(table.split(","), root, out, settings=settings, progress=progress)
    if as_json:
        print_json({"tables": [result.to_json() for result in results]})
        return
    for result in results:
        typer.echo(f"Table {result.table.name}: {result.table.title}")
        for row in result.summary.to_dict("records"):
            ours, theirs = with_error(row["mean"], row["sem"]), with_error(row["paper_mean"], row["paper_sem"])
            typer.echo(f"  {row['row']:34} {row['column']:44} {row['metric']:18} {ours:>14}   paper {theirs}")
        for finding in result.findings:
            typer.echo(f"  {finding.text}")
        for words in result.departures:
            typer.echo(f"  note: {words}")
    typer.echo(f"written to {out}: paper.html, and CSV and JSON for each table")
