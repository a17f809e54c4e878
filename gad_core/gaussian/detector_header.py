"""The head of a detector file: its JSON, held against one declared form, and each part of it against the others."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from gad_core.data.datasets import Refusal
from gad_core.data.plain import Form, Places, Share
from gad_core.errors import GadError
from gad_core.features.regions import Regions
from gad_core.gaussian.detector_writing import SCHEMA, TENSORS
from gad_core.gaussian.reduction import Reduction
from gad_core.gaussian.sample import SampleOf
from gad_core.gaussian.settings import FitSettings
from gad_core.gaussian.tuning import SUM, Tuning, WorkingPoint, check_regional

#: Brackets that are read at most: a list takes a hundred times the memory of what it is written with.
_MAX_BRACKETS = 500_000

#: More than anybody photographs; a number of JSON may have any length.
_MOST_IMAGES = 10**12

#: What reading one of the fields of schema 1, which had no form, can raise.
_MISFIT = (KeyError, TypeError, ValueError, IndexError, AttributeError, ArithmeticError)


class SpectrumForm(Form):
    """What JSON holds of a `Spectrum`."""

    n: Annotated[int, Field(ge=2)]
    n_features: Annotated[int, Field(ge=1)]
    whole: Share


class SampleForm(Form):
    """What JSON holds of a `SampleOf`."""

    n: Annotated[int, Field(ge=1, le=_MOST_IMAGES)]
    sha256: str


class ImagesForm(Form):
    """What JSON holds of `TrainingImages`."""

    digests: Annotated[list[str], Field(min_length=1)]
    groups: list[str | None] | None = None
    sample_of: SampleForm | None = None


class RegionsForm(Form):
    """What JSON holds of a `RegionsFit`."""

    regions: dict[str, Any]
    inside: Places
    keep: Annotated[list[str], Field(min_length=1)]
    gaussians: list[list[SpectrumForm]] | None = None


class RefusalForm(Form):
    """What JSON holds of a `Refusal`."""

    path: str
    reason: str


class HeaderForm(Form):
    """All that the file's JSON holds."""

    settings: dict[str, Any]
    tuning: dict[str, Any]
    working_point: dict[str, Any] | None = None
    refused: Annotated[list[RefusalForm], Field(default_factory=list)]
    fingerprint: str
    slices: Annotated[list[Annotated[list[int], Field(min_length=2, max_length=2)]], Field(min_length=1)]
    training: ImagesForm
    calibration: ImagesForm | None = None
    gaussians: list[SpectrumForm]
    left_out: Annotated[list[list[SpectrumForm]], Field(min_length=1)]
    by_region: RegionsForm | None = None
    sha256: dict[str, str]


@dataclass(frozen=True)
class Header:
    """The JSON, and the objects that it stands for."""

    form: HeaderForm
    settings: FitSettings
    tuning: Tuning
    working_point: WorkingPoint | None
    regions: Regions | None
    reductions: tuple[Reduction, ...]  # at which left-out distances by region are known

    @property
    def refused(self) -> tuple[Refusal, ...]:
        """Files that could not be read at the fit."""
        return tuple(Refusal(one.path, one.reason) for one in self.form.refused)

    @property
    def slices(self) -> tuple[slice, ...]:
        """Of each level in the feature vector."""
        return tuple(slice(start, stop) for start, stop in self.form.slices)

    @property
    def n_left_out(self) -> int:
        """Training images that the file holds."""
        return len(self.form.training.digests)

    @property
    def n_train(self) -> int:
        """Training images behind the fit."""
        return self.sample_of.n if self.sample_of else self.n_left_out

    @property
    def sample_of(self) -> SampleOf | None:
        """All training images, where the file holds a sample of them."""
        form = self.form.training.sample_of
        return SampleOf(form.n, form.sha256) if form else None

    @property
    def n_folds(self) -> int:
        """Left-out folds."""
        return len(self.form.left_out[0])

    @property
    def checksum(self) -> str:
        """SHA-256 (hex) of the tensors."""
        return self.form.sha256[TENSORS]


class Newer(GadError):
    """A file of a schema that is not known yet."""


def read_header(data: bytes) -> Header | None:
    """Read the JSON of a detector file; None where it is that of something else.

    Raises `Newer` for a later schema, and `GadError` with the name of a field that does not fit.
    """
    if sum(map(data.count, (b"[", b"{"))) > _MAX_BRACKETS:
        raise GadError("the head holds more lists than any detector has")
    try:
        values = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise GadError("the head is no JSON") from error
    if not isinstance(values, dict) or "schema" not in values:
        return None
    schema = values["schema"]
    if not isinstance(schema, int) or schema < 1:
        raise GadError("schema: should be a whole number from 1 on")
    if schema > SCHEMA:
        raise Newer(f"schema {schema}, this one reads {SCHEMA}")
    if schema == 1:
        try:
            values |= _of_schema_1(values)
        except _MISFIT as error:
            raise GadError("the head lacks what its schema says") from error
    form = HeaderForm.of(values, what="head")
    by_region = form.by_region
    header = Header(
        form=form,
        settings=FitSettings.from_json(form.settings),
        tuning=Tuning.from_json(form.tuning),
        working_point=WorkingPoint.from_json(form.working_point) if form.working_point else None,
        regions=Regions.from_json(by_region.regions) if by_region else None,
        reductions=tuple(Reduction.parse(keep) for keep in by_region.keep) if by_region else (),
    )
    _check(header)
    return header


def _of_schema_1(values: Mapping[str, Any]) -> dict[str, Any]:
    """Schema 1 had no settings, which are read off what the fit left; of a threshold it did not say its n."""
    training, calibration, adopted = values["training"], values["calibration"], values["adopted"]
    n, n_kept = len(training["digests"]), len(calibration["digests"]) if calibration else 0
    pairs = zip(training["digests"], training["groups"] or (), strict=bool(training["groups"]))
    settings = {
        "backbone": values["backbone"],
        "n_folds": len(values["left_out"][0]),
        "seed": values["seed"],
        "groups": [list(pair) for pair in pairs] if training["groups"] else None,
        "calibration_share": 1 / max(round((n + n_kept) / n_kept), 2) if n_kept else 0.0,
        "augmented": values.get("augmented") or None,
        "regions": None,
    }
    images = calibration if adopted and adopted["method"] == "split-conformal" else training
    return {"settings": settings, "working_point": adopted and adopted | {"n": len(images["digests"])}}


def _check(header: Header) -> None:
    """Hold each part against the others; raises `GadError` for the first that does not fit."""
    form, n_levels = header.form, len(header.form.slices)
    widths = [stop - start for start, stop in form.slices]
    for at, why in (
        ("slices", [start for start, _ in form.slices] != [sum(widths[:level]) for level in range(n_levels)]),
        ("slices", min(widths) < 1),
        ("gaussians", [one.n_features for one in form.gaussians] != widths),
        ("gaussians", len({one.n for one in form.gaussians}) != 1 or form.gaussians[0].n % header.n_train > 0),
        ("left_out", len(form.left_out) != n_levels or len({len(folds) for folds in form.left_out}) != 1),
        ("left_out", header.n_folds < 2),
        ("left_out", [{one.n_features for one in folds} for folds in form.left_out] != [{width} for width in widths]),
        ("training.sample_of", header.n_train < header.n_left_out),
        ("training.groups", _ungrouped(form.training)),
        ("calibration.groups", form.calibration is not None and _ungrouped(form.calibration)),
        ("tuning.levels", max(header.tuning.levels) > n_levels),
        ("working_point.level", header.working_point is not None and _level(header.working_point) > n_levels),
        ("sha256", TENSORS not in form.sha256),
    ):
        if why:
            raise GadError(f"{at}: does not fit the rest of the head")
    if header.tuning.pool and header.regions is None:
        raise GadError("tuning.pool: there are no regions to pool")
    if form.by_region and header.regions:
        _check_regions(header, form.by_region, header.regions, widths)


def _check_regions(header: Header, form: RegionsForm, regions: Regions, widths: list[int]) -> None:
    known = header.tuning.pool is None or header.tuning.reduction in header.reductions
    if max(regions.levels) > len(widths):
        raise GadError("by_region.regions.levels: this detector has fewer levels")
    of_levels = [[widths[level - 1]] * len(form.inside) for level in regions.levels]
    stored = form.gaussians
    for at, why in (
        ("inside", max(form.inside) >= regions.count),
        ("keep", len(set(header.reductions)) < len(header.reductions) or not known),
        ("gaussians", bool(stored) and [[one.n_features for one in level] for level in stored or ()] != of_levels),
        ("gaussians", any(one.n != header.form.gaussians[0].n for level in stored or () for one in level)),
    ):
        if why:
            raise GadError(f"by_region.{at}: does not fit the rest of the head")
    if header.tuning.pool:
        check_regional(header.tuning, regions.levels)


def _ungrouped(images: ImagesForm) -> bool:
    return bool(images.groups) and len(images.groups or ()) != len(images.digests)


def _level(point: WorkingPoint) -> int:
    return 1 if point.level == SUM else int(point.level)
