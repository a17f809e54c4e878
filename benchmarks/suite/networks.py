"""Networks to measure: the bundled one, and others with random weights, of which the speed does not depend."""

import copy
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from gad_core.features.backbones import BACKBONES, Backbone
from gad_core.features.folding import fold_batch_norms
from gad_core.features.levels import pooled_levels
from gad_core.features.networks import Network, load_module
from gad_core.features.registry import get_backbone
from gad_core.features.timm_models import build
from gad_core.features.weights import weights_file

BUNDLED = BACKBONES[0].name
SIDE = 224  # pixels, for every network
BATCH = 32


@dataclass(frozen=True, eq=False)
class Measured:
    """A network as it was trained, and as our engines run it."""

    plain: nn.Module
    network: Network

    @property
    def backbone(self) -> Backbone:
        """What it is."""
        return self.network.backbone

    def eager(self, pixels: NDArray[np.uint8], *, folded: bool = False) -> None:
        """Features of images (n, S, S, 3) by torch in batches; of the folded network, or of the plain one."""
        module = self.network.module if folded else self.plain
        with torch.inference_mode():
            for part in torch.from_numpy(pixels).permute(0, 3, 1, 2).split(BATCH):
                pooled_levels(module, self.backbone, part)

    def operations(self) -> int:
        """Floating-point operations of an image, two for a product that is added; convolutions and matrices count."""
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            pooled_levels(self.plain, self.backbone, torch.zeros(1, 3, SIDE, SIDE))
        return counter.get_total_flops()


def measured(name: str) -> Measured:
    """The network of that name, with random weights where it is not the bundled one."""
    backbone = replace(get_backbone(name), input_size=SIDE)
    plain = load_module(backbone, weights_file(backbone)) if name == BUNDLED else _random(backbone)
    folded = copy.deepcopy(plain)
    fold_batch_norms(folded)
    return Measured(plain, Network(backbone, lambda: folded, f"{name}, as measured"))


def _random(backbone: Backbone) -> nn.Module:
    """Random weights whose batch norms fit them: unfitted, values die away to denormal numbers, which are slow."""
    torch.manual_seed(0)
    module = build(backbone.timm_name).train()
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.momentum = None  # the mean over what comes, not a trace of it
    with torch.no_grad():
        module(torch.randn(8, 3, SIDE, SIDE))
    return module.eval().requires_grad_(False)


def noise(n: int, side: int = SIDE) -> NDArray[np.uint8]:
    """Images (n, side, side, 3) to run a network on; its speed does not depend on what they show."""
    return np.random.default_rng(0).integers(0, 256, (n, side, side, 3), np.uint8)
