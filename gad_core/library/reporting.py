"""A detector, its data and its decision as one document."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from gad_core import wording
from gad_core.attribution.deep_shap import attribute
from gad_core.attribution.explanation import Explanation, explain_score
from gad_core.data.datasets import Dataset, ImageFile
from gad_core.data.images import decode_mask
from gad_core.data.placing import placed
from gad_core.errors import GadError, ImageRefused
from gad_core.figures import METHOD_NAMES, overlay, region_overlay
from gad_core.gaussian.detector import Detector
from gad_core.library.judging import pixels_of
from gad_core.library.reading import PathLike, read_dataset
from gad_core.library.resources import engine_of, extract_images
from gad_core.progress import Progress, Stages
from gad_core.report import facts
from gad_core.report.content import Content, Explained, gather, to_explain, with_explained
from gad_core.report.page import Circumstances, outlined, render

if TYPE_CHECKING:
    from gad_core.workspace.known import Known

_N_REFERENCES = 10
_BLUR, _BRIGHTEST = 2.0, 0.995  # pixels, and the share of them below full colour: for the eye alone
_SECONDS_EACH = 40  # images that are extracted in the time of one attribution: for a bar that runs evenly


@dataclass(frozen=True)
class Reported:
    """A report that was written.

    Parameters
    ----------
    path : Path
        The file.
    n_bytes : int
        Its size.
    sentence : str
        The verdict that stands first in it.
    verdict : {"holds", "broken", "unknown"}
        Whether the promise of the threshold holds on left-out images.

    Examples
    --------
    >>> import gad_core as gad
    >>> found = gad.write_report(gad.load_detector("parts.gad"), "parts", "line/parts.html", attributions=0)
    >>> found.verdict, found.n_bytes < 3e6
    ('holds', True)
    """

    path: Path
    n_bytes: int
    sentence: str
    verdict: str


def write_report(
    detector: Detector,
    dataset: Dataset | PathLike,
    path: PathLike,
    *,
    title: str | None = None,
    images: int = 6,
    attributions: int = 4,
    known: "Known | None" = None,
    source: PathLike | None = None,
    progress: Progress | None = None,
) -> Reported:
    """Write one HTML file with all that a reviewer asks for; it needs no network and prints to A4.

    The verdict comes first; then the charts and thresholds behind it, errors as pictures, attributions, decisions, the
    data with its digests, the fit, versions, and the commands that make it again.

    Parameters
    ----------
    detector : Detector
        A fitted detector.
    dataset : Dataset, str or Path
        Its data set; the test images are judged.
    path : str or Path
        The file to write, ending in .html.
    title : str, optional
        By default the data set's name.
    images : int, optional
        Pictures of each kind of error, at most.
    attributions : int, optional
        Defects that are explained, the highest of each type; 0 for none. Each takes some seconds.
    known : Known, optional
        What a workspace knows: name, decisions, checks.
    source : str or Path, optional
        The detector's file, for the commands.
    progress : callable, optional
        As for `fit`.

    Returns
    -------
    Reported
        Where it is, its size, and the verdict.

    Raises
    ------
    GadError
        For a name that does not end in .html, where there are no test images, for other weights than those of the fit,
        and where the file cannot be written.
    SampleTooSmall
        Where nothing is adopted and the images cannot support a target of 5 %.

    Examples
    --------
    >>> import gad_core as gad
    >>> found = gad.write_report(gad.load_detector("parts.gad"), "parts", "line/parts.html", attributions=1)
    >>> found.sentence.startswith("Nobody has adopted a threshold; at the default of ")
    True
    """
    from gad_core import __version__  # noqa: PLC0415 - the door imports this module

    path = Path(path)
    if path.suffix != ".html":
        raise GadError(f"a report ends in .html, got {path.name}; write {path.stem}.html")
    data = dataset if isinstance(dataset, Dataset) else read_dataset(dataset)
    if not len(data.test):
        raise GadError(f"{data.name} has no test images to judge; put some into test/good and test/<type of defect>")
    stages = Stages(progress, (len(data.test), attributions * _SECONDS_EACH))
    content = gather(detector, data, extract_images(detector, data.test, progress=stages(0)))
    content = _explained(content, attributions, stages(1))
    now, named = datetime.now(UTC), (known.dataset if known else None) or data.name
    about = Circumstances(
        title or f"Inspection of {named}",
        known.name if known else Path(source).stem if source else data.name,
        named,
        now,
        _decisions(known),
        known.checks if known else (),
        facts.of_data(content),
        facts.of_fit(detector),
        facts.of_versions(detector, __version__),
        facts.commands(detector, data, path, source=Path(source) if source else None),
        _N_REFERENCES,
    )
    text = render(content, about, images=images, pictures=_pictures(content, images))
    with placed(path) as partial:
        partial.write_text(text, encoding="utf-8")
    return Reported(path, path.stat().st_size, content.sentence, content.verdict)


def _pictures(content: Content, images: int) -> dict[int, NDArray[np.uint8]]:
    """Those of the errors, under their map of regions where the detector has any."""
    detector, tuning = content.detector, content.detector.tuning
    shown = {one.place: one.file for group, _ in content.errors(images).values() for one in group}
    pixels = {place: pixels_of(detector, file) for place, file in shown.items()}
    if tuning.pool is None or not shown:
        return pixels
    maps = detector.region_maps(content.extraction.features[list(shown)], tuning)
    limit = detector.usual_limit(tuning, content.rates.point.target_fpr)
    return {
        place: region_overlay(pixels[place], values, limit=limit) for place, values in zip(shown, maps, strict=True)
    }


def _explained(content: Content, limit: int, progress: Progress) -> Content:
    """With attributions of some defects; a detector that cannot be explained says why."""
    detector, network = content.detector, engine_of(content.detector.backbone).network
    files = to_explain(content, limit)
    if not files:
        return with_explained(content, [], "No attribution was asked for." if not limit else "There is no defect.")
    made = []
    try:
        for done, file in enumerate(files):
            progress(done, len(files))
            pixels = pixels_of(detector, file)
            found = attribute(detector, network, pixels, n_references=_N_REFERENCES, split=False)
            mask = _mask(file)
            score = explain_score(found.total, mask) if mask is not None else None
            seen = ndimage.gaussian_filter(found.total, _BLUR)
            limit_of_colours = float(np.quantile(np.abs(seen), _BRIGHTEST)) or 1.0
            picture = overlay(pixels, seen, limit=limit_of_colours, opacity=0.8)
            explanation = score if isinstance(score, Explanation) else None
            made.append(Explained(file, outlined(picture, mask), found.gap, explanation))
        progress(len(files), len(files))
    except GadError as error:
        return with_explained(content, made, f"Attributions cannot be had: {error}.")
    return with_explained(content, made, "")


def _mask(file: ImageFile) -> NDArray[np.bool_] | None:
    try:
        return decode_mask(file.mask) if file.mask else None
    except ImageRefused:  # the image is explained all the same
        return None


def _decisions(known: "Known | None") -> list[dict[str, object]]:
    if known is None:
        return []
    from gad_core.workspace.decisions import what  # noqa: PLC0415 - the database takes half a second to import

    return [
        {
            "when": f"{one.created:%d %b %Y, %H:%M}",
            "who": one.who or "not named",
            "what": what(one),
            "threshold": wording.number(one.point.threshold),
            "how": f"{METHOD_NAMES[one.point.method].lower()}, {wording.percent(one.point.target_fpr)}",
            "note": one.note,
            "holds": one.id == known.holds,
        }
        for one in known.decisions
    ]
