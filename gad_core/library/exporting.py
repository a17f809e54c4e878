"""A detector as one ONNX graph, checked against the detector before it is there."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gad_core.data.datasets import ImageSet, Refusal
from gad_core.data.images import decode
from gad_core.data.placing import placed
from gad_core.decision.verdict import deciding_point, own_scores
from gad_core.errors import GadError
from gad_core.export.calibration import P_VALUE, Calibration, as_metadata, facts
from gad_core.export.checking import Agreement, compare
from gad_core.export.onnx_graph import write_onnx
from gad_core.features.engines import Engine
from gad_core.gaussian.detector import Detector
from gad_core.library.reading import PathLike, read_dataset
from gad_core.library.resources import engine_of, extract_images
from gad_core.progress import Progress

#: The name of the file beside a graph.
CALIBRATION = "calibration.json"


@dataclass(frozen=True)
class Exported:
    """An exported graph and how it compares with its detector.

    Parameters
    ----------
    graph : Path
        The ONNX file.
    calibration : Path
        The JSON file beside it.
    facts : dict
        What both say.
    agreement : Agreement
        Over `n` images the `largest_difference` of a score, `differing_verdicts`, and `milliseconds` an image.
    refused : tuple of Refusal
        Images to check with that could not be read.

    Examples
    --------
    >>> import gad_core as gad
    >>> exported = gad.export_onnx(gad.load_detector("parts.gad"), "line/parts.onnx")
    >>> exported.calibration.as_posix(), exported.facts["adopted"]
    ('line/calibration.json', False)
    """

    graph: Path
    calibration: Path
    facts: dict[str, Any]
    agreement: Agreement
    refused: tuple[Refusal, ...] = ()


def export_onnx(
    detector: Detector,
    path: PathLike,
    *,
    check: ImageSet | PathLike | None = None,
    target_fpr: float | None = None,
    method: str | None = None,
    decision: str | None = None,
    progress: Progress | None = None,
) -> Exported:
    """Write a detector as one ONNX graph from images to verdicts, and beside it `calibration.json`.

    The graph takes `image`, uint8 (N, H, W, 3) in RGB of any size, and gives `score` (N,), `regions` (N, rows,
    columns), `threshold` () and `anomalous` (N,). It is run on the detector's reference images before it is put in
    place.

    Parameters
    ----------
    detector : Detector
        A fitted detector.
    path : str or Path
        The file to write, ending in .onnx.
    check : ImageSet, str or Path, optional
        Further images to run it on, or a data set whose test images are taken. Their labels give the rates on test
        images that are told beside the threshold.
    target_fpr : float, optional
        As for `score`: by default the adopted threshold decides, or else cross-conformal at 0.05.
    method : str, optional
        As for `score`.
    decision : str, optional
        The id under which the adopted threshold is on record.
    progress : callable, optional
        As for `fit`; it counts the images that the graph was run on.

    Returns
    -------
    Exported
        Where the files are, and how well graph and detector agree.

    Raises
    ------
    GadError
        Where scores differ by more than 1e-4 or a verdict differs, where there is no image to check with, where the
        folder holds the calibration of another graph, for a method that has no threshold here, and for other weights
        than those of the fit.
    SampleTooSmall
        Where the detector's images cannot support the target.

    Examples
    --------
    >>> import gad_core as gad
    >>> exported = gad.export_onnx(gad.load_detector("parts.gad"), "line/parts.onnx", check="parts")
    >>> exported.agreement.n, exported.agreement.differing_verdicts
    (46, 0)
    """
    path = Path(path)
    beside = path.with_name(CALIBRATION)
    _check_place(path, beside)
    engine = engine_of(detector.backbone)
    images, features = _to_check(detector, engine, check)
    scores = own_scores(detector, features)
    point = deciding_point(detector, scores, target_fpr=target_fpr, method=method)
    calibration = Calibration.of(detector, scores, point, images)
    values = facts(detector, calibration, decision)
    with placed(path) as graph, placed(beside) as told:
        write_onnx(graph, detector, engine.network, point, metadata=as_metadata(values))
        agreement = compare(graph, _pixels(detector, images), scores.test, point.threshold, progress=progress)
        agreement.check()
        identity = {"file": path.name, "sha256": hashlib.sha256(graph.read_bytes()).hexdigest()}
        told.write_text(json.dumps(_beside(identity, values, calibration, agreement), indent=1), encoding="utf-8")
    return Exported(path, beside, values, agreement, images.refused)


def _beside(
    identity: dict[str, str], values: dict[str, Any], calibration: Calibration, agreement: Agreement
) -> dict[str, Any]:
    """Say what stands in the file beside the graph: the facts, how they were checked, and what gives p-values."""
    return {
        "graph": identity,
        **values,
        "checked": {"images": agreement.n, "largest_difference": agreement.largest_difference},
        "p_value": P_VALUE,
        "scores": calibration.scores.tolist(),
    }


def _check_place(path: Path, beside: Path) -> None:
    """Refuse a wrong ending, and a folder in which another graph's calibration would be lost."""
    if path.suffix != ".onnx":
        raise GadError(f"an ONNX graph ends in .onnx, got {path.name}; write {path.stem}.onnx")
    try:
        owner = json.loads(beside.read_text(encoding="utf-8"))["graph"]["file"] if beside.exists() else path.name
    except (OSError, ValueError, KeyError, TypeError):
        owner = None
    if owner != path.name:
        of = f"of {owner}" if owner else "of something else"
        raise GadError(f"{beside} is the calibration {of}; choose a folder of its own for {path.name}")


def _to_check(
    detector: Detector, engine: Engine, check: ImageSet | PathLike | None
) -> tuple[ImageSet, NDArray[np.float32]]:
    """Find images to check with, and their features (n, F), behind them those of the detector's references."""
    given = _test_images(check) if isinstance(check, PathLike) else check or ImageSet(())
    references = detector.references if detector.references is not None else ()
    if not len(given) and not len(references):
        raise GadError("this detector keeps no reference images to check the graph on; give images with check")
    extraction = extract_images(detector, given)
    own = list(engine.stream(references, regions=detector.regions))
    return extraction.images, np.concatenate([extraction.features, *(vector[np.newaxis] for vector in own)])


def _test_images(path: PathLike) -> ImageSet:
    """Take the test images of a data set; where it has none, as a plain folder has, its normal images."""
    data = read_dataset(path)
    return data.test if len(data.test) else data.train


def _pixels(detector: Detector, images: ImageSet) -> Iterator[NDArray[np.uint8]]:
    """Read the same images as a consumer of the graph does, one at a time."""
    references = detector.references if detector.references is not None else ()
    return chain((decode(file.path) for file in images), references)
