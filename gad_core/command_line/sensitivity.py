"""`gad sensitivity`: what a synthetic defect must measure to be caught."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gad_core.command_line.options import AsJson, DetectorFile
from gad_core.command_line.output import end, print_json, progress_bar

if TYPE_CHECKING:
    from gad_core.data.datasets import Dataset
    from gad_core.detectability.results import PodCurve, Sensitivity
    from gad_core.gaussian.detector import Detector


def sensitivity(
    detector: DetectorFile,
    dataset: Annotated[
        Path, typer.Argument(help="The folder that the detector was fitted to, in MVTec layout.", show_default=False)
    ],
    kind: Annotated[
        list[str] | None,
        typer.Option(help="spot (default), scratch, missing, blur, colour or patch; repeatable."),
    ] = None,
    contrast: Annotated[
        list[float] | None, typer.Option(help="In (0, 1], repeatable; default 0.1, 0.2 and 0.4.")
    ] = None,
    size: Annotated[
        list[float] | None, typer.Option(help="In percent of the shorter side, repeatable; at least three.")
    ] = None,
    target_fpr: Annotated[
        float | None, typer.Option(help="Of a cross-conformal threshold; default: the adopted one, else 0.05.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of all that is drawn.")] = 0,
    as_json: AsJson = False,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write examples with their defects here, as PNG.")
    ] = None,
) -> None:
    """Draw defects of known size on the normal images and report which are caught; synthetic ones are not real ones."""
    from gad_core.data.datasets import read_dataset
    from gad_core.detectability.plan import SensitivitySettings
    from gad_core.gaussian.detector_file import load_detector
    from gad_core.library import sensitivity as library

    given: dict[str, list[Any] | None] = {"kinds": kind, "contrasts": contrast, "sizes": size}
    settings = SensitivitySettings(seed=seed, **{name: tuple(values) for name, values in given.items() if values})
    fitted, data = load_detector(detector), read_dataset(dataset)
    with progress_bar("Defects") as progress:
        found = library.sensitivity(fitted, data, settings, target_fpr=target_fpr, progress=progress)
    if out:
        write_examples(fitted, data, found, out)
    if as_json:
        print_json(found.to_json())
    else:
        tell(found)
    end(found.refused)


def write_examples(detector: "Detector", data: "Dataset", found: "Sensitivity", folder: Path) -> None:
    """The examples of every curve as PNG, named by kind, contrast, size and verdict."""
    from gad_core.data.images import encode_png
    from gad_core.data.placing import placed
    from gad_core.detectability.drawing import redraw
    from gad_core.detectability.study import training_files

    files, caught = training_files(detector, data), found.caught
    for curve in found.curves:
        for place in found.examples(curve):
            draw = found.draws[place]
            verdict = "caught" if caught[place] else "missed"
            name = f"{curve.kind}_{curve.contrast:g}_{draw.defect.size:g}_{verdict}.png"
            with placed(folder / name) as path:
                path.write_bytes(encode_png(redraw(draw, files).pixels))


def tell(found: "Sensitivity") -> None:
    """Print a study in words."""
    from gad_core import wording

    point = found.point
    typer.echo("synthetic defects, which are not real ones; sizes in % of the image's shorter side")
    typer.echo(
        f"{len(found.draws)} drawn on {found.n_images} of {found.n_train} normal images, each left out of the fit; "
        f"threshold {point.threshold:.3f} ({point.method} at {point.target_fpr:.2%}) flags "
        f"{wording.rate(found.undamaged)} undamaged"
    )
    typer.echo(f"{'kind':16} {'contrast':>8} {'a90':>8} {'a90/95':>8}  caught by size")
    for curve in found.curves:
        typer.echo(_curve_line(curve))
    shares = found.places.shares
    typer.echo("caught by place, %:")
    for row in shares:
        typer.echo("  " + " ".join("  ." if share != share else f"{100 * share:3.0f}" for share in row))  # noqa: PLR0124 - nan
    if found.real:
        hit = [one.size for one in found.real if one.caught]
        missed = [one.size for one in found.real if not one.caught]
        words = f", those missed {min(missed):.3g} to {max(missed):.3g} %" if missed else ""
        typer.echo(f"real defects with masks: {len(hit)} of {len(found.real)} caught{words}")
    _tell_ranking(found)


def _curve_line(curve: "PodCurve") -> str:
    pod = curve.pod
    sizes = (f"{size:g}: {rate.value:.0%}" for size, rate in zip(pod.counts.sizes, pod.counts.rates, strict=True))
    told = (f"{size:8.2f}" if size is not None else f"{'-':>8}" for size in (pod.a90, pod.a90_95))
    note = f" ({pod.note})" if pod.note else ""
    return f"{curve.kind:16} {curve.contrast:8g} {' '.join(told)}  {', '.join(sizes)}{note}"


def _tell_ranking(found: "Sensitivity") -> None:
    from gad_core import wording

    if not found.ranking:
        return
    typer.echo(f"settings by a90 at contrast {max(found.settings.contrasts):g}:")
    for one in found.ranking:
        a90 = f"{one.a90:6.2f}" if one.a90 is not None else f"{'-':>6}"
        area = f"  AUROC {wording.area(one.area)}" if one.area else ""
        typer.echo(f"{a90}  {wording.percent(one.caught.value):>7} caught{area}  {wording.tuning(one.tuning)}")
    if agreed := found.agreement:
        words = f"{agreed.value:.2f}, p = {agreed.p_value:.2g}, n = {agreed.n}"
        typer.echo(f"rank correlation with AUROC (Spearman): {words}")
