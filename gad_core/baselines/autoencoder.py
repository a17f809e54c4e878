"""A convolutional auto-encoder trained on normal images: what it cannot rebuild is anomalous (Sec. IV-B)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor, nn

from gad_core.baselines.scorer import Array, Scored
from gad_core.baselines.training import Samples, Training, in_batches, seeded_, train, weight_bytes
from gad_core.data.datasets import ImageSet
from gad_core.features._torchvision import timm
from gad_core.features.backbones import Backbone
from gad_core.features.cache import FeatureCache
from gad_core.features.extract import read_pixels
from gad_core.progress import Progress

Mask = NDArray[np.bool_]

#: Of the bottleneck.
LATENT = 32
#: Evenly spaced levels at which connected components are looked for.
CCA_LEVELS = 1000
_FACTOR = 32  # by which the encoder shrinks an image's sides
_WIDEST = 512  # channels of the encoder's last maps
#: Channels in and out of the decoder's blocks, and whether a block doubles the sides: the encoder's, from its end.
_STAGES = (
    *((512, 512, False), (512, 256, True), (256, 256, False), (256, 128, True)),
    *((128, 128, False), (128, 64, True), (64, 64, False), (64, 64, False)),
)
_EIGHT = np.ones((3, 3))  # neighbours of a pixel


class AutoEncoder(nn.Module):
    """A ResNet-18 down to 32 numbers, and its mirror image with pixel shuffles (Shi et al. 2016) back up."""

    def __init__(self, size: int, *, seed: int = 0) -> None:
        """For images of `size` x `size` pixels, a multiple of 32."""
        super().__init__()
        self.side = size // _FACTOR
        length = _WIDEST * self.side**2
        self.encoder = timm.create_model("resnet18", pretrained=False, num_classes=0, global_pool="")
        self.narrow, self.widen = nn.Linear(length, LATENT), nn.Linear(LATENT, length)
        stages = [_Block(inner, outer, up=up) for inner, outer, up in _STAGES]
        unpool = nn.Sequential(_doubling(64, 64, 3), nn.BatchNorm2d(64), nn.ReLU())
        self.decoder = nn.Sequential(*stages, unpool, _doubling(64, 3, 7))
        seeded_(self, seed)

    def forward(self, pixels: Tensor) -> Tensor:
        """Rebuild pixels (N, 3, S, S) in [0, 255], in [0, 1]."""
        latent = self.narrow(self.encoder(pixels / 255).flatten(1))
        rebuilt: Tensor = self.decoder(self.widen(latent).view(-1, _WIDEST, self.side, self.side))
        return rebuilt

    def errors(self, pixels: Tensor) -> Tensor:
        """Mean over the channels of the squared error (N, S, S)."""
        return (pixels / 255 - self.forward(pixels)).square().mean(dim=1)


def _doubling(inner: int, outer: int, kernel: int, *, bias: bool = True) -> nn.Sequential:
    """A convolution that doubles the sides."""
    convolution = nn.Conv2d(inner, 4 * outer, kernel, padding=kernel // 2, bias=bias)
    return nn.Sequential(convolution, nn.PixelShuffle(2))


class _Block(nn.Module):
    """A residual block of two convolutions, the other way round: the second may double the sides."""

    def __init__(self, inner: int, outer: int, *, up: bool) -> None:
        super().__init__()
        self.first = nn.Conv2d(inner, inner, 3, padding=1, bias=False)
        self.first_norm = nn.BatchNorm2d(inner)
        self.second = (
            _doubling(inner, outer, 3, bias=False) if up else nn.Conv2d(inner, outer, 3, padding=1, bias=False)
        )
        self.second_norm = nn.BatchNorm2d(outer)
        self.skip = (
            nn.Sequential(_doubling(inner, outer, 1, bias=False), nn.BatchNorm2d(outer)) if up else nn.Identity()
        )

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.first_norm(self.first(x)))
        return F.relu(self.second_norm(self.second(y)) + self.skip(x))


@dataclass(frozen=True)
class AutoEncoderScorer:
    """A trained auto-encoder with one of its scores."""

    module: AutoEncoder
    backbone: Backbone  # whose input size it shares
    smallest: float | None = None  # share of the area: the score is that of connected components; None: map-mean
    cache: FeatureCache | None = None

    @property
    def n_bytes(self) -> int:
        """Its weights."""
        return weight_bytes(self.module)

    def score_pixels(self, pixels: NDArray[np.uint8]) -> Array:
        """Anomaly scores (n,) of pixels (n, S, S, 3)."""
        maps = error_maps(self.module, pixels)
        return map_means(maps) if self.smallest is None else cca_scores(maps, self.smallest)

    def score(self, images: ImageSet, *, progress: Progress | None = None) -> Scored:
        """Read and score images."""
        found, pixels = read_pixels(images, self.backbone, cache=self.cache, progress=progress)
        return Scored(found, self.score_pixels(pixels))


def fit_autoencoder(
    samples: Samples, training: Training, *, checkpoint: Path | None = None, progress: Progress | None = None
) -> AutoEncoder:
    """Train on normal images by the mean squared error, as Sec. IV-B does."""

    def loss(module: nn.Module, pixels: Tensor, _: Tensor) -> Tensor:
        return F.mse_loss(module(pixels), pixels / 255)

    module = AutoEncoder(samples.pixels.shape[1], seed=training.seed)
    train(module, loss, samples, training, checkpoint=checkpoint, progress=progress)
    return module


def error_maps(module: AutoEncoder, pixels: NDArray[np.uint8]) -> Array:
    """Squared errors (n, S, S) of pixels (n, S, S, 3)."""
    return in_batches(module.errors, pixels)


def map_means(maps: Array) -> Array:
    """The mean of each map of errors (n, S, S): (n,)."""
    return np.asarray(maps.mean(axis=(1, 2)))


def cca_scores(maps: Array, smallest: float) -> Array:
    """The highest of 1000 evenly spaced levels at which a connected part has the area of the smallest defect (n,).

    `smallest` is that area's share of the image. Levels run from the least to the largest error of all maps (n, S, S);
    neighbours are eight. 0 is the level of an image that has no such part at any.
    """
    levels = np.linspace(maps.min(), maps.max(), CCA_LEVELS)
    need = max(1, int(np.ceil(smallest * maps[0].size)))
    return np.array([_highest_level(one, levels, need) for one in maps])


def _highest_level(values: Array, levels: Array, need: int) -> float:
    """By halving: parts only grow as the level falls."""
    low, high = 0, len(levels)  # a part of that size at `low` - at the least of all values all is one - none at `high`
    while high - low > 1:
        middle = (low + high) // 2
        parts, _ = ndimage.label(values >= levels[middle], structure=_EIGHT)
        sizes = np.bincount(parts.ravel())[1:]
        low, high = (middle, high) if len(sizes) and sizes.max() >= need else (low, middle)
    return float(levels[low])


def smallest_defect(masks: Sequence[Mask]) -> float:
    """The area of the smallest defect of masks (H, W), as a share of the image; 0 without any."""
    return float(min((mask.mean() for mask in masks if mask.any()), default=0.0))
