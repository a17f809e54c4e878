"""Masks of defects, and what maps of regions find of them; nothing here asks for a network."""

import numpy as np
from numpy.typing import NDArray

from gad_core.attribution.explanation import mask_weights
from gad_core.data.datasets import ImageFile, ImageSet
from gad_core.data.images import decode_mask
from gad_core.decision.localisation import Localisation, RegionAreas, localise, region_areas
from gad_core.features.registry import get_backbone
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.tuning import Tuning

_TOUCHED = 0.05  # share of a region from which on a mask touches it
_COVERED = 0.5  # share of a pixel from which on it belongs to the mask


def localised(
    detector: Detector, features: NDArray[np.float32], images: ImageSet, tuning: Tuning
) -> Localisation | None:
    """How well the maps of regions find the masked defects of images with these features; None without either.

    Defects without a mask do not count.
    """
    known = np.array([file.mask is not None or not file.anomalous for file in images], bool)
    if tuning.pool is None or not any(file.anomalous and file.mask for file in images):
        return None
    size = get_backbone(detector.backbone).input_size
    masks = [mask_weights(mask_of(file), (size, size)) > _COVERED for file in images.where(known)]
    roi = detector.known_regions(tuning).regions.roi
    inspected = roi.over(size) if roi else np.ones((size, size), bool)
    if not any((mask & inspected).any() for mask in masks):
        return None
    return localise(detector.region_maps(features[known], tuning), masks, inspected=inspected)


def located_by_region(
    detector: Detector, features: NDArray[np.float32], images: ImageSet, tuning: Tuning
) -> RegionAreas | None:
    """AUROC of every region by itself, from the defects whose mask covers a part of it; None without either."""
    if tuning.pool is None or not any(file.anomalous and file.mask for file in images):
        return None
    maps = detector.region_maps(features, tuning)
    touching = np.stack([mask_weights(mask_of(file), maps.shape[1:]) >= _TOUCHED for file in images])
    return region_areas(maps, touching & images.labels[:, None, None], ~images.labels)


def mask_of(file: ImageFile) -> NDArray[np.bool_]:
    """The mask of an image (h, w); empty where it has none."""
    return decode_mask(file.mask) if file.mask else np.zeros((1, 1), bool)
