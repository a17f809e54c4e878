"""The levels of a network: what is read off where, for every path that runs one."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gad_core.features.backbones import Backbone
from gad_core.features.regions import Regions, region_weights

_SMALL = 14  # as many values a side are added in one go
_TILES = (2, 3, 5, 7)


def normalise(pixels: Tensor, backbone: Backbone) -> Tensor:
    """Network input from pixels (N, 3, S, S) in [0, 255]; whole numbers become float32, floats keep their type."""
    x = pixels if pixels.is_floating_point() else pixels.float()
    mean = x.new_tensor(backbone.mean).view(3, 1, 1)
    std = x.new_tensor(backbone.std).view(3, 1, 1)
    return (x / 255 - mean) / std


def level_maps(network: nn.Module, backbone: Backbone, pixels: Tensor, *, up_to: int | None = None) -> list[Tensor]:
    """Feature maps (N, C_l, H_l, W_l) of levels 1 to `up_to` (default: all) for pixels (N, 3, S, S) in [0, 255].

    EfficientNets (Sec. III-B): the stem, seven stages and the head before pooling. ResNets: the stem after its
    max-pool and four layers. Other networks: their own stages. Nothing beyond `up_to` is computed.
    """
    module: Any = network  # timm's methods, which torch's types do not know
    count = up_to or backbone.n_levels
    x = normalise(pixels, backbone)
    if backbone.family == "efficientnet" and count == backbone.n_levels:
        head, stages = module.forward_intermediates(x, extra_blocks=True)
        return [*stages, head]
    options = {"extra_blocks": True} if backbone.family == "efficientnet" else {}
    options |= {"stop_early": True, "intermediates_only": True}
    maps = module.forward_intermediates(x, indices=list(range(count)), **options)
    if backbone.family == "resnet":
        maps[0] = module.maxpool(maps[0])  # timm hands out what comes before it
    return list(maps)


def pooled_levels(
    module: nn.Module,
    backbone: Backbone,
    pixels: Tensor,
    regions: Regions | None = None,
    *,
    up_to: int | None = None,
) -> Tensor:
    """Features (N, sum C_l): every level averaged over space, for pixels (N, 3, S, S) in [0, 255].

    With `regions` their levels averaged by region stand behind: (N, sum C_l + regions.n_features). Levels beyond
    `up_to` are not computed, and not a number: whoever reads them sees it.
    """
    maps = level_maps(module, backbone, pixels, up_to=up_to)
    means = [spatial_mean(level) for level in maps]
    if lacking := sum(backbone.channels[len(maps) :]):
        means.append(means[0].new_full((len(pixels), lacking), torch.nan))
    by_region = [region_means(maps[level - 1], regions).flatten(1) for level in regions.levels] if regions else []
    return torch.cat([*means, *by_region], dim=1)


def region_means(level: Tensor, regions: Regions) -> Tensor:
    """Mean over each region (N, regions, C)."""
    return region_columns(level, regions).transpose(1, 2)


def region_columns(level: Tensor, regions: Regions) -> Tensor:
    """Mean over each region (N, C, regions)."""
    height, width = map(int, level.shape[2:])  # a tracer would take them for tensors
    weights = torch.from_numpy(region_weights(regions, height, width)).to(level)
    return level.flatten(2) @ weights.T


def spatial_mean(level: Tensor) -> Tensor:
    """Mean over space (N, C), tile by tile.

    Added one by one in float32, the stem's 12,544 values lose digits, and each engine loses others: scores of
    the weakest components then differ by 1e-3.
    """
    while tile := _tile(level):
        level = F.avg_pool2d(level, tile)
    return level.mean(dim=(2, 3))


def _tile(level: Tensor) -> int | None:
    sides = level.shape[2:]
    if max(sides) <= _SMALL:
        return None
    return next((tile for tile in _TILES if not any(side % tile for side in sides)), None)
