"""A detector's distances as torch functions of pooled features or of images, with gradients.

They are the numbers of `Spectrum.distances`, in float64, for whatever needs a graph of the computation.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from gad_core.features.backbones import Backbone
from gad_core.features.levels import level_maps, region_columns, spatial_mean
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.levels import LevelsFit
from gad_core.gaussian.pooling import Pool
from gad_core.gaussian.spectrum import Gaussian
from gad_core.gaussian.torch_pooling import pooled_share
from gad_core.gaussian.tuning import Tuning

Distances = Callable[[Tensor], Tensor]  # (N, ..) -> distances (N, L), a column a tuned level
Columns = Callable[[Tensor], Sequence[Tensor]]  # the same as L tensors (N,), each with a graph of its own


def level_distance(gaussian: Gaussian, tuning: Tuning) -> Distances:
    """Distance from one Gaussian: pooled features (N, D) to (N,): a linear map, squares, their sum and its root."""
    mean, whiten = (
        torch.from_numpy(gaussian.mean),
        torch.from_numpy(gaussian.whitening(tuning.reduction, tuning.distance)),
    )
    return lambda pooled: (((pooled.double() - mean) @ whiten).square()).sum(1).sqrt()


def feature_distances(fit: LevelsFit, tuning: Tuning) -> Distances:
    """Distances of feature vectors (N, sum of channels) at the tuned levels: (N, L)."""
    pairs = [(fit.slices[level - 1], level_distance(fit.gaussians[level - 1], tuning)) for level in tuning.levels]
    return lambda features: torch.stack([distance(features[:, part]) for part, distance in pairs], dim=1)


def image_columns(
    detector: Detector, tuning: Tuning, module: nn.Module, backbone: Backbone, *, dtype: torch.dtype
) -> Columns:
    """Distances of pixels (N, 3, S, S) in [0, 255] at the tuned levels, one by one; the network runs in `dtype`.

    Where regions are pooled, each level's share of the score. No level above the highest tuned one is computed.
    """
    if tuning.pool:
        return _region_columns(detector, tuning, tuning.pool, module, backbone, dtype=dtype)
    fit = detector
    distances = [level_distance(fit.gaussians[level - 1], tuning) for level in tuning.levels]
    highest = max(tuning.levels)

    def columns(pixels: Tensor) -> list[Tensor]:
        maps = level_maps(module, backbone, pixels.to(dtype), up_to=highest)
        pairs = zip(tuning.levels, distances, strict=True)
        return [distance(spatial_mean(maps[level - 1])) for level, distance in pairs]

    return columns


def _region_columns(
    detector: Detector, tuning: Tuning, pool: Pool, module: nn.Module, backbone: Backbone, *, dtype: torch.dtype
) -> Columns:
    fit = detector.known_regions(tuning)
    standard, highest = fit.standard(tuning), max(tuning.levels)
    gaussians = [fit.gaussians[fit.regions.levels.index(level)] for level in tuning.levels]
    distances = [[level_distance(gaussian, tuning) for gaussian in of_level] for of_level in gaussians]

    def columns(pixels: Tensor) -> list[Tensor]:
        maps = level_maps(module, backbone, pixels.to(dtype), up_to=highest)
        by_level = [
            _of_regions(region_columns(maps[level - 1], fit.regions), fit.inside, of_level)
            for level, of_level in zip(tuning.levels, distances, strict=True)
        ]
        return [pooled_share(place, pool, standard, *by_level) for place in range(len(by_level))]

    return columns


def _of_regions(means: Tensor, inside: Sequence[int], distances: Sequence[Distances]) -> Tensor:
    """Distances (N, A) of regions whose means are the columns of (N, C, regions)."""
    pairs = zip(inside, distances, strict=True)
    return torch.stack([distance(means[:, :, region]) for region, distance in pairs], dim=1)


def image_distances(
    detector: Detector, tuning: Tuning, module: nn.Module, backbone: Backbone, *, dtype: torch.dtype
) -> Distances:
    """The same as one tensor (N, L)."""
    columns = image_columns(detector, tuning, module, backbone, dtype=dtype)
    return lambda pixels: torch.stack(list(columns(pixels)), dim=1)
