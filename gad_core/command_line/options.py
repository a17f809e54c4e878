"""Options that several commands share, and what their words mean."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gad_core.errors import GadError

if TYPE_CHECKING:
    from types import ModuleType

    from distributed import Client

    from gad_core.gaussian.tuning import Tuning

DetectorFile = Annotated[Path, typer.Argument(metavar="DETECTOR", help="A detector file (.gad).", show_default=False)]
Levels = Annotated[str | None, typer.Option(help='Levels whose distances are summed: "7", "6-8" or "all".')]
Keep = Annotated[str | None, typer.Option("--keep", help='Components kept: "all", "pca:0.99" or "npca:0.05".')]
Distance = Annotated[str | None, typer.Option("--score", help="mahalanobis, sed or l2.")]
Cluster = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Read the images on a Dask cluster: tcp://host:8786, or local:2."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout and nothing else.")]


def parse_tuning(
    backbone: str, levels: str | None, keep: str | None, score: str | None, *, base: "Tuning | None" = None
) -> "Tuning | None":
    """The tuning that the options ask for, None where they ask for none.

    What they leave open comes from `base`, else from what is recommended for the backbone.
    """
    from gad_core.features.registry import get_backbone
    from gad_core.gaussian.reduction import Reduction
    from gad_core.gaussian.tuning import Tuning, parse_distance, parse_levels, recommended

    if not (levels or keep or score):
        return None
    known = get_backbone(backbone)
    base = base or recommended(known)
    return Tuning(
        parse_levels(levels, known.n_levels) if levels else base.levels,
        Reduction.parse(keep) if keep else base.reduction,
        parse_distance(score) if score else base.distance,
    )


@contextmanager
def on_cluster(address: str) -> "Iterator[tuple[ModuleType, Client]]":
    """The Dask way and a client; raises `GadError` where Dask is not installed."""
    try:
        from gad_core import cluster as dask
    except ModuleNotFoundError as error:
        raise GadError("--cluster needs Dask; install it with `pip install -r requirements-cluster.txt`") from error
    with dask.connect(address) as client:
        yield dask, client
