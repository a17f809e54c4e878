"""`gad explain`: what an image's score comes from."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gad_core.command_line.options import AsJson, DetectorFile, Distance, Grid, Keep, Levels, Pooling, parse_tuning
from gad_core.command_line.output import explanation_json, print_json, progress_bar, write_bytes

if TYPE_CHECKING:
    from gad_core.library.explaining import ExplainedImage


def explain(
    detector: DetectorFile,
    image: Annotated[Path, typer.Argument(help="The image to explain.", show_default=False)],
    mask: Annotated[Path | None, typer.Option(help="Mask of the defect, for the explanation scores.")] = None,
    levels: Levels = None,
    keep: Keep = None,
    score: Distance = None,
    regions: Grid = None,
    pool: Pooling = None,
    references: Annotated[int, typer.Option(min=1, help="Normal reference images, drawn from the detector.")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="Seed of that draw.")] = 0,
    png: Annotated[Path | None, typer.Option(help="Write the image with the map over it to this file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Attribute an image's score to its pixels, and hold the map against a mask."""
    from gad_core.gaussian.detector_file import load_detector
    from gad_core.library import explaining

    fitted = load_detector(detector)
    kept = fitted.regions.levels if fitted.regions else ()
    tuning = parse_tuning(fitted.backbone, levels, keep, score, regions, pool, base=fitted.tuning, kept=kept)
    with progress_bar("References") as progress:
        found = explaining.explain(
            fitted, image, mask=mask, tuning=tuning, n_references=references, seed=seed, progress=progress
        )
    if png:
        write_bytes(png, picture(found))
    if as_json:
        print_json(explanation_json(found))
    else:
        tell(found)
    if found.undefined:
        typer.echo(f"no explanation score: {found.undefined}", err=True)


def picture(found: "ExplainedImage") -> bytes:
    """The image with the map over it, as PNG."""
    from gad_core.data.images import encode_png
    from gad_core.figures import overlay

    total = found.attribution.total
    return encode_png(overlay(found.pixels, total, limit=float(abs(total).max())))


def tell(found: "ExplainedImage") -> None:
    """Print an explanation in words."""
    attribution, explanation = found.attribution, found.explanation
    scores = f"score {attribution.score:.4g}, references {attribution.reference_score:.4g}"
    typer.echo(f"{scores}, gap {attribution.gap:.1e}")
    if explanation:
        typer.echo(
            f"explanation score {explanation.score:.1f}; a uniform map {explanation.uniform_level:.1f}, shifted masks "
            f"{explanation.null_mean:.1f} [{explanation.null_low:.1f}, {explanation.null_high:.1f}]; "
            f"raw {explanation.raw_score:.1f}"
        )
