"""`gad fit`: from normal images to a detector file."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gad_core.command_line.options import (
    AsJson,
    Cluster,
    Distance,
    Grid,
    Inspected,
    Keep,
    Levels,
    Pooling,
    on_cluster,
    parse_regions,
    parse_tuning,
)
from gad_core.command_line.output import end, fit_json, print_json, progress_bar, refusals_json
from gad_core.errors import GadError
from gad_core.features.backbones import BACKBONES

if TYPE_CHECKING:
    from gad_core.gaussian.fit import Fit
    from gad_core.gaussian.settings import Augmented, FitSettings

Source = Annotated[Path, typer.Argument(help="A folder in MVTec layout, or of normal images.", show_default=False)]
Out = Annotated[Path | None, typer.Argument(metavar="OUT.gad", help="The detector file to write.", show_default=False)]
Network = Annotated[str, typer.Option(help="Network whose features are used.")]
Folds = Annotated[str, typer.Option(help='Number of left-out folds, or "auto".')]
Groups = Annotated[Path | None, typer.Option(help="CSV with the columns file and group.")]
Calibration = Annotated[Path | None, typer.Option(help="Separate normal images, for split-conformal.")]
Passes = Annotated[int, typer.Option(metavar="PASSES", help="Augmented copies of every image (Fig. 5).")]
Category = Annotated[
    str | None,
    typer.Option(metavar="CATEGORY", help="MVTec AD category whose exclusions hold; default: the folder's name."),
]
Excluded = Annotated[list[str] | None, typer.Option(help="Leave a step out of the copies, repeatable.")]
References = Annotated[bool, typer.Option(help="Keep 32 normal images in the file, for attributions.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of the folds, the references and the copies.")]
Update = Annotated[
    Path | None,
    typer.Option(metavar="DETECTOR", help="Add the images to this detector; its settings hold. OUT: itself."),
]
Remove = Annotated[bool, typer.Option("--remove", help="With --update: remove the images from it.")]
Sample = Annotated[
    int | None,
    typer.Option(
        metavar="IMAGES", min=100, help="With --cluster: score a sample of so many left out; default: 20,000."
    ),
]


def fit(
    dataset: Source,
    out: Out = None,
    backbone: Network = BACKBONES[0].name,
    levels: Levels = None,
    score: Distance = None,
    keep: Keep = None,
    regions: Grid = None,
    pool: Pooling = None,
    roi: Inspected = None,
    folds: Folds = "auto",
    groups: Groups = None,
    calibration: Calibration = None,
    augment: Passes = 0,
    augment_as: Category = None,
    exclude: Excluded = None,
    references: References = True,
    seed: Seed = 0,
    update: Update = None,
    remove: Remove = False,
    cluster: Cluster = None,
    left_out_sample: Sample = None,
    as_json: AsJson = False,
) -> None:
    """Fit every level, score the left-out folds, save one file."""
    from gad_core.data.groups import read_groups
    from gad_core.gaussian.settings import FitSettings

    if update:
        report(updated(update, dataset, remove=remove), out or update, as_json=as_json)
        return
    if out is None or remove:
        raise GadError("name the detector file to write, OUT.gad; --remove goes with --update DETECTOR")
    if left_out_sample and not cluster:
        raise GadError("--left-out-sample goes with --cluster; one process scores all images left out")
    tuning = parse_tuning(backbone, levels, keep, score, regions, pool)
    settings = FitSettings(
        backbone=backbone,
        tuning=tuning,
        regions=parse_regions(backbone, regions, tuning, roi),
        n_folds=parse_folds(folds),
        seed=seed,
        groups=read_groups(groups) if groups else None,
        augmented=parse_augment(augment, augment_as or Path(os.path.realpath(dataset)).stem, exclude or []),
        n_references=FitSettings.n_references if references else 0,
    )
    if cluster:
        fitted = fitted_on(cluster, dataset, calibration, settings, left_out_sample)
    else:
        fitted = fitted_here(dataset, calibration, settings)
    report(fitted, out, as_json=as_json)


def fitted_here(dataset: Path, calibration: Path | None, settings: "FitSettings") -> "Fit":
    """A fit in this process."""
    from gad_core.data.datasets import read_dataset, read_folder
    from gad_core.library.fitting import fit

    images = read_dataset(dataset).train
    held_out = read_folder(calibration) if calibration else None
    with progress_bar("Images") as progress:
        return fit(images, settings, calibration=held_out, progress=progress)


def fitted_on(
    address: str, dataset: Path, calibration: Path | None, settings: "FitSettings", sample: int | None
) -> "Fit":
    """The same over a Dask cluster."""
    from gad_core.data.datasets import list_paths

    if calibration:
        raise GadError("--calibration is read by one process; leave it or --cluster out")
    with on_cluster(address) as (dask, client), progress_bar("Images") as progress:
        size = sample or dask.LEFT_OUT_SAMPLE
        fitted: Fit = dask.fit_on(client, list_paths(dataset), settings, left_out_sample=size, progress=progress)
    return fitted


def updated(path: Path, dataset: Path, *, remove: bool) -> "Fit":
    """The detector in `path` with the images added or removed."""
    from gad_core.data.datasets import read_dataset
    from gad_core.gaussian.detector_file import load_detector
    from gad_core.library.fitting import add_images, remove_images

    detector, images = load_detector(path), read_dataset(dataset).train
    change = remove_images if remove else add_images
    with progress_bar("Images") as progress:
        return change(detector, images, progress=progress)


def report(fitted: "Fit", out: Path, *, as_json: bool) -> None:
    """Save a fit and say what it is."""
    fitted.detector.save(out)
    summary = fit_json(fitted.detector, out)
    if as_json:
        print_json({**summary, "refused": refusals_json(fitted.refused)})
    else:
        kept = ", {n_left_out} of them scored left out" if summary["n_left_out"] < summary["n_train"] else ""
        typer.echo(("{detector}: {n_train} normal images" + kept + ", {backbone}, {folds} folds").format(**summary))
        for row in summary["by_level"]:
            typer.echo("level {level}: D = {n_features}, {null} null, shrinkage {shrinkage:.3f}".format(**row))
    end(fitted.refused)


def parse_folds(text: str) -> int | None:
    """Read --folds; None is "auto"."""
    if text == "auto":
        return None
    if not re.fullmatch("[0-9]{1,6}", text) or int(text) < 2:
        raise GadError(f'--folds takes a number from 2 on, or "auto", got {text!r}')
    return int(text)


def parse_augment(passes: int, category: str, excluded: Sequence[str]) -> "Augmented | None":
    """Read --augment, --augment-as and --exclude; None where no copies are wanted."""
    from gad_core.data.augment_settings import parse_step, preset
    from gad_core.gaussian.settings import Augmented

    if passes < 0:
        raise GadError(f"--augment takes a number of passes from 1 on, got {passes}")
    if not passes and excluded:
        raise GadError("--exclude leaves a step out of augmented copies; ask for them with --augment PASSES")
    settings = preset(category).without(*(parse_step(name) for name in excluded))
    return Augmented(settings, passes) if passes else None
