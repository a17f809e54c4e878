"""`gad weights`: where networks' weights are, and how they get to a machine without a network."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gad_core.command_line.options import AsJson
from gad_core.command_line.output import print_json
from gad_core.errors import GadError

if TYPE_CHECKING:
    from gad_core.features.backbones import Backbone
    from gad_core.features.supply import LoadedWeights

Names = Annotated[list[str], typer.Argument(metavar="BACKBONE", help="Networks by name.", show_default=False)]
Out = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Fetch what is missing, and write all into this folder for GAD_WEIGHTS."),
]


def weights(backbones: Names, out: Out = None, as_json: AsJson = False) -> None:
    """Say where networks' weights are; with --out, write them for a machine without a network."""
    from gad_core.features.registry import get_backbone
    from gad_core.features.weights import find_weights

    rows, missing = [], []
    for backbone in dict.fromkeys([get_backbone(name) for name in backbones]):  # a wrong name before any download
        try:
            loaded = read(backbone) if out else None
            place = find_weights(backbone)
        except GadError as error:
            missing.append({"backbone": backbone.name, "reason": str(error)})
            continue
        row = {"backbone": backbone.name, "timm_name": backbone.timm_name}
        row |= {"source": place.source, "path": str(place.path)}
        rows.append(row | (write(loaded, out) if loaded and out else {}))
        if not as_json:
            typer.echo(weights_line(rows[-1]))
    if as_json:
        print_json({"folder": str(out.absolute()) if out else None, "weights": rows, "missing": missing})
    elif out and rows:
        typer.echo(f"export GAD_WEIGHTS={shlex.quote(str(out.absolute()))}")
    for one in missing:
        typer.echo(f"missing {one['backbone']}: {one['reason']}", err=True)
    if missing:
        raise typer.Exit(1)


def read(backbone: "Backbone") -> "LoadedWeights":
    """The weights in their network, downloaded if need be."""
    from gad_core.features.supply import read_weights

    return read_weights(backbone)


def write(loaded: "LoadedWeights", folder: Path) -> dict[str, Any]:
    """What was written of them."""
    from gad_core.features.supply import write_weights

    path = write_weights(loaded, folder)
    return {"file": str(path), "bytes": path.stat().st_size, "fingerprint": loaded.fingerprint}


def weights_line(row: dict[str, Any]) -> str:
    """One network in words."""
    line = f"{row['backbone']}: {row['source']}, {row['path']}"
    if "file" not in row:
        return line
    return f"{line}\n  written: {row['file']}, {row['bytes'] / 1e6:.1f} MB, fingerprint {row['fingerprint']}"
