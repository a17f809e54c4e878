"""What a fit is asked for: one frozen object that the library, the command line, jobs and files all carry."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Annotated, Any, Literal

from pydantic import Field

from gad_core.data.augment_settings import Augmentation
from gad_core.data.groups import Groups
from gad_core.data.plain import Form
from gad_core.errors import GadError
from gad_core.features.backbones import BACKBONES, Backbone
from gad_core.features.regions import GRID, Regions, default_regions
from gad_core.gaussian.tuning import Tuning, check_regional, regional, whole_image

_Count = Annotated[int, Field(ge=0)]
_Pair = Annotated[list[str | None], Field(min_length=2, max_length=2)]


class _AugmentedForm(Form):
    settings: dict[str, Any]
    passes: _Count


class _SettingsForm(Form):
    backbone: str = BACKBONES[0].name
    tuning: dict[str, Any] | None = None
    n_folds: _Count | None = None
    seed: _Count = 0
    groups: Literal["folder"] | list[_Pair] | None = None
    without: list[str] | None = None
    calibration_share: float = 0.0
    augmented: dict[str, Any] | None = None
    n_references: _Count = 0
    regions: Literal["auto"] | dict[str, Any] | None = None


@dataclass(frozen=True)
class Augmented:
    """How many augmented copies of every normal image a fit has learned from, and what was done to them.

    Parameters
    ----------
    settings : Augmentation
        The steps and ranges of Fig. 5.
    passes : int
        Copies of every image, at least 1.

    Raises
    ------
    GadError
        For less than one pass.

    Examples
    --------
    >>> import gad_core as gad
    >>> settings = gad.FitSettings(augmented=gad.Augmented(gad.Augmentation(rotation=15), passes=20))
    >>> settings.augmented.passes
    20
    """

    settings: Augmentation
    passes: int

    def __post_init__(self) -> None:
        """Refuse numbers outside their ranges."""
        if self.passes < 1:
            raise GadError(f"augmentation needs at least one pass, got {self.passes}")

    def to_json(self) -> dict[str, Any]:
        """Plain values, as JSON holds them."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Augmented":
        """Read them back; raises `GadError` for what is no number or out of its range."""
        form = _AugmentedForm.of(values, what="augmentation")
        return cls(Augmentation.from_json(form.settings), form.passes)


@dataclass(frozen=True, kw_only=True)
class FitSettings:
    """What a fit is asked for; equal settings on the same images give the same detector.

    Parameters
    ----------
    backbone : str
        Name of the network whose features are used.
    tuning : Tuning, optional
        How the detector is read until somebody tunes it; by default what is recommended for the backbone.
    n_folds : int, optional
        Folds of which each is left out once, from 2 on; by default chosen by the number of images.
    seed : int
        Of the folds, the references, the calibration images and the copies.
    groups : "folder", or pairs of a file (or digest) and its group, optional
        Images that are left out of a fold together; by default each stands alone.
    without : tuple of str
        Digests of images that are not used.
    calibration_share : float
        Share of the images, in [0, 0.5], that is not fitted but kept for split-conformal thresholds.
    augmented : Augmented, optional
        Augmented copies that the Gaussians are fitted to; by default the images as they are.
    n_references : int
        Normal images that the detector keeps for attributions.
    regions : Regions, "auto" or None
        Grid and levels that get a Gaussian for each region beside the one for the whole image; None for the whole image
        alone. By default 7x7 at the levels that the tuning pools, or, without a tuning, at those recommended.

    Raises
    ------
    GadError
        For a number outside its range.

    Examples
    --------
    >>> import gad_core as gad
    >>> settings = gad.FitSettings(n_folds=5, tuning=gad.Tuning((7,)))
    >>> gad.FitSettings.from_json(settings.to_json()) == settings
    True
    """

    backbone: str = BACKBONES[0].name
    tuning: Tuning | None = None
    n_folds: int | None = None
    seed: int = 0
    groups: Groups = None
    without: tuple[str, ...] = field(default=(), repr=False)
    calibration_share: float = 0.0
    augmented: Augmented | None = None
    n_references: int = 32
    regions: Regions | Literal["auto"] | None = "auto"

    def __post_init__(self) -> None:
        """Refuse numbers outside their ranges."""
        if self.n_folds is not None and self.n_folds < 2:
            raise GadError(f"the number of folds is 2 or more, got {self.n_folds}; leave it out to have it chosen")
        if not 0 <= self.calibration_share <= 0.5:
            raise GadError(f"the calibration share lies between 0 and 0.5, got {self.calibration_share:g}")
        if self.seed < 0 or self.n_references < 0:
            raise GadError("seed and number of references are 0 or more")
        if self.tuning and self.tuning.pool:
            if self.regions is None:
                raise GadError(f"{self.tuning.pool} pools regions, and none were asked for; choose a grid, such as 7x7")
            kept = self.tuning.levels if self.regions == "auto" else self.regions.levels
            check_regional(self.tuning, kept)

    def regions_on(self, backbone: Backbone) -> Regions | None:
        """Give the regions that are fitted; None for the whole image alone."""
        if self.regions != "auto":
            return self.regions
        if self.tuning is None:
            return default_regions(backbone)
        return Regions(*GRID, self.tuning.levels) if self.tuning.pool else None

    def tuning_on(self, backbone: Backbone) -> Tuning:
        """Give the tuning asked for, else the one that is recommended for the regions or the backbone."""
        regions = self.regions_on(backbone)
        return self.tuning or (regional(regions.levels) if regions else whole_image(backbone))

    def settled(self, backbone: Backbone) -> "FitSettings":
        """Give the same settings with the regions that they mean."""
        return replace(self, regions=self.regions_on(backbone))

    def leaving_out(self, digests: tuple[str, ...]) -> "FitSettings":
        """Leave these images out, and no others."""
        return replace(self, without=tuple(sorted(set(digests))))

    def to_json(self) -> dict[str, Any]:
        """Plain values, as JSON holds them."""
        return {
            **{one.name: getattr(self, one.name) for one in fields(self)},
            "tuning": self.tuning.to_json() if self.tuning else None,
            "groups": self.groups if isinstance(self.groups, str) else [list(pair) for pair in self.groups or ()],
            "without": list(self.without),
            "augmented": self.augmented.to_json() if self.augmented else None,
            "regions": self.regions.to_json() if isinstance(self.regions, Regions) else self.regions,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "FitSettings":
        """Read them back; what is missing takes its default, but regions: settings from before them had none.

        Raises `GadError` for a name that is not known here, and for a value that is none.
        """
        unknown = sorted(set(values) - {one.name for one in fields(cls)})
        if unknown:
            raise GadError(f"unknown fit setting {unknown[0]!r}; update this program to read it")
        _SettingsForm.of(values, what="settings")
        read = dict(values)
        if tuning := values.get("tuning"):
            read["tuning"] = Tuning.from_json(tuning)
        if "groups" in values and not isinstance(values["groups"], str):
            read["groups"] = tuple((name, group) for name, group in values["groups"] or ()) or None
        if augmented := values.get("augmented"):
            read["augmented"] = Augmented.from_json(augmented)
        regions = values.get("regions")
        read["regions"] = Regions.from_json(regions) if isinstance(regions, Mapping) else regions
        return cls(**(read | {"without": tuple(values.get("without") or ())}))
