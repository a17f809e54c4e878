"""A network on any torch device, in float32."""

import copy
import threading
from collections.abc import Generator, Iterable
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from gad_core.features.frozen import Network, Pixels, Vector
from gad_core.features.levels import pooled_levels
from gad_core.features.regions import Regions

_BATCH_PIXELS = 32 * 224**2  # 32 images at 224 pixels, fewer at higher resolution: the memory stays the same


class TorchEngine:
    """Keeps its own copy of the network, which goes to the device at the first image, not before."""

    def __init__(self, network: Network, device: str) -> None:
        self.network = network
        self.device = device
        self.batch_size = max(1, _BATCH_PIXELS // network.backbone.input_size**2)
        self._copy: nn.Module | None = None
        self._copying = threading.Lock()

    def stream(
        self, pixels: Iterable[Pixels], *, regions: Regions | None = None, up_to: int | None = None
    ) -> Generator[Vector, None, None]:
        """Features (sum C,) of each image (S, S, 3), in order; behind them those by region."""
        images = iter(pixels)
        while batch := list(islice(images, self.batch_size)):
            yield from self._run(np.stack(batch), regions, up_to)

    def _run(self, pixels: NDArray[np.uint8], regions: Regions | None, up_to: int | None) -> NDArray[np.float32]:
        with self._copying:
            if self._copy is None:
                if self.device == "cuda":  # TF32, torch's default for convolutions, is too coarse for these distances
                    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
                self._copy = copy.deepcopy(self.network.module).to(self.device)
        with torch.inference_mode():
            images = torch.from_numpy(pixels).to(self.device).permute(0, 3, 1, 2)  # (N, 3, S, S)
            features = pooled_levels(self._copy, self.network.backbone, images, regions, up_to=up_to)  # (N, sum C, ..)
        return features.cpu().numpy()
