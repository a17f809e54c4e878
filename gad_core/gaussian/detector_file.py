"""A detector file read back, whole or its head alone; every earlier schema is understood."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import safetensors.numpy

from gad_core.data.datasets import Refusal
from gad_core.errors import GadError
from gad_core.features.regions import Regions
from gad_core.gaussian.by_region import RegionsFit, inside_of
from gad_core.gaussian.detector import Detector, TrainingImages
from gad_core.gaussian.detector_archive import DAMAGE, NoDetector, Parts, opened
from gad_core.gaussian.detector_header import Header, ImagesForm, Newer, RegionsForm, SpectrumForm, read_header
from gad_core.gaussian.detector_shapes import Tensors, check_values, rules
from gad_core.gaussian.levels import LeftOut
from gad_core.gaussian.packing import Packed
from gad_core.gaussian.settings import FitSettings
from gad_core.gaussian.spectrum import Coordinates, Gaussian, Spectrum
from gad_core.gaussian.tuning import Tuning, WorkingPoint
from gad_core.gaussian.version import fit_version


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
    n_left_out: int  # of the n_train images those that were scored left out, whose digests these are


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
    with _read(Path(path)) as (header, parts):
        declared = parts.read_declared()
        known = rules(header, declared)
        payload = parts.read_tensors(declared, header.checksum)
        # Fresh arrays, aligned as in the fit: the same bits in give the same bits out.
        tensors = {name: array.copy() for name, array in safetensors.numpy.load(payload).items()}
        check_values(header, known, tensors)
        return _detector(header, tensors)


def read_summary(path: str | Path) -> Summary:
    """Read the head of a detector file, in a few milliseconds; raises as `load_detector` does."""
    with _read(Path(path)) as (header, _):
        form = header.form
        held_out = form.calibration.digests if form.calibration else ()
        return Summary(
            settings=header.settings,
            regions=header.regions,
            tuning=header.tuning,
            n_train=header.n_train,
            working_point=header.working_point,
            refused=header.refused,
            digests=tuple(form.training.digests),
            version=fit_version(
                header.settings, form.fingerprint, form.training.digests, held_out, sample_of=header.sample_of
            ),
            n_left_out=header.n_left_out,
        )


@contextmanager
def _read(path: Path) -> Iterator[tuple[Header, Parts]]:
    """Open the archive and read its head; whatever is wrong with the file comes out in words."""
    if not path.is_file():
        raise GadError(f"there is no detector file {path}; check the path, or fit a detector first")
    foreign = f"{path.name} is not a detector file; choose a .gad file that this program has saved"
    mend = "copy it again from where it came, or fit the detector anew"
    try:
        with opened(path) as parts:
            header = read_header(parts.read_json())
            if header is None:
                raise GadError(foreign)
            yield header, parts
    except NoDetector as error:
        raise GadError(foreign) from error
    except Newer as error:
        raise GadError(
            f"{path.name} was written by a newer version ({error}); update this program to open it"
        ) from error
    except GadError as error:
        raise GadError(f"{path.name} is damaged ({error}); {mend}") from error
    except DAMAGE as error:
        raise GadError(f"{path.name} is damaged; {mend}") from error


def _detector(header: Header, tensors: Tensors) -> Detector:
    form, slices = header.form, header.slices

    def spectrum(prefix: str, values: SpectrumForm) -> Spectrum:
        eigenvalues, head, tail = (tensors[f"{prefix}.{name}"] for name in ("eigenvalues", "head", "tail"))
        return Spectrum(values.n, values.n_features, eigenvalues, head, tail, values.whole)

    def gaussian(prefix: str, values: SpectrumForm) -> Gaussian:
        mean, basis, variance = (tensors[f"{prefix}.{name}"] for name in ("mean", "basis", "variance"))
        return Gaussian(mean, basis, variance, spectrum(prefix, values))

    def images(name: str, values: ImagesForm) -> TrainingImages:
        features, packed = tensors[f"{name}.features"], None
        if header.regions:
            packed = Packed(*(tensors[f"{name}.by_region.{part}"] for part in ("codes", "low", "step")))
            features = np.concatenate([features, packed.values], axis=1)
        groups = tuple(values.groups) if values.groups else None
        sample_of = header.sample_of if name == "training" else None
        return TrainingImages(features, tuple(values.digests), groups, packed, sample_of)

    def by_region(values: RegionsForm, regions: Regions) -> RegionsFit:
        inside = tuple(values.inside)
        stored = values.gaussians and tuple(
            tuple(gaussian(f"by_region.{level}.{place}", one) for place, one in enumerate(of_level))
            for level, of_level in enumerate(values.gaussians)
        )
        return RegionsFit(
            regions=regions,
            inside=inside,
            slices=inside_of(regions.slices(slices), inside),
            features=training.features,
            reductions=header.reductions,
            left_out=tensors["by_region.left_out"],
            stored=stored or None,
        )

    def left_out(level: int) -> Iterator[LeftOut]:
        for fold, values in enumerate(form.left_out[level]):
            prefix = f"{level}.{fold}"
            coordinates = Coordinates(*(tensors[f"{prefix}.{name}"] for name in ("z2", "null", "sed2")))
            yield LeftOut(spectrum(prefix, values), coordinates)

    training = images("training", form.training)
    return Detector(
        settings=header.settings,
        tuning=header.tuning,
        fingerprint=form.fingerprint,
        slices=slices,
        training=training,
        gaussians=tuple(gaussian(f"{level}", values) for level, values in enumerate(form.gaussians)),
        folds=tensors["folds"],
        left_out=tuple(tuple(left_out(level)) for level in range(len(slices))),
        references=tensors.get("references"),
        calibration=images("calibration", form.calibration) if form.calibration else None,
        working_point=header.working_point,
        refused=header.refused,
        by_region=by_region(form.by_region, header.regions) if form.by_region and header.regions else None,
    )
