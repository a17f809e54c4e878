"""Measures of a map beside the explanation score: where its relevance lies, how sparse it is, what regions say."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import stats

from gad_core.attribution.explanation import mask_weights
from gad_core.data.plain import Form, Share
from gad_core.errors import GadError

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: Share of a pixel from which on it belongs to the mask.
_COVERED = 0.5
#: Fewer regions have no ranks to compare.
_FEWEST_REGIONS = 3


class _MeasuresForm(Form):
    mass: Share | None = None
    rank: Share | None = None
    pointing: Share | None = None
    area: Share | None = None
    gini: Share | None = None
    regions: float | None = None


@dataclass(frozen=True, kw_only=True)
class Measures:
    """What one map comes to; a measure that is not defined for it is None.

    Parameters
    ----------
    mass : float, optional
        Relevance mass accuracy, in [0, 1]: of the positive relevance, what lies in the mask. None without a mask that
        has an outside, as the next three, and where no relevance is positive.
    rank : float, optional
        Relevance rank accuracy, in [0, 1]: of the K most relevant pixels, those in the mask, which has K.
    pointing : float, optional
        Pointing game: 1 where the most relevant pixel lies in the mask, else 0.
    area : float, optional
        Share of the image that the mask takes: what the three above are on average once the map's pixels are shuffled.
    gini : float, optional
        Gini index of the absolute values, in [0, 1]: 0 for a uniform map, near 1 where few pixels hold everything.
        Shuffling pixels leaves it as it is, so that it has no level of chance. None for a map of zeros.
    regions : float, optional
        Rank correlation with the heat map of a detector by regions, in [-1, 1]; 0 on average for a shuffled map.

    Examples
    --------
    >>> import gad_core as gad
    >>> import numpy as np
    >>> values, mask = np.zeros((4, 4)), np.zeros((4, 4), bool)
    >>> values[0, :2], mask[0, 1:3] = (3, 1), True
    >>> measures = gad.measure_map(values, mask)
    >>> measures.mass, measures.pointing, measures.area
    (0.25, 0.0, 0.125)
    >>> gad.Measures.from_json(measures.to_json()) == measures
    True
    """

    mass: float | None = None
    rank: float | None = None
    pointing: float | None = None
    area: float | None = None
    gini: float | None = None
    regions: float | None = None

    def to_json(self) -> dict[str, float]:
        """Plain values, as JSON holds them; nothing is said of what is not defined."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Measures":
        """Read them back; raises `GadError` for a number that is none or out of its range."""
        return cls(**_MeasuresForm.of(values, what="measures").model_dump())

    def chance(self, name: str) -> float | None:
        """Give a measure's mean over all shuffles of the map's pixels: known exactly, so that none is drawn."""
        if name == "regions":
            return 0.0
        return self.area if name in ("mass", "rank", "pointing") else None


def measure_map(
    attribution: Array, mask: Mask | NDArray[np.uint8] | None = None, *, grid: Array | None = None
) -> Measures:
    """Measure a signed map against the mask of a defect and the heat map of a detector by regions.

    Parameters
    ----------
    attribution : ndarray, shape (H, W)
        Signed relevance: `Attribution.total`.
    mask : ndarray of bool or uint8, shape (h, w), optional
        Nonzero in the defect; brought to the map's size by area.
    grid : ndarray, shape (rows, columns), optional
        Standardised distances of the regions, NaN where one does not count: a row of `Detector.region_maps`.

    Returns
    -------
    Measures
        Those that are defined for what was given.

    Raises
    ------
    GadError
        For a map that is not two-dimensional or not finite.

    Examples
    --------
    >>> import gad_core as gad
    >>> import numpy as np
    >>> from PIL import Image
    >>> explained = gad.explain(gad.load_detector("parts.gad"), "parts/test/blot/000.png", n_references=2)
    >>> mask = np.asarray(Image.open("parts/ground_truth/blot/000_mask.png").convert("1"))
    >>> measures = gad.measure_map(explained.attribution.total, mask)
    >>> measures.mass > measures.area
    True
    """
    if attribution.ndim != 2 or not np.isfinite(attribution).all():
        raise GadError(
            f"measures need a map of finite values (H, W), got {attribution.shape}; give the total of an attribution"
        )
    regions = None if grid is None else region_agreement(attribution, grid)
    sparseness = gini(attribution)
    inside = None if mask is None else mask_weights(mask, attribution.shape) > _COVERED
    if inside is None or inside.all() or not inside.any():
        return Measures(gini=sparseness, regions=regions)
    return Measures(
        mass=mass_accuracy(attribution, inside),
        rank=rank_accuracy(attribution, inside),
        pointing=pointing_game(attribution, inside),
        area=float(inside.mean()),
        gini=sparseness,
        regions=regions,
    )


def mass_accuracy(attribution: Array, inside: Mask) -> float | None:
    """Of the positive relevance (H, W), what lies in the mask (H, W); None where there is none.

    The definition asks for relevance that is not negative: the map, already a mean over channels, is rectified, which
    is the authors' pooling "sum,pos". Source: Arras, Osman & Samek 2022, CLEVR-XAI, Information Fusion 81, eq. 1.
    """
    positive = np.maximum(attribution, 0)
    total = positive.sum()
    # Rounding may not carry a share of all over all.
    return min(float(positive[inside].sum() / total), 1.0) if total > 0 else None


def rank_accuracy(attribution: Array, inside: Mask) -> float:
    """Of the K most relevant pixels, the share that lies in the mask, which has K pixels (H, W).

    Ranks need no rectifying: among pixels without positive relevance the least negative come first. Pixels that share
    the K-th place count in equal parts. Source: Arras, Osman & Samek 2022, eq. 2.
    """
    count = int(np.count_nonzero(inside))
    limit = np.partition(attribution, -count, axis=None)[-count]
    above, level = attribution > limit, attribution == limit
    places = (count - np.count_nonzero(above)) / np.count_nonzero(level)
    return float((np.count_nonzero(above & inside) + places * np.count_nonzero(level & inside)) / count)


def pointing_game(attribution: Array, inside: Mask) -> float:
    """1 where the most relevant pixel (H, W) lies in the mask, else 0; the share of them where several are as relevant.

    Without the authors' tolerance of 15 pixels around the mask. Source: Zhang et al. 2018, Top-down neural attention by
    excitation backprop, IJCV 126.
    """
    return float(inside[attribution == attribution.max()].mean())


def gini(attribution: Array) -> float | None:
    """Gini index of the absolute values of a map (H, W), in [0, 1); None for a map of zeros.

    Source: Chalasani et al. 2020, Concise explanations of neural networks using adversarial training, ICML.
    """
    sizes = np.sort(np.abs(attribution), axis=None)
    n, total = len(sizes), sizes.sum()
    if not total:
        return None
    return max(float((2 * np.arange(1, n + 1) - n - 1) @ sizes / (n * total)), 0.0)


def region_agreement(attribution: Array, grid: Array) -> float | None:
    """Spearman correlation of the regions' distances (rows, columns) with the sums of the map (H, W) in their cells.

    NaN in the grid is a region that does not count. None below three regions, and where all have the same value.
    """
    rows, columns = grid.shape
    cells = Image.fromarray(attribution.astype(np.float32)).resize((columns, rows), Image.Resampling.BOX)
    counts = ~np.isnan(grid)
    sums, distances = np.asarray(cells, np.float64)[counts], grid[counts]  # means, which are the sums of equal cells
    if len(sums) < _FEWEST_REGIONS or not np.ptp(sums) or not np.ptp(distances):
        return None
    return float(stats.spearmanr(sums, distances).statistic)


@dataclass(frozen=True)
class MeasureSummary:
    """One measure over the images for which it is defined."""

    n: int
    mean: float
    sem: float  # standard error of the mean; nan for one image
    chance: float | None  # mean over the same images of what their maps give once shuffled; None for Gini's index


def summarise_measures(measured: Sequence[Measures]) -> dict[str, MeasureSummary]:
    """Mean, standard error and chance of each measure over the images; without those that no image has."""
    found = {}
    for name in (field.name for field in fields(Measures) if field.name != "area"):
        known = [(value, one.chance(name)) for one in measured if (value := getattr(one, name)) is not None]
        if not known:
            continue
        values, chances = np.array([value for value, _ in known]), [chance for _, chance in known if chance is not None]
        n = len(values)
        found[name] = MeasureSummary(
            n,
            float(values.mean()),
            float(values.std(ddof=1) / np.sqrt(n)) if n > 1 else float("nan"),
            float(np.mean(chances)) if chances else None,
        )
    return found
