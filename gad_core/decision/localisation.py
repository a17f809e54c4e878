"""How well maps of regions find the pixels of defects: pixel AUROC, and per-region overlap (AUPRO) as in MVTec AD."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from gad_core.errors import GadError

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: False-positive rate of pixels up to which the overlap is averaged.
FPR_LIMIT = 0.3


@dataclass(frozen=True)
class Localisation:
    """Maps held against masks.

    Parameters
    ----------
    pixel_auroc : float
        Area under the ROC over all pixels, in [0, 1].
    aupro : float
        Mean overlap with the connected parts of the masks, averaged over false-positive rates up to 30 %, in [0, 1].
    n_masks : int
        Images with a mask.

    Examples
    --------
    >>> import gad_core as gad
    >>> data = gad.read_dataset("parts")
    >>> fit = gad.fit(data.train, gad.FitSettings(regions=gad.Regions(7, 7, (6, 7))))
    >>> gad.evaluate(fit.detector, data.test).localisation.n_masks
    6
    """

    pixel_auroc: float
    aupro: float
    n_masks: int


def localise(maps: Array, masks: Sequence[Mask], *, inspected: Mask | None = None) -> Localisation:
    """Hold maps (n, rows, columns), NaN where nothing is inspected, against masks (H, W) of one size; good: all False.

    Pixels outside of `inspected` (H, W) do not count. Maps are enlarged bilinearly. Raises `GadError` without a mask,
    and without a pixel outside of all masks. Sources: Bergmann et al. 2020, Uninformed students; Bergmann et al. 2021,
    The MVTec anomaly detection dataset.
    """
    labels = np.stack(masks)
    counts = np.broadcast_to(True if inspected is None else inspected, labels.shape)
    labels = labels & counts
    if not labels.any() or not (counts & ~labels).any():
        raise GadError("finding defects is judged by pixels in masks and outside of them; add masks to ground_truth/")
    least = float(np.nanmin(maps))
    values = np.stack([enlarged(np.where(np.isnan(one), least, one), labels.shape[1:]) for one in maps])[counts]
    order = np.argsort(-values, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(values[order])), len(order) - 1)  # equal values fall together
    flat, overlap = labels[counts][order], _overlap_weights(labels)[counts][order]
    false, true, pro = (
        np.concatenate([[0.0], np.cumsum(weights)[ends]])
        for weights in (~flat / np.count_nonzero(~flat), flat / np.count_nonzero(flat), overlap)
    )
    n_masks = int(labels.any(axis=(1, 2)).sum())
    return Localisation(float(np.trapezoid(true, false)), _area_up_to(FPR_LIMIT, false, pro), n_masks)


@dataclass(frozen=True)
class RegionAreas:
    """AUROC of each region by itself: defects that touch it against good images, as grids (rows, columns)."""

    areas: Array  # in [0, 1]; NaN where no defect touches
    counts: NDArray[np.intp]  # defective images that touch


def region_areas(maps: Array, touching: Mask, normal: Mask) -> RegionAreas:
    """AUROC of every region of maps (n, rows, columns), in which NaN is not inspected and has none.

    The images that are `touching` it (n, rows, columns) are held against the `normal` ones (n,).
    """
    shape = maps.shape[1:]
    areas, counts = np.full(shape, np.nan), touching.sum(axis=0)
    for place in np.ndindex(*shape):
        values, defects = maps[(slice(None), *place)], touching[(slice(None), *place)]
        if defects.any() and normal.any() and np.isfinite(values).all():
            above = values[defects][:, None] - values[normal]
            areas[place] = np.mean((above > 0) + 0.5 * (above == 0))
    return RegionAreas(areas, counts)


def enlarged(values: Array, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """A map (rows, columns) as pixels (H, W), bilinearly."""
    image = Image.fromarray(values.astype(np.float32))
    return np.asarray(image.resize((shape[1], shape[0]), Image.Resampling.BILINEAR))


def _overlap_weights(labels: Mask) -> NDArray[np.float64]:
    """Weights (n, H, W) that make a sum over flagged pixels the mean overlap with all connected parts of the masks."""
    weights, count = np.zeros(labels.shape), 0
    for mask, weight in zip(labels, weights, strict=True):
        parts, n_parts = ndimage.label(mask, structure=np.ones((3, 3)))
        sizes = np.bincount(parts.ravel(), minlength=n_parts + 1).astype(float)
        sizes[0] = np.inf
        weight[...] = (1 / sizes)[parts]
        count += n_parts
    return weights / count


def _area_up_to(limit: float, x: Array, y: Array) -> float:
    """Area under (x, y) from 0 to `limit`, in parts of `limit`."""
    inside = x < limit
    ends = np.append(x[inside], limit), np.append(y[inside], np.interp(limit, x, y))
    return float(np.trapezoid(ends[1], ends[0]) / limit)
