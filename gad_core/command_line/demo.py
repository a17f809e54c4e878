"""`gad demo`: parts to try everything on."""

from pathlib import Path
from typing import Annotated

import typer

from gad_core.command_line.output import progress_bar


def demo(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the categories go.", show_default=False)],
    seed: Annotated[int, typer.Option(min=0, help="Another seed gives other parts.")] = 0,
) -> None:
    """Write the procedural demo categories in MVTec layout."""
    from gad_core.data.demo import write_demo

    with progress_bar("Demo images") as progress:
        roots = write_demo(folder, seed=seed, progress=progress)
    for root in roots:
        typer.echo(root)
