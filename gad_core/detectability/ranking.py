"""Settings of a detector ranked without a real defect: by what a synthetic one must measure to be caught."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from gad_core.decision.curves import Auroc
from gad_core.decision.rates import Rate, exceedance
from gad_core.decision.working_point import cross_conformal
from gad_core.detectability.detection import fit_pod
from gad_core.detectability.left_out import undamaged_rate
from gad_core.detectability.plan import Draw
from gad_core.features.registry import get_backbone
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.pooling import TOP_TENTH, Pool
from gad_core.gaussian.reduction import ALL, NPCA_1, NPCA_5, Reduction
from gad_core.gaussian.tuning import Tuning, all_levels, presets

Array = NDArray[np.float64]

_PCA_99 = Reduction("pca", 0.99)
_DEEPEST = 4  # levels that are tried one by one


@dataclass(frozen=True)
class Ranked:
    """One setting: what its threshold at the target catches of the drawn defects, and its AUROC where labels exist."""

    tuning: Tuning
    a90: float | None  # of the strongest contrast drawn, all kinds together; None where it is not reached
    caught: Rate  # of all drawn defects
    area: Auroc | None

    def to_json(self) -> dict[str, Any]:
        """Plain values, as JSON holds them."""
        area = vars(self.area) if self.area else None
        return {"tuning": self.tuning.to_json(), "a90": self.a90, "caught": vars(self.caught), "auroc": area}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Ranked":
        """Read them back."""
        area = Auroc(**values["auroc"]) if values["auroc"] else None
        return cls(Tuning.from_json(values["tuning"]), values["a90"], Rate(**values["caught"]), area)


@dataclass(frozen=True)
class Agreement:
    """Spearman's rank correlation of the order without defects with that by AUROC, over n settings."""

    value: float
    p_value: float
    n: int


def candidates(detector: Detector) -> tuple[Tuning, ...]:
    """Settings worth a try on a detector as it is fitted: the presets, deep levels, other cuts and other pools."""
    backbone, regions = get_backbone(detector.backbone), detector.regions
    last = backbone.n_levels
    deep = tuple(range(max(1, last - _DEEPEST + 1), last + 1))
    found = [
        *presets(backbone, regions).values(),
        Tuning(all_levels(backbone), NPCA_5),
        *(Tuning((level,), NPCA_5) for level in deep),
        *(Tuning(deep[:-1], cut) for cut in (NPCA_1, _PCA_99, ALL)),
    ]
    if regions:
        found += [Tuning((level,), NPCA_5, pool=TOP_TENTH) for level in regions.levels]
        found += [Tuning(regions.levels, cut, pool=TOP_TENTH) for cut in (NPCA_1, ALL)]
        found += [Tuning(regions.levels, NPCA_5, pool=pool) for pool in (Pool("max"), Pool("power", 8))]
    known = detector.by_region.reductions if detector.by_region else ()
    return tuple(dict.fromkeys(one for one in found if one.pool is None or one.reduction in known))


def rank(
    detector: Detector,
    tunings: Sequence[Tuning],
    draws: Sequence[Draw],
    scores: Array,
    target_fpr: float,
    *,
    areas: Sequence[Auroc] | None = None,
) -> tuple[Ranked, ...]:
    """Rank settings by the a90 of draws with scores (m, T) at cross-conformal thresholds; the smallest comes first.

    Where an a90 is not reached the share caught of all draws decides, behind those where it is. `areas` are the AUROC
    of the settings on labelled images. Raises `SampleTooSmall` where the images cannot support the target.
    """
    sizes = np.array([draw.defect.size for draw in draws])
    contrasts = np.array([draw.defect.contrast for draw in draws])
    strongest = contrasts == contrasts.max()

    def ranked(place: int, tuning: Tuning) -> Ranked:
        left_out, own = detector.left_out_scores(tuning), scores[:, place]
        point = cross_conformal(left_out, target_fpr)
        floor = undamaged_rate(detector, left_out, point)
        pod = fit_pod(sizes[strongest], own[strongest] > point.threshold, floor=floor.value)
        return Ranked(tuning, pod.a90, exceedance(own, point.threshold), areas[place] if areas else None)

    found = [ranked(place, tuning) for place, tuning in enumerate(tunings)]
    return tuple(sorted(found, key=lambda one: (one.a90 or math.inf, -one.caught.value)))


def agreement(ranking: Sequence[Ranked]) -> Agreement | None:
    """How well the order without defects agrees with that by AUROC; None without labels or where nothing differs."""
    areas = [one.area.value for one in ranking if one.area]
    if len(areas) < len(ranking) or len(set(areas)) < 2:
        return None
    found = stats.spearmanr(np.arange(len(areas)), -np.array(areas))
    return Agreement(float(found.statistic), float(found.pvalue), len(areas))
