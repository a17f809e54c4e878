"""A detector file read back, whole or its head alone; every earlier schema is understood."""

import hashlib
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from gad_core.data.datasets import Refusal
from gad_core.errors import GadError
from gad_core.features.regions import Regions
from gad_core.gaussian.by_region import RegionsFit, inside_of
from gad_core.gaussian.detector import Detector, TrainingImages
from gad_core.gaussian.detector_writing import JSON, SCHEMA, TENSORS
from gad_core.gaussian.levels import LeftOut
from gad_core.gaussian.packing import Packed
from gad_core.gaussian.reduction import Reduction
from gad_core.gaussian.settings import Augmented, FitSettings
from gad_core.gaussian.spectrum import Coordinates, Gaussian, Spectrum
from gad_core.gaussian.tuning import Tuning, WorkingPoint
from gad_core.gaussian.version import fit_version

Tensors = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Summary:
    """What a detector file says of itself, without what it scores with."""

    settings: FitSettings
    regions: Regions | None  # that have Gaussians
    tuning: Tuning
    n_train: int
    working_point: WorkingPoint | None
    refused: tuple[Refusal, ...]
    digests: tuple[str, ...]  # of the training images
    version: str  # which fit it is, as `Detector.version`


def load_detector(path: str | Path) -> Detector:
    """Read a detector that scores bit for bit as the saved one did.

    Parameters
    ----------
    path : str or Path
        A file that `Detector.save`, the command line or the dashboard has written.

    Returns
    -------
    Detector
        With its settings, its tuning and the adopted threshold.

    Raises
    ------
    GadError
        For a missing, foreign or damaged file, and for one that a newer version has written.

    Examples
    --------
    >>> import gad_core as gad
    >>> gad.load_detector("parts.gad").n_train
    30
    """
    path = Path(path)
    with _opened(path) as (header, archive):
        payload = archive.read(TENSORS)
        if hashlib.sha256(payload).hexdigest() != header["sha256"][TENSORS]:
            raise _damaged(path)
        # Fresh arrays, aligned as in the fit: the same bits in give the same bits out.
        tensors = {name: array.copy() for name, array in safetensors.numpy.load(payload).items()}
        return _detector(header, tensors)


def read_summary(path: str | Path) -> Summary:
    """Read the head of a detector file, in a few milliseconds; raises as `load_detector` does."""
    with _opened(Path(path)) as (header, _):
        settings, training, held_out = _settings(header), header["training"]["digests"], header["calibration"] or {}
        return Summary(
            settings=settings,
            regions=Regions.from_json(header["by_region"]["regions"]) if header.get("by_region") else None,
            tuning=Tuning.from_json(header["tuning"]),
            n_train=len(training),
            working_point=_working_point(header),
            refused=_refused(header),
            digests=tuple(training),
            version=fit_version(settings, header["fingerprint"], training, held_out.get("digests", ())),
        )


@contextmanager
def _opened(path: Path) -> Iterator[tuple[dict[str, Any], zipfile.ZipFile]]:
    """Open the archive and read its header; whatever is wrong with the file comes out in words."""
    if not path.is_file():
        raise GadError(f"there is no detector file {path}; check the path, or fit a detector first")
    foreign = GadError(f"{path.name} is not a detector file; choose a .gad file that this program has saved")
    try:
        with zipfile.ZipFile(path) as archive:
            if {JSON, TENSORS} - set(archive.namelist()):
                raise foreign
            header = json.loads(archive.read(JSON))
            if not isinstance(header, dict) or "schema" not in header:
                raise foreign
            if header["schema"] > SCHEMA:
                newer = f"schema {header['schema']}, this one reads {SCHEMA}"
                raise GadError(f"{path.name} was written by a newer version ({newer}); update this program to open it")
            yield header, archive
    except (zipfile.BadZipFile, zipfile.LargeZipFile) as error:
        raise (_damaged(path) if path.read_bytes()[:2] == b"PK" else foreign) from error
    except (KeyError, TypeError, ValueError, EOFError, OSError, safetensors.SafetensorError) as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> GadError:
    return GadError(f"{path.name} is damaged; copy it again from where it came, or fit the detector anew")


def _settings(header: Mapping[str, Any]) -> FitSettings:
    """Read the settings; schema 1 had none, and they are read off what the fit left in the file."""
    if header["schema"] > 1:
        return FitSettings.from_json(header["settings"])
    training, calibration = header["training"], header["calibration"]
    n, n_kept = len(training["digests"]), len(calibration["digests"]) if calibration else 0
    pairs = zip(training["digests"], training["groups"] or (), strict=bool(training["groups"]))
    return FitSettings(
        backbone=header["backbone"],
        n_folds=len(header["left_out"][0]),
        seed=header["seed"],
        groups=tuple(pairs) if training["groups"] else None,
        calibration_share=1 / max(round((n + n_kept) / n_kept), 2) if n_kept else 0.0,
        augmented=Augmented.from_json(header["augmented"]) if header.get("augmented") else None,
        regions=None,
    )


def _working_point(header: Mapping[str, Any]) -> WorkingPoint | None:
    """Read the adopted threshold; schema 1 did not say from how many images it was made, but its method tells."""
    if header["schema"] > 1:
        return WorkingPoint.from_json(header["working_point"]) if header["working_point"] else None
    adopted = header["adopted"]
    if not adopted:
        return None
    images = header["calibration"] if adopted["method"] == "split-conformal" else header["training"]
    return WorkingPoint.from_json(adopted | {"n": len(images["digests"])})


def _refused(header: Mapping[str, Any]) -> tuple[Refusal, ...]:
    return tuple(Refusal(**refusal) for refusal in header.get("refused", ()))


def _detector(header: dict[str, Any], tensors: Tensors) -> Detector:
    def spectrum(prefix: str, values: dict[str, Any]) -> Spectrum:
        eigenvalues, head, tail = (tensors[f"{prefix}.{name}"] for name in ("eigenvalues", "head", "tail"))
        return Spectrum(values["n"], values["n_features"], eigenvalues, head, tail, values["whole"])

    def gaussian(prefix: str, values: dict[str, Any]) -> Gaussian:
        mean, basis, variance = (tensors[f"{prefix}.{name}"] for name in ("mean", "basis", "variance"))
        return Gaussian(mean, basis, variance, spectrum(prefix, values))

    def images(name: str) -> TrainingImages:
        features, groups, packed = tensors[f"{name}.features"], header[name]["groups"], None
        if f"{name}.by_region.codes" in tensors:
            packed = Packed(*(tensors[f"{name}.by_region.{part}"] for part in ("codes", "low", "step")))
            features = np.concatenate([features, packed.values], axis=1)
        return TrainingImages(features, tuple(header[name]["digests"]), tuple(groups) if groups else None, packed)

    def by_region(slices: Sequence[slice], training: TrainingImages) -> RegionsFit | None:
        values = header.get("by_region")
        if not values:
            return None
        regions = Regions.from_json(values["regions"])
        inside = tuple(values["inside"])
        stored = values["gaussians"] and tuple(
            tuple(gaussian(f"by_region.{level}.{place}", one) for place, one in enumerate(of_level))
            for level, of_level in enumerate(values["gaussians"])
        )
        return RegionsFit(
            regions=regions,
            inside=inside,
            slices=inside_of(regions.slices(slices), inside),
            features=training.features,
            reductions=tuple(Reduction.parse(keep) for keep in values["keep"]),
            left_out=tensors["by_region.left_out"],
            stored=stored,
        )

    def left_out(level: int) -> Iterator[LeftOut]:
        for fold, values in enumerate(header["left_out"][level]):
            prefix = f"{level}.{fold}"
            coordinates = Coordinates(*(tensors[f"{prefix}.{name}"] for name in ("z2", "null", "sed2")))
            yield LeftOut(spectrum(prefix, values), coordinates)

    training = images("training")
    slices = tuple(slice(start, stop) for start, stop in header["slices"])
    return Detector(
        settings=_settings(header),
        tuning=Tuning.from_json(header["tuning"]),
        fingerprint=header["fingerprint"],
        slices=slices,
        training=training,
        gaussians=tuple(gaussian(f"{level}", values) for level, values in enumerate(header["gaussians"])),
        folds=tensors["folds"],
        left_out=tuple(tuple(left_out(level)) for level in range(len(header["left_out"]))),
        references=tensors.get("references"),
        calibration=images("calibration") if header["calibration"] else None,
        working_point=_working_point(header),
        refused=_refused(header),
        by_region=by_region(slices, training),
    )
