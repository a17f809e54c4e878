"""What a person tunes on a fitted detector without fitting it again, and the threshold adopted with it."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any, Literal, get_args

from pydantic import ConfigDict, Field

from gad_core.data.plain import Form, Levels
from gad_core.errors import GadError
from gad_core.features.backbones import Backbone
from gad_core.features.regions import Regions
from gad_core.gaussian.pooling import TOP_TENTH, Pool
from gad_core.gaussian.reduction import ALL, NPCA_1, NPCA_5, Reduction

Distance = Literal["mahalanobis", "sed", "l2"]
DISTANCES: tuple[Distance, ...] = get_args(Distance)

_DEEP = (6, 7, 8)  # of an EfficientNet

#: The level of a score that sums the tuned levels.
SUM = "sum"

_Rate = Annotated[float, Field(gt=0, lt=1)]


class _TuningForm(Form):
    levels: Levels
    keep: str
    score: str
    pool: str | None = None


class _PointForm(Form):
    model_config = ConfigDict(extra="forbid")

    method: Annotated[str, Field(max_length=40)]
    target_fpr: _Rate
    threshold: float
    n: Annotated[int, Field(ge=1)]
    how: str
    level: Annotated[str, Field(pattern=r"^(sum|[1-9][0-9]{0,2})$")] = SUM
    reject_above: float | None = None
    reject_fpr: _Rate | None = None


@dataclass(frozen=True)
class Tuning:
    """How a fitted detector is read: levels in the sum, components kept on each, kind of distance, regions or not.

    Parameters
    ----------
    levels : tuple of int
        Levels whose distances are summed (eq. 4), counted from 1.
    reduction : Reduction
        The principal components kept on each of them (Sec. III-B4).
    distance : {"mahalanobis", "sed", "l2"}
        Eq. 3, eq. 7, or plain Euclidean.
    pool : Pool, optional
        How the distances of regions become the score; without it the score is that of the whole image (eq. 4).

    Examples
    --------
    >>> import gad_core as gad
    >>> gad.Tuning((6, 7, 8), gad.Reduction("npca", 0.05)).to_json()
    {'levels': [6, 7, 8], 'keep': 'npca:0.05', 'score': 'mahalanobis'}
    """

    levels: tuple[int, ...]
    reduction: Reduction = ALL
    distance: Distance = "mahalanobis"
    pool: Pool | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain values, named as the command line's options are; without a pool nothing is said of it."""
        values = {"levels": list(self.levels), "keep": str(self.reduction), "score": self.distance}
        return values | ({"pool": str(self.pool)} if self.pool else {})

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Tuning":
        """Read them back; raises `GadError` for what is no level, reduction, distance or pool."""
        form = _TuningForm.of(values, what="tuning")
        pool = Pool.parse(form.pool) if form.pool else None
        return cls(tuple(form.levels), Reduction.parse(form.keep), parse_distance(form.score), pool)


@dataclass(frozen=True)
class WorkingPoint:
    """A distance above which an image is flagged, with its provenance.

    Parameters
    ----------
    method : str
        "cross-conformal", "split-conformal", "chi2" or "hotelling"; for "cross-confident", "cross-simultaneous",
        "split-confident" and "split-simultaneous" the target is a bound.
    target_fpr : float
        The false-positive rate asked for, in (0, 1).
    threshold : float
        In units of distance.
    n : int
        Images behind the threshold.
    how : str
        Its provenance in one sentence.
    level : str
        The score it belongs to: "sum", or a level's number.
    reject_above : float, optional
        A stricter distance: between the two a person reviews, above it an image is rejected without one.
    reject_fpr : float, optional
        The share of normal images, in (0, 1), for which that one was made.

    Examples
    --------
    >>> import gad_core as gad
    >>> point = gad.WorkingPoint("cross-conformal", 0.05, 22.1, 209, "quantile of 209 left-out images")
    >>> gad.WorkingPoint.from_json(point.to_json()) == point
    True
    """

    method: str
    target_fpr: float
    threshold: float
    n: int
    how: str
    level: str = SUM
    reject_above: float | None = None
    reject_fpr: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain values, as JSON holds them; without a review band nothing is said of it."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "WorkingPoint":
        """Read them back; raises `GadError` for a number that is none, is not finite or out of its range."""
        form = _PointForm.of(values, what="working point")
        if form.reject_above is not None and form.reject_above <= form.threshold:
            raise GadError(
                f"working point, reject_above: should lie above the threshold {form.threshold:g}, got "
                f"{form.reject_above:g}"
            )
        return cls(**values)


def tuning_at(tuning: Tuning, level: str) -> Tuning:
    """Give the tuning whose own score is that of `level`: "sum", or a level's number, which is of the whole image."""
    return tuning if level == SUM else replace(tuning, levels=(int(level),), pool=None)


def whole_image(backbone: Backbone) -> Tuning:
    """Give the default without regions: levels 6-8 after NPCA 5 % on EfficientNets, the paper's NPCA 1 % elsewhere."""
    if backbone.family == "efficientnet":
        return Tuning(_DEEP, NPCA_5)
    return Tuning(all_levels(backbone), NPCA_1)


def regional(levels: tuple[int, ...]) -> Tuning:
    """Give the default with regions: NPCA 5 % at the levels that are kept so, the highest tenth of the regions."""
    return Tuning(levels, NPCA_5, pool=TOP_TENTH)


def check_regional(tuning: Tuning, kept: tuple[int, ...]) -> None:
    """Refuse a tuning that pools regions of levels other than those `kept` by region, or of another distance."""
    missing = [level for level in tuning.levels if level not in kept]
    if missing:
        raise GadError(
            f"level {missing[0]} was not kept by region here, only {', '.join(map(str, kept))}; choose among these, or "
            "the score of the whole image"
        )
    if tuning.distance != "mahalanobis":
        raise GadError("regions are judged by Mahalanobis distances; choose these, or the score of the whole image")


def pool_of(tuning: Tuning) -> Pool:
    """Give the pool; raises `GadError` for a tuning of the whole image."""
    if tuning.pool is None:
        raise GadError("the whole image has no regions to pool; choose a pool, such as top:0.1")
    return tuning.pool


def presets(backbone: Backbone, regions: Regions | None = None) -> dict[str, Tuning]:
    """Named starting points: the recommended one with regions, that of the whole image, the paper's two (Sec. IV-B)."""
    levels, found = all_levels(backbone), {}
    if regions:
        found["Recommended"] = regional(regions.levels)
    if backbone.family == "efficientnet":
        found["Whole image, levels 6-8"] = whole_image(backbone)
    return found | {
        "Paper, all levels": Tuning(levels, ALL),
        "Paper, NPCA 1 %": Tuning(levels, NPCA_1),
    }


def all_levels(backbone: Backbone) -> tuple[int, ...]:
    """Every level of the backbone, 1-based."""
    return tuple(range(1, len(backbone.channels) + 1))


def parse_levels(text: str, n_levels: int) -> tuple[int, ...]:
    """Read "7", "6-8", "1,5-7" or "all" into rising level numbers; raise `GadError` for what is not a level."""
    if text.strip().lower() == "all":
        return tuple(range(1, n_levels + 1))
    levels: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if not 1 <= first <= last <= n_levels:
            known = f'this backbone has levels 1 to {n_levels}; write "7", "6-8", "1,5-7" or "all"'
            raise GadError(f"{part.strip()!r} in {text!r} is no level; {known}")
        levels.update(range(first, last + 1))
    return tuple(sorted(levels))


def parse_distance(text: str) -> Distance:
    """Read a kind of distance by its name."""
    for distance in DISTANCES:
        if text.strip().lower() == distance:
            return distance
    raise GadError(f"{text!r} is no distance; choose one of {', '.join(DISTANCES)}")
