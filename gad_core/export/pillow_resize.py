"""Pillow's anti-aliased bilinear resize as torch operations, for graphs that take images of any size."""

from collections.abc import Callable

import torch
from torch import Tensor

Passes = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]

_UNIT = 2.0**22  # Pillow holds a weight as a whole number of these parts (its PRECISION_BITS for 8-bit images)


def two_passes(channels: Tensor, across: Tensor, down: Tensor, down_first: Tensor) -> Tensor:
    """Images (N, 3, H, W) by weights (S, W) and (S, H) to (N, 3, S, S), each pass rounded, halves upward.

    Written so that `torch.jit.script` takes it: a trace alone would fix the order of the example.
    """
    if bool(down_first):
        return torch.floor(torch.floor(down @ channels + 0.5) @ across.t() + 0.5)
    return torch.floor(down @ torch.floor(channels @ across.t() + 0.5) + 0.5)


def resize(images: Tensor, size: int, *, passes: Passes = two_passes) -> Tensor:
    """Square images (N, 3, size, size), whole numbers as float32, from uint8 ones (N, H, W, 3); the aspect is not kept.

    Each pass is rounded to whole numbers, as Pillow's are; in float64 products and sums are exact. Which pass comes
    first was found by comparison with Pillow 13 (`tests/export/test_pillow_resize.py`). ONNX's own anti-aliased Resize,
    as onnxruntime 1.32 runs it, is off by up to 20 grey levels along the border. Source of the weights: Pillow,
    `src/libImaging/Resample.c`.
    """
    channels = images.permute(0, 3, 1, 2).double()  # (N, 3, H, W)
    height, width = _length(channels[0, 0, :, 0]), _length(channels[0, 0, 0])
    across, down = _weights(channels[0, 0, 0], size), _weights(channels[0, 0, :, 0], size)
    down_first = height - size > 2 * (width - size).clamp(min=0.0)
    return passes(channels, across, down, down_first).float()


def _weights(line: Tensor, size: int) -> Tensor:
    """Weights (size, L) of the values of a line (L,): triangles as wide as a new pixel, and one old one at least.

    The length is read off the line by sums, so that a tracer keeps it open.
    """
    places = torch.ones_like(line).cumsum(0) - 0.5  # (L,)
    scale = _length(line) / size
    centres = (torch.arange(size, dtype=torch.float64) + 0.5) * scale  # (size,)
    triangles = (1 - (places - centres[:, None]).abs() / scale.clamp(min=1.0)).clamp(min=0.0)
    return torch.floor(triangles / triangles.sum(1, keepdim=True) * _UNIT + 0.5) / _UNIT


def _length(line: Tensor) -> Tensor:
    """How many values a line (L,) has: (1,) in float64, which the exporter would forget of a number."""
    return torch.ones_like(line).sum(0, keepdim=True)
