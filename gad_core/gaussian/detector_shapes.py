"""What the tensors of a detector file must be: name, dtype, shape and range of each, told from the file's head."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gad_core.errors import GadError
from gad_core.gaussian.detector_header import Header, ImagesForm, SpectrumForm

Tensors = Mapping[str, NDArray[Any]]
#: dtype, as safetensors name it, and shape.
Declared = tuple[str, tuple[int, ...]]

_FEATURE = float(np.finfo(np.float32).max)  # features are float32, and so far goes what is made of them
_SQUARE = 1e80  # of a feature, summed: its own square is still finite
_LEAST = 1e-100  # of an eigenvalue: its inverse times a square is finite
_ROUNDING = 1e-6  # of an orthonormal basis, a thousand million times what a fit leaves
_PROBES = 4
_MAX_SIDE = 4096  # of reference images


@dataclass(frozen=True)
class Rule:
    """What one tensor must be."""

    dtype: str
    shape: tuple[int, ...]
    low: float
    high: float
    falling: bool = False


Rules = dict[str, Rule]


def rules(header: Header, declared: Mapping[str, Declared]) -> Rules:
    """Rules of all tensors; raises `GadError` for one that is missing, one too many, or of another dtype or shape.

    Only how many components a spectrum has, how the images are dealt to the folds, and how large the reference images
    are is taken from the tensors themselves.
    """
    found = dict(_rules(header, declared))
    for name, rule in found.items():
        if declared.get(name) != (rule.dtype, rule.shape):
            raise GadError(f"{name}: needed {rule.dtype} {rule.shape}, got {_words(declared.get(name))}")
    if unknown := sorted(set(declared) - set(found)):
        raise GadError(f"{unknown[0]}: no detector has such a tensor")
    return found


def _words(declared: Declared | None) -> str:
    return f"{declared[0]} {declared[1]}" if declared else "nothing"


def _rules(header: Header, declared: Mapping[str, Declared]) -> Iterator[tuple[str, Rule]]:
    form = header.form
    yield "folds", Rule("I64", (header.n_left_out,), 0, header.n_folds - 1)
    yield from _references(declared)
    yield from _images("training", form.training, header)
    if form.calibration:
        yield from _images("calibration", form.calibration, header)
    for level, whole in enumerate(form.gaussians):
        yield from _gaussian(f"{level}", whole, declared)
        for place, fold in enumerate(form.left_out[level]):
            yield from _fold(f"{level}.{place}", fold, declared, header.n_left_out)
    if (by_region := form.by_region) and header.regions:
        shape = (header.n_left_out, len(header.regions.levels), len(by_region.inside), len(by_region.keep))
        yield "by_region.left_out", Rule("F16", shape, 0, float(np.finfo(np.float16).max))
        for level, of_level in enumerate(by_region.gaussians or ()):
            for place, one in enumerate(of_level):
                yield from _gaussian(f"by_region.{level}.{place}", one, declared)


def _references(declared: Mapping[str, Declared]) -> Iterator[tuple[str, Rule]]:
    if "references" in declared:
        shape = declared["references"][1]
        n, side = shape[:2] if len(shape) == 4 else (0, 0)
        yield "references", Rule("U8", (max(n, 0), min(max(side, 1), _MAX_SIDE), side, 3), 0, 255)


def _images(name: str, form: ImagesForm, header: Header) -> Iterator[tuple[str, Rule]]:
    n = len(form.digests)
    yield f"{name}.features", Rule("F32", (n, header.slices[-1].stop), -_FEATURE, _FEATURE)
    if regions := header.regions:
        columns = regions.count * sum(header.form.gaussians[level - 1].n_features for level in regions.levels)
        yield f"{name}.by_region.codes", Rule("U16", (n, columns), 0, np.inf)
        yield f"{name}.by_region.low", Rule("F32", (columns,), -_FEATURE / 4, _FEATURE / 4)
        yield f"{name}.by_region.step", Rule("F32", (columns,), 0, _FEATURE / 2**18)


def _gaussian(prefix: str, form: SpectrumForm, declared: Mapping[str, Declared]) -> Iterator[tuple[str, Rule]]:
    yield from _spectrum(prefix, form, declared)
    (r,), d = declared[f"{prefix}.eigenvalues"][1], form.n_features
    yield f"{prefix}.mean", Rule("F64", (d,), -_FEATURE, _FEATURE)
    yield f"{prefix}.basis", Rule("F64", (d, r), -1 - _ROUNDING, 1 + _ROUNDING)
    # Of a feature that never varies, earlier versions kept what rounding had made of its zero.
    yield f"{prefix}.variance", Rule("F64", (d,), -_ROUNDING, _SQUARE)


def _fold(prefix: str, form: SpectrumForm, declared: Mapping[str, Declared], n: int) -> Iterator[tuple[str, Rule]]:
    yield from _spectrum(prefix, form, declared)
    n_out, r = _free(f"{prefix}.z2", declared, 2, n), declared[f"{prefix}.eigenvalues"][1][0]
    yield f"{prefix}.z2", Rule("F64", (n_out, r), 0, _SQUARE)
    yield f"{prefix}.null", Rule("F64", (n_out,), 0, _SQUARE)
    yield f"{prefix}.sed2", Rule("F64", (n_out,), 0, _SQUARE**2)


def _spectrum(prefix: str, form: SpectrumForm, declared: Mapping[str, Declared]) -> Iterator[tuple[str, Rule]]:
    r = _free(f"{prefix}.eigenvalues", declared, 1, min(form.n_features, form.n - 1))
    if 1 < r < form.n_features and not form.whole and form.n > 2:
        raise GadError(f"{prefix}: a singular covariance was shrunk by nothing")
    yield f"{prefix}.eigenvalues", Rule("F64", (r,), _LEAST, _SQUARE, falling=True)
    yield f"{prefix}.head", Rule("F64", (r + 1,), 0, 1)
    yield f"{prefix}.tail", Rule("F64", (r + 1,), 0, 1)


def _free(name: str, declared: Mapping[str, Declared], n_axes: int, at_most: int) -> int:
    """The length of a first axis that nothing else tells."""
    shape = declared[name][1] if name in declared else ()
    if len(shape) != n_axes or not 1 <= shape[0] <= at_most:
        raise GadError(f"{name}: needed {n_axes} axes, the first from 1 to {at_most}, got {shape}")
    return shape[0]


def check_values(header: Header, known: Rules, tensors: Tensors) -> None:
    """Hold the numbers against the rules; raises `GadError` with the tensor that does not fit."""
    for name, rule in known.items():
        values = tensors[name]
        if not values.size or not np.issubdtype(values.dtype, np.floating):
            continue
        low, high = _extremes(values)
        if not (rule.low <= low and high <= rule.high):  # also for not-a-number
            raise GadError(f"{name}: values should lie between {rule.low:g} and {rule.high:g}, got {low:g} to {high:g}")
        if rule.falling and (np.diff(values) > 0).any():
            raise GadError(f"{name}: eigenvalues should fall")
        if name.endswith(".basis") and not _orthonormal(values):
            raise GadError(f"{name}: the columns are not orthonormal")
    _check_folds(header, tensors)


def _extremes(values: NDArray[Any]) -> tuple[float, float]:
    if values.dtype == np.float16:  # NumPy compares these one by one: as whole numbers they sort alike
        bits = values.view(np.int16)
        if bits.min() >= 0:
            values = bits.max(keepdims=True).view(np.float16)
            return 0.0, float(values.max())
    return float(values.min()), float(values.max())


def _orthonormal(basis: NDArray[np.float64]) -> bool:
    """Whether B^T B is the identity, as a few random vectors see it (Freivalds): a product of all would take longer."""
    probes = np.random.default_rng(0).standard_normal((basis.shape[1], _PROBES))
    return bool(np.abs(basis.T @ (basis @ probes) - probes).max() <= _ROUNDING)


def _check_folds(header: Header, tensors: Tensors) -> None:
    """Every image in one fold, and every fold as large, at every level, as the left-out coordinates say."""
    folds, n_copies = tensors["folds"], header.form.gaussians[0].n // header.n_train
    if folds.min() < 0 or folds.max() >= header.n_folds:
        raise GadError(f"folds: ids should lie between 0 and {header.n_folds - 1}")
    sizes = np.bincount(folds, minlength=header.n_folds)
    left_out = np.empty((len(header.form.left_out), header.n_folds))
    for level, of_level in enumerate(header.form.left_out):
        for place, fold in enumerate(of_level):
            name = f"{level}.{place}"
            if len(tensors[f"{name}.z2"]) != sizes[place]:
                raise GadError(f"{name}.z2: {len(tensors[f'{name}.z2'])} images, and {sizes[place]} are in that fold")
            left_out[level, place] = header.n_train - fold.n / n_copies
            if left_out[level, place] < sizes[place]:
                raise GadError(f"left_out.{name}.n: does not fit the images outside that fold")
    # Of a sample the folds' own sizes are not known, but that together they are all images.
    whole = left_out.sum(axis=1) if header.sample_of else left_out - sizes
    if (whole != (header.n_train if header.sample_of else 0)).any():
        raise GadError("left_out: does not fit the number of images")
