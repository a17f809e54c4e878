"""The command line: `python -m gad_core COMMAND`."""

# Networks and the progress bar are imported by the commands that need them: torch alone takes seconds.
# ruff: noqa: PLC0415

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from gad_core.data.augment import parse_step, preset
from gad_core.data.datasets import (
    ImageSet,
    Refusal,
    is_image,
    list_paths,
    read_dataset,
    read_folder,
    read_groups,
    read_paths,
)
from gad_core.decision.evaluation import Projected
from gad_core.decision.evaluation import evaluate as evaluate_tuning
from gad_core.decision.verdict import judge
from gad_core.errors import GadError
from gad_core.features.registry import get_backbone
from gad_core.gaussian.detector import Augmented, Detector
from gad_core.gaussian.detector_file import load_detector, save_detector
from gad_core.gaussian.reduction import Reduction
from gad_core.gaussian.tuning import Tuning, parse_distance, parse_levels, recommended
from gad_core.printing import (
    achieved_line,
    evaluation_json,
    explanation_json,
    fit_json,
    print_json,
    refusals_json,
    score_line,
    write_csv,
)
from gad_core.progress import Progress
from gad_core.workspace.place import default_home

if TYPE_CHECKING:
    from types import ModuleType

    from distributed import Client

    from gad_core.features.cache import FeatureCache
    from gad_core.features.extract import Extraction
    from gad_core.gaussian.fit import Fit

app = typer.Typer(
    help="Tune Gaussian anomaly detectors for images.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

DetectorFile = Annotated[Path, typer.Argument(metavar="DETECTOR", help="A detector file (.gad).", show_default=False)]
Levels = Annotated[str | None, typer.Option(help='Levels whose distances are summed: "7", "6-8" or "all".')]
Kept = Annotated[str | None, typer.Option("--keep", help='Components kept: "all", "pca:0.99" or "npca:0.05".')]
Distance = Annotated[str | None, typer.Option("--score", help="mahalanobis, sed or l2.")]
Cluster = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Read the images on a Dask cluster: tcp://host:8786, or local:2."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout and nothing else.")]


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the categories go.", show_default=False)],
    seed: Annotated[int, typer.Option(help="Another seed gives other parts.")] = 0,
) -> None:
    """Write the procedural demo categories in MVTec layout."""
    from gad_core.data.demo import write_demo

    with progress_bar("Demo images") as progress:
        roots = write_demo(folder, seed=seed, progress=progress)
    for root in roots:
        typer.echo(root)


@app.command()
def fit(
    dataset: Annotated[Path, typer.Argument(help="A folder in MVTec layout, or of normal images.", show_default=False)],
    out: Annotated[
        Path | None, typer.Argument(metavar="OUT.gad", help="The detector file to write.", show_default=False)
    ] = None,
    backbone: Annotated[str, typer.Option(help="Network whose features are used.")] = "tf_efficientnet_lite0",
    levels: Levels = None,
    score: Distance = None,
    keep: Kept = None,
    folds: Annotated[str, typer.Option(help='Number of left-out folds, or "auto".')] = "auto",
    groups: Annotated[Path | None, typer.Option(help="CSV with the columns file and group.")] = None,
    calibration: Annotated[Path | None, typer.Option(help="Separate normal images, for split-conformal.")] = None,
    augment: Annotated[int, typer.Option(metavar="PASSES", help="Augmented copies of every image (Fig. 5).")] = 0,
    augment_as: Annotated[
        str | None,
        typer.Option(metavar="CATEGORY", help="MVTec AD category whose exclusions hold; default: the folder's name."),
    ] = None,
    exclude: Annotated[list[str] | None, typer.Option(help="Leave a step out of the copies, repeatable.")] = None,
    references: Annotated[bool, typer.Option(help="Reduction 32 normal images in the file, for attributions.")] = True,
    seed: Annotated[int, typer.Option(help="Seed of the folds, the references and the copies.")] = 0,
    update: Annotated[
        Path | None,
        typer.Option(metavar="DETECTOR", help="Add the images to this detector; its settings hold. OUT: itself."),
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="With --update: remove the images from it.")] = False,
    cluster: Cluster = None,
    as_json: AsJson = False,
) -> None:
    """Fit every level, score the left-out folds, save one file."""
    from gad_core.features.engines import make_engine
    from gad_core.features.networks import load_network
    from gad_core.gaussian.fit import fit_images

    if update:
        report_fit(*updated(update, dataset, out or update, remove=remove), as_json=as_json)
        return
    if out is None or remove:
        raise GadError("name the detector file to write, OUT.gad; --remove goes with --update DETECTOR")
    options: dict[str, Any] = {
        "tuning": parse_tuning(backbone, levels, keep, score),
        "n_folds": parse_folds(folds),
        "augment": parse_augment(augment, augment_as or dataset.resolve().stem, exclude or []),
        "keep_references": references,
        "seed": seed,
    }
    if cluster:
        if groups or calibration:
            raise GadError("--groups and --calibration are read by one process; leave them or --cluster out")
        with on_cluster(cluster) as (dask, client), progress_bar("Images") as progress:
            fitted = dask.fit_on(client, list_paths(dataset), backbone, progress=progress, **options)
    else:
        images = read_dataset(dataset).train
        if groups:
            images = read_groups(groups, images)
        held_out = read_folder(calibration) if calibration else None
        engine, kept = make_engine(load_network(backbone)), workspace_cache()
        with progress_bar("Images") as progress:
            fitted = fit_images(images, engine, calibration=held_out, cache=kept, progress=progress, **options)
    report_fit(fitted, out, as_json=as_json)


def updated(path: Path, dataset: Path, out: Path, *, remove: bool) -> "tuple[Fit, Path]":
    """The detector in `path` with the images added or removed, and where it goes."""
    from gad_core.features.engines import make_engine
    from gad_core.features.networks import load_network
    from gad_core.gaussian.fit import update_fit

    detector, images = load_detector(path), read_dataset(dataset).train
    engine = make_engine(load_network(detector.backbone))
    with progress_bar("Images") as progress:
        return update_fit(detector, images, engine, remove=remove, cache=workspace_cache(), progress=progress), out


def report_fit(fitted: "Fit", out: Path, *, as_json: bool) -> None:
    """Save a fit and say what it is."""
    save_detector(fitted.detector, out)
    summary = fit_json(fitted.detector, out)
    if as_json:
        print_json({**summary, "refused": refusals_json(fitted.refused)})
    else:
        typer.echo("{detector}: {n_train} normal images, {backbone}, {folds} folds".format(**summary))
        for row in summary["by_level"]:
            typer.echo("level {level}: D = {n_features}, {null} null, shrinkage {shrinkage:.3f}".format(**row))
    end(fitted.refused)


@app.command()
def evaluate(
    detector: DetectorFile,
    dataset: Annotated[Path, typer.Argument(help="A folder in MVTec layout with test/.", show_default=False)],
    levels: Levels = None,
    keep: Kept = None,
    score: Distance = None,
    target_fpr: Annotated[list[float] | None, typer.Option(help="Target rate, repeatable; default 0.05.")] = None,
    as_json: AsJson = False,
) -> None:
    """Report AUROC per level and of the sum, and rates at each working point, at any cut without a new fit."""
    fitted = load_detector(detector)
    tuning = parse_tuning(fitted.backbone, levels, keep, score, base=fitted.tuning)
    extraction = features(fitted, read_dataset(dataset, need_test=True).test)
    seen = Projected.of(fitted, extraction.features)
    result = evaluate_tuning(seen, extraction.images.labels, tuning, target_fpr or [0.05])
    if as_json:
        print_json(evaluation_json(fitted, tuning, result))
    else:
        typer.echo(f"{result.n_normal} normal and {result.n_anomalous} anomalous test images, {tuning.reduction}")
        for level, area in result.auroc.items():
            typer.echo(f"AUROC {level:>3}: {area.value:6.1%} [{area.low:.1%}, {area.high:.1%}]")
        for point in result.achieved:
            typer.echo(achieved_line(point))
    for reason in result.refused:
        typer.echo(f"no threshold for {reason}", err=True)
    end(extraction.images.refused)


@app.command()
def score(
    detector: DetectorFile,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Images or folders.", show_default=False)],
    target_fpr: Annotated[float | None, typer.Option(help="Default: the adopted threshold, else 0.05.")] = None,
    method: Annotated[str | None, typer.Option(help="cross-conformal, split-conformal, chi2 or hotelling.")] = None,
    table: Annotated[Path | None, typer.Option("--csv", help="Write the table to this file.")] = None,
    cluster: Cluster = None,
    as_json: AsJson = False,
) -> None:
    """Give every image a score, a p-value and a verdict."""
    fitted = load_detector(detector)
    if cluster:
        listed = [path for source in paths for path in ([source] if is_image(source) else list_paths(source))]
        with on_cluster(cluster) as (dask, client), progress_bar("Images") as progress:
            extraction = dask.extract_on(client, fitted, listed, progress=progress)
    else:
        extraction = features(fitted, read_paths(paths))
    verdict = judge(fitted, extraction.features, target_fpr=target_fpr, method=method)
    columns = (verdict.scores.tolist(), verdict.p_values.tolist(), verdict.anomalous.tolist())
    rows = [
        {"path": str(image.path), "score": value, "p_value": p, "threshold": verdict.threshold, "anomalous": anomalous}
        for image, value, p, anomalous in zip(extraction.images, *columns, strict=True)
    ]
    if table:
        write_csv(table, rows)
    if as_json:
        print_json({"images": rows, "refused": refusals_json(extraction.images.refused)})
    elif not table:
        typer.echo(verdict.how)
        for row in rows:
            typer.echo(score_line(row))
    end(extraction.images.refused)


@app.command()
def explain(
    detector: DetectorFile,
    image: Annotated[Path, typer.Argument(help="The image to explain.", show_default=False)],
    mask: Annotated[Path | None, typer.Option(help="Mask of the defect, for the explanation scores.")] = None,
    levels: Levels = None,
    keep: Kept = None,
    score: Distance = None,
    references: Annotated[int, typer.Option(min=1, help="Normal reference images, drawn from the detector.")] = 10,
    seed: Annotated[int, typer.Option(help="Seed of that draw.")] = 0,
    png: Annotated[Path | None, typer.Option(help="Write the image with the map over it to this file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Attribute an image's score to its pixels, and hold the map against a mask."""
    from gad_core.attribution.category import explain_file
    from gad_core.attribution.explanation import Explanation, explain_score
    from gad_core.data.images import decode_mask, encode_png
    from gad_core.features.extract import load_pixels
    from gad_core.features.networks import load_network
    from gad_core.figures import overlay

    fitted = load_detector(detector)
    tuning = parse_tuning(fitted.backbone, levels, keep, score, base=fitted.tuning)
    if image.is_dir():
        raise GadError(f"{image} is a folder; name one image")
    network, files = load_network(fitted.backbone), read_paths([image])
    if not len(files):
        raise GadError(f"{image} cannot be read: {files.refused[0].reason}")
    with progress_bar("References") as progress:
        found = explain_file(
            fitted,
            network,
            files.files[0],
            tuning=tuning,
            n_references=references,
            seed=seed,
            split=False,
            progress=progress,
        )
    met = explain_score(found.total, decode_mask(mask)) if mask else None
    if png:
        (pixels,) = load_pixels(files, network.backbone)
        limit = float(np.abs(found.total).max())
        png.write_bytes(encode_png(overlay(pixels, found.total, limit=limit)))
    result = explanation_json(found, met if isinstance(met, Explanation) else None)
    if as_json:
        print_json(result)
    else:
        typer.echo("score {score:.4g}, references {reference_score:.4g}, gap {completeness_gap:.1e}".format(**result))
        if isinstance(met, Explanation):
            typer.echo(
                f"explanation score {met.score:.1f}; a uniform map {met.uniform_level:.1f}, shifted masks "
                f"{met.null_mean:.1f} [{met.null_low:.1f}, {met.null_high:.1f}]; raw {met.raw_score:.1f}"
            )
    if met is not None and not isinstance(met, Explanation):
        typer.echo(f"no explanation score: {met.reason}", err=True)


@contextmanager
def on_cluster(address: str) -> "Iterator[tuple[ModuleType, Client]]":
    """The Dask way and a client; raises `GadError` where Dask is not installed."""
    try:
        from gad_core import cluster as dask
    except ModuleNotFoundError as error:
        raise GadError("--cluster needs Dask; install it with `pip install -r requirements-cluster.txt`") from error
    with dask.connect(address) as client:
        yield dask, client


def features(detector: Detector, images: ImageSet) -> "Extraction":
    """Features of images from the very network that the detector was fitted with."""
    from gad_core.features.engines import make_engine
    from gad_core.features.extract import extract
    from gad_core.features.networks import load_network

    network = load_network(detector.backbone)
    detector.check_weights(network.fingerprint)
    with progress_bar("Images") as progress:
        extraction = extract(images, make_engine(network), cache=workspace_cache(), progress=progress)
    if not len(extraction.images):
        refusal = extraction.images.refused[0]
        raise GadError(
            f"none of the {len(extraction.images.refused)} images could be read ({refusal.path}: {refusal.reason})"
        )
    return extraction


def workspace_cache() -> "FeatureCache":
    """The feature cache that the dashboard uses too."""
    from gad_core.features.cache import FeatureCache

    return FeatureCache(default_home() / "cache")


@contextmanager
def progress_bar(what: str) -> Iterator[Progress]:
    """A bar on stderr: stdout holds results only."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def parse_folds(text: str) -> int | None:
    """Read --folds; None is "auto"."""
    if text == "auto":
        return None
    if not text.isdigit() or int(text) < 2:
        raise GadError(f'--folds takes a number from 2 on, or "auto", got {text!r}')
    return int(text)


def parse_augment(passes: int, category: str, excluded: Sequence[str]) -> Augmented | None:
    """Read --augment, --augment-as and --exclude; None where no copies are wanted."""
    if passes < 0:
        raise GadError(f"--augment takes a number of passes from 1 on, got {passes}")
    if not passes and excluded:
        raise GadError("--exclude leaves a step out of augmented copies; ask for them with --augment PASSES")
    settings = preset(category).without(*(parse_step(name) for name in excluded))
    return Augmented(settings, passes) if passes else None


def parse_tuning(
    backbone: str, levels: str | None, keep: str | None, score: str | None, *, base: Tuning | None = None
) -> Tuning:
    """The tuning that the options ask for; what they leave open comes from `base`, else from the recommended one."""
    known = get_backbone(backbone)
    base = base or recommended(known)
    return Tuning(
        parse_levels(levels, known.n_levels) if levels else base.levels,
        Reduction.parse(keep) if keep else base.reduction,
        parse_distance(score) if score else base.distance,
    )


def end(refused: Sequence[Refusal]) -> None:
    """Name every refused file on stderr and exit with status 1 if there is one."""
    for refusal in refused:
        typer.echo(f"refused {refusal.path}: {refusal.reason}", err=True)
    if refused:
        raise typer.Exit(1)


def main() -> None:
    """Run the command line; an error of the user is one line on stderr and status 2."""
    try:
        app()
    except GadError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
