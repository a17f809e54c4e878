"""A detector as one file: a zip of safetensors and JSON with checksums; no pickle, written atomically."""

import hashlib
import json
import zipfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from gad_core.data.placing import placed
from gad_core.gaussian.spectrum import Gaussian, Spectrum

if TYPE_CHECKING:
    from gad_core.gaussian.by_region import RegionsFit
    from gad_core.gaussian.detector import Detector, TrainingImages

SCHEMA = 4
_WITHOUT_SAMPLES = 3  # what earlier versions read as well
JSON, TENSORS = "detector.json", "tensors.safetensors"
_LEVEL = 1  # of compression: higher ones save less than one byte in 200
_NO_TIME = (1980, 1, 1, 0, 0, 0)  # the format's earliest, for all members: the same detector makes the same file
_MODE = 0o600  # of a member that somebody unpacks


def write_detector(detector: "Detector", path: Path) -> None:
    """Write `path`, the same bytes for the same detector at any time; a reader never sees half a file.

    Raises `GadError` where the folder cannot be written.
    """
    tensors = safetensors.numpy.save(dict(_tensors(detector)))
    header = json.dumps(_header(detector) | {"sha256": {TENSORS: hashlib.sha256(tensors).hexdigest()}}, indent=1)
    with placed(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as file:
        for name, contents in ((JSON, header), (TENSORS, tensors)):
            member = zipfile.ZipInfo(name, _NO_TIME)
            member.external_attr = _MODE << 16
            file.writestr(member, contents, zipfile.ZIP_DEFLATED, _LEVEL)


def _header(detector: "Detector") -> dict[str, Any]:
    return {
        "schema": SCHEMA if detector.training.sample_of else _WITHOUT_SAMPLES,
        "settings": detector.settings.to_json(),
        "tuning": detector.tuning.to_json(),
        "working_point": detector.working_point.to_json() if detector.working_point else None,
        "refused": [asdict(refusal) for refusal in detector.refused],
        "fingerprint": detector.fingerprint,
        "slices": [[part.start, part.stop] for part in detector.slices],
        "training": _images_header(detector.training),
        "calibration": _images_header(detector.calibration) if detector.calibration else None,
        "gaussians": [_spectrum_header(gaussian.spectrum) for gaussian in detector.gaussians],
        "left_out": [[_spectrum_header(fold.spectrum) for fold in level] for level in detector.left_out],
        "by_region": _regions_header(detector.by_region) if detector.by_region else None,
    }


def _regions_header(fit: "RegionsFit") -> dict[str, Any]:
    return {
        "regions": fit.regions.to_json(),
        "inside": fit.inside,
        "keep": [str(reduction) for reduction in fit.reductions],
        "gaussians": [[_spectrum_header(one.spectrum) for one in level] for level in fit.stored]
        if fit.stored
        else None,
    }


def _images_header(images: "TrainingImages") -> dict[str, Any]:
    sample_of = {"sample_of": asdict(images.sample_of)} if images.sample_of else {}
    return {"digests": images.digests, "groups": images.groups, **sample_of}


def _spectrum_header(spectrum: Spectrum) -> dict[str, Any]:
    return {"n": spectrum.n, "n_features": spectrum.n_features, "whole": spectrum.whole}


def _tensors(detector: "Detector") -> Iterator[tuple[str, NDArray[Any]]]:
    yield "folds", detector.folds
    n_whole = detector.slices[-1].stop
    yield from _images_tensors("training", detector.training, n_whole)
    if detector.calibration:
        yield from _images_tensors("calibration", detector.calibration, n_whole)
    if detector.references is not None:
        yield "references", detector.references
    if detector.by_region:
        yield "by_region.left_out", detector.by_region.left_out
        for level, gaussians in enumerate(detector.by_region.stored or ()):
            for place, gaussian in enumerate(gaussians):
                yield from _gaussian_tensors(f"by_region.{level}.{place}", gaussian)
    for level, gaussian in enumerate(detector.gaussians):
        yield from _gaussian_tensors(f"{level}", gaussian)
        for fold, out in enumerate(detector.left_out[level]):
            yield from _spectrum_tensors(f"{level}.{fold}", out.spectrum)
            for name in ("z2", "null", "sed2"):
                yield f"{level}.{fold}.{name}", getattr(out.coordinates, name)


def _images_tensors(name: str, images: "TrainingImages", n_whole: int) -> Iterator[tuple[str, NDArray[Any]]]:
    yield f"{name}.features", np.ascontiguousarray(images.features[:, :n_whole])
    if images.packed:
        for part in ("codes", "low", "step"):
            yield f"{name}.by_region.{part}", getattr(images.packed, part)


def _gaussian_tensors(prefix: str, gaussian: Gaussian) -> Iterator[tuple[str, NDArray[Any]]]:
    for name in ("mean", "basis", "variance"):
        yield f"{prefix}.{name}", getattr(gaussian, name)
    yield from _spectrum_tensors(prefix, gaussian.spectrum)


def _spectrum_tensors(prefix: str, spectrum: Spectrum) -> Iterator[tuple[str, NDArray[Any]]]:
    for name in ("eigenvalues", "head", "tail"):
        yield f"{prefix}.{name}", getattr(spectrum, name)
