"""The distance of one level as a torch function, once for each band of its spectrum."""

import torch
from torch import Tensor, nn

from gad_core.features.backbones import Backbone
from gad_core.features.levels import level_maps, spatial_mean
from gad_core.gaussian.bands import LevelBands
from gad_core.gaussian.torch_score import Columns


def band_columns(bands: LevelBands, module: nn.Module, backbone: Backbone, *, dtype: torch.dtype) -> Columns:
    """The level's distance (N,) of pixels (N, 3, S, S) in [0, 255], a column a band; the network runs in `dtype`.

    Each column has the value of the whole distance, but is tied to its own band's squares alone. The slope of the root
    is then that of the whole, by any rule, and what leads back from the columns adds up to what leads back from the
    distance.
    """
    level, parts = bands.bands[0].level, bands.parts
    mean = torch.from_numpy(bands.gaussian.mean)
    whiten = torch.from_numpy(bands.gaussian.whitening(bands.reduction, bands.distance))

    def columns(pixels: Tensor) -> list[Tensor]:
        pooled = spatial_mean(level_maps(module, backbone, pixels.to(dtype), up_to=level)[level - 1])
        squares = ((pooled.double() - mean) @ whiten).square()
        whole = squares.sum(1).detach()
        owns = [squares[:, part].sum(1) for part in parts]
        return [(own + (whole - own.detach())).sqrt() for own in owns]

    return columns
