"""`gad repeatability`: parts imaged several times, and how far their distances and verdicts repeat."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gad_core.command_line.options import AsJson, DetectorFile
from gad_core.command_line.output import end, print_json, progress_bar, refusals_json, say

if TYPE_CHECKING:
    from gad_core.library.repeating import RepeatedImages


def repeatability(
    detector: DetectorFile,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Images or folders.", show_default=False)],
    parts: Annotated[
        str | None,
        typer.Option(metavar="CSV", help='Which show the same part: columns path,part; or "names", or "folders".'),
    ] = None,
    target_fpr: Annotated[float | None, typer.Option(help="Default: the adopted threshold, else 0.05.")] = None,
    method: Annotated[str | None, typer.Option(help="As for score.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say how far the distance of a part repeats when it is imaged again (partA_1.png, partA_2.png)."""
    from gad_core.gaussian.detector_file import load_detector
    from gad_core.library import repeating

    fitted = load_detector(detector)
    with progress_bar("Images") as progress:
        repeated = repeating.repeatability(
            fitted, paths, parts=parts, target_fpr=target_fpr, method=method, progress=progress
        )
    if as_json:
        print_json(repeatability_json(repeated))
    else:
        for line in lines(repeated):
            say(line)
    end(repeated.refused)


def repeatability_json(repeated: "RepeatedImages") -> dict[str, Any]:
    """What `repeatability` prints; shares in [0, 1], the rest in units of distance."""
    study, verdict = repeated.study, repeated.verdict
    return {
        "sigma": study.sigma,
        "sigma_interval": [study.sigma_low, study.sigma_high],
        "sigma_parts": study.sigma_parts,
        "p_value": study.p_value,
        "threshold": study.threshold,
        "median": study.centre,
        "tolerance": study.tolerance,
        "grr": study.grr,
        "grr_interval": list(study.grr_interval),
        "verdict": study.word,
        "categories": study.categories,
        "agreement": study.agreement.value,
        "agreement_interval": [study.agreement.low, study.agreement.high],
        "parts": [
            {"part": part.name, "n": len(part.scores), "mean": part.mean, "sigma": part.sigma, "flagged": flagged}
            for part, flagged in zip(study.parts, study.flagged, strict=True)
        ],
        "once": list(study.once),
        "images": [
            {"path": str(file.path), "part": file.group, "score": score, "anomalous": anomalous}
            for file, score, anomalous in zip(
                repeated.images, verdict.scores.tolist(), verdict.anomalous.tolist(), strict=True
            )
        ],
        "refused": refusals_json(repeated.refused),
    }


def lines(repeated: "RepeatedImages") -> Iterator[str]:
    """The study in words, then a line a part by rising mean distance."""
    from gad_core import wording

    study = repeated.study
    yield repeated.verdict.how
    yield (
        f"repeatability {study.sigma:.3f} [{study.sigma_low:.3f}, {study.sigma_high:.3f}], between parts "
        f"{study.sigma_parts:.3f}, distinct categories {study.categories}"
    )
    yield (
        f"{study.word}: {wording.percent(study.grr)} {wording.interval(*study.grr_interval)} of the tolerance "
        f"(3 sigma over threshold {study.threshold:.3f} minus median of good parts {study.centre:.3f})"
    )
    agreed = study.agreement
    yield f"one verdict for {agreed.count} of {agreed.n} parts, {wording.rate(agreed)}"
    for part, flagged in zip(study.parts, study.flagged, strict=True):
        n = len(part.scores)
        yield f"{part.mean:9.3f}  sigma {part.sigma:7.3f}  {flagged} of {n} flagged  {part.name}"
    if study.mostly_flagged:
        yield "most pictures are flagged: if these parts are good, they were not imaged as those of the fit were"
    if study.once:
        yield f"imaged once, and left out: {', '.join(study.once)}"
