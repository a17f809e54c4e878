"""Options that several commands share, and what their words mean."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gad_core.errors import GadError

if TYPE_CHECKING:
    from types import ModuleType

    from distributed import Client

    from gad_core.features.regions import Regions
    from gad_core.gaussian.tuning import Tuning

DetectorFile = Annotated[Path, typer.Argument(metavar="DETECTOR", help="A detector file (.gad).", show_default=False)]
Levels = Annotated[str | None, typer.Option(help='Levels whose distances are summed: "7", "6-8" or "all".')]
Keep = Annotated[str | None, typer.Option("--keep", help='Components kept: "all", "pca:0.99" or "npca:0.05".')]
Distance = Annotated[str | None, typer.Option("--score", help="mahalanobis, sed or l2.")]
Grid = Annotated[
    str | None, typer.Option("--regions", metavar="GRID", help="A Gaussian by region: 7x7; 1: the whole image.")
]
Inspected = Annotated[
    Path | None,
    typer.Option("--roi", metavar="MASK", help="PNG, white where images are inspected (region of interest)."),
]
Pooling = Annotated[
    str | None, typer.Option("--pool", help='From regions to a score: "top:0.1", "power:8", "mean" or "max".')
]
Cluster = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Read the images on a Dask cluster: tcp://host:8786, or local:2."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout and nothing else.")]


def parse_tuning(
    backbone: str,
    levels: str | None,
    keep: str | None,
    score: str | None,
    regions: str | None = None,
    pool: str | None = None,
    *,
    base: "Tuning | None" = None,
    kept: tuple[int, ...] = (),
) -> "Tuning | None":
    """The tuning that the options ask for, None where they ask for none.

    What they leave open comes from `base`, else from what is recommended for the backbone. Regions are pooled at levels
    that are `kept` by region, in a fit at those recommended; other levels and other distances are read of the whole
    image, unless `--regions` or `--pool` says otherwise. `--regions 1` asks for the whole image.
    """
    from gad_core.features.regions import default_regions, parse_grid, region_levels
    from gad_core.features.registry import get_backbone
    from gad_core.gaussian.pooling import Pool
    from gad_core.gaussian.reduction import Reduction
    from gad_core.gaussian.tuning import Tuning, parse_distance, parse_levels, regional, whole_image

    if not (levels or keep or score or regions or pool):
        return None
    known = get_backbone(backbone)
    whole = regions is not None and parse_grid(regions) == (1, 1)
    if whole and pool:
        raise GadError(f"--regions 1 is the whole image, which has nothing to pool; leave --pool {pool} out")
    chosen = parse_levels(levels, known.n_levels) if levels else None
    if not (regions or pool):
        kept = kept if base else region_levels(known)
        whole = (chosen is not None and not set(chosen) <= set(kept)) or (score or "mahalanobis") != "mahalanobis"
    if base is None:
        by_region = not whole and (regions or pool or default_regions(known))
        base = regional(region_levels(known)) if by_region else whole_image(known)
    elif whole and base.pool:
        base = whole_image(known)
    return Tuning(
        chosen or base.levels,
        Reduction.parse(keep) if keep else base.reduction,
        parse_distance(score) if score else base.distance,
        Pool.parse(pool) if pool else base.pool,
    )


def parse_regions(
    backbone: str, text: str | None, tuning: "Tuning | None", roi: Path | None = None
) -> 'Regions | Literal["auto"] | None':
    """The regions that a fit is asked for: at the tuning's levels; None for the whole image."""
    from gad_core.features.region_of_interest import RegionOfInterest
    from gad_core.features.regions import GRID, Regions, parse_grid, region_levels
    from gad_core.features.registry import get_backbone

    if text is None and roi is None:
        return "auto"
    grid = parse_grid(text) if text else GRID
    whole = grid == (1, 1) or (tuning is not None and tuning.pool is None)
    if whole and roi:
        raise GadError(
            "--roi says which regions count, and the score of the whole image has none; leave one of them out"
        )
    if grid == (1, 1):
        return None
    levels = tuning.levels if tuning else region_levels(get_backbone(backbone))
    return Regions(*grid, levels, RegionOfInterest.read(read_file(roi), name=roi.name) if roi else None)


def read_file(path: Path) -> bytes:
    """A file's bytes; raises `GadError` where it cannot be read."""
    from gad_core.data.images import read_bytes

    try:
        return read_bytes(path)
    except GadError as error:
        raise GadError(f"{path}: {error}") from error


@contextmanager
def on_cluster(address: str) -> "Iterator[tuple[ModuleType, Client]]":
    """The Dask way and a client; raises `GadError` where Dask is not installed."""
    try:
        from gad_core import cluster as dask
    except ModuleNotFoundError as error:
        raise GadError("--cluster needs Dask; install it with `pip install -r requirements-cluster.txt`") from error
    with dask.connect(address) as client:
        yield dask, client
