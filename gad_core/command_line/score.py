"""`gad score`: verdicts for new images."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gad_core.command_line.options import AsJson, Cluster, DetectorFile, on_cluster
from gad_core.command_line.output import (
    batch_json,
    batch_line,
    end,
    print_json,
    progress_bar,
    refusals_json,
    say,
    score_line,
    write_bytes,
    write_csv,
    write_folder,
)
from gad_core.errors import GadError

if TYPE_CHECKING:
    from gad_core.gaussian.detector import Detector
    from gad_core.library.judging import ScoredImages


def score(
    detector: DetectorFile,
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Images, folders or ZIP archives.", show_default=False)
    ],
    target_fpr: Annotated[float | None, typer.Option(help="Default: the adopted threshold, else 0.05.")] = None,
    method: Annotated[
        str | None,
        typer.Option(help="chi2, hotelling, pareto, or cross- or split- with conformal, confident or simultaneous."),
    ] = None,
    fdr: Annotated[
        float | None, typer.Option(help="Judge the images as a batch: this share of the flagged is good at most.")
    ] = None,
    table: Annotated[Path | None, typer.Option("--csv", help="Write the table to this file.")] = None,
    heatmaps: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write each image with its regions over it into this folder.")
    ] = None,
    cluster: Cluster = None,
    watch: Annotated[
        Path | None,
        typer.Option(metavar="OUT.jsonl", help="Watch the folder: a line an image in this file, each once, for ever."),
    ] = None,
    sink: Annotated[
        list[str] | None, typer.Option(help="With --watch, results go there too: see `gad serve`; repeatable.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Give every image a score, a p-value and a verdict."""
    from gad_core.gaussian.detector_file import load_detector
    from gad_core.library import judging

    fitted = load_detector(detector)
    alone = {"--fdr": fdr, "--csv": table, "--heatmaps": heatmaps, "--cluster": cluster, "--json": as_json or None}
    if _is_watch(watch, sink, alone):
        assert watch is not None  # noqa: S101 - just asked
        watched(fitted, detector.stem, paths, watch, sink or (), target_fpr=target_fpr, method=method)
        return
    if cluster:
        scored = scored_on(cluster, fitted, paths, target_fpr=target_fpr, method=method, fdr=fdr)
    else:
        with progress_bar("Images") as progress:
            scored = judging.score(fitted, paths, target_fpr=target_fpr, method=method, fdr=fdr, progress=progress)
    if heatmaps:
        write_heatmaps(heatmaps, fitted, scored, target_fpr)
    rows, batch = scored.rows, scored.verdict.batch
    if table:
        write_csv(table, rows)
    if as_json:
        of_batch = {"batch": batch_json(batch)} if batch else {}
        print_json({"images": rows, **of_batch, "refused": refusals_json(scored.refused)})
    elif not table:
        typer.echo(scored.verdict.how)
        for row in rows:
            say(score_line(row))
    if batch and not as_json:
        typer.echo(batch_line(batch))
    end(scored.refused)


def _is_watch(watch: Path | None, sink: Sequence[str] | None, alone: Mapping[str, object]) -> bool:
    """Whether a folder is watched; raises `GadError` for options that do not go together."""
    if sink and not watch:
        raise GadError("--sink goes with --watch; name a file of lines with --watch, or leave --sink out")
    given = [name for name, value in alone.items() if value is not None]
    if watch and given:
        raise GadError(f"--watch does not go with {given[0]}; leave one of them out")
    return watch is not None


def watched(
    detector: "Detector",
    name: str,
    paths: Sequence[Path],
    lines: Path,
    where: Sequence[str],
    *,
    target_fpr: float | None,
    method: str | None,
) -> None:
    """Judge what comes into a folder until somebody stops it."""
    import signal

    from gad_core.export.sinks import open_sink
    from gad_core.library.watching import watch_folder

    if len(paths) != 1 or not paths[0].is_dir():
        raise GadError(
            f"--watch takes one folder, got {', '.join(map(str, paths))}; name the folder that images come into"
        )
    sinks = [open_sink(one) for one in where]
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as services are stopped
    try:
        for found in watch_folder(
            detector, paths[0], lines, sinks=sinks, name=name, target_fpr=target_fpr, method=method
        ):
            if isinstance(found, list):
                for row in found:
                    say(score_line(row))
            else:
                say(f"refused {found.path}: {found.reason}", err=True)
    except KeyboardInterrupt:
        typer.echo("stopped; the same command goes on from here", err=True)
    finally:
        for one in sinks:
            one.close()


def write_heatmaps(folder: Path, detector: "Detector", scored: "ScoredImages", target_fpr: float | None) -> None:
    """A PNG an image, in order and by its name; the colours' middle is what the target's share of regions exceeds."""
    from gad_core.data.images import encode_png
    from gad_core.decision.point_settings import PointSettings
    from gad_core.figures import region_overlay
    from gad_core.library.judging import pixels_of

    tuning, own = detector.tuning, PointSettings.of(detector.tuning, detector.working_point)
    if tuning.pool is None:
        raise GadError("--heatmaps shows regions, and this detector scores the whole image; fit with --regions 7x7")
    write_folder(folder)
    maps = detector.region_maps(scored.features, tuning)
    limit = detector.usual_limit(tuning, target_fpr or own.target_fpr)
    for place, (file, values) in enumerate(zip(scored.images, maps, strict=True)):
        picture = region_overlay(pixels_of(detector, file), values, limit=limit)
        write_bytes(folder / f"{place:04}-{file.path.stem}.png", encode_png(picture))


def scored_on(
    address: str,
    detector: "Detector",
    sources: Sequence[Path],
    *,
    target_fpr: float | None,
    method: str | None,
    fdr: float | None,
) -> "ScoredImages":
    """The same over a Dask cluster."""
    from gad_core.data.datasets import list_paths
    from gad_core.data.walking import is_image
    from gad_core.decision.verdict import judge
    from gad_core.library.judging import ScoredImages

    paths = [path for source in sources for path in ([source] if is_image(source) else list_paths(source))]
    with on_cluster(address) as (dask, client), progress_bar("Images") as progress:
        extraction = dask.extract_on(client, detector, paths, progress=progress)
    verdict = judge(detector, extraction.features, target_fpr=target_fpr, method=method, fdr=fdr)
    return ScoredImages(extraction.images, verdict, extraction.features)
