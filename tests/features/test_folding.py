import copy

import pytest
import torch
from torch import nn

from gad_core.features.folding import fold_batch_norms
from gad_core.features.levels import level_maps
from gad_core.features.registry import get_backbone
from tests.features.random_networks import random_network


@pytest.mark.parametrize("name", ["tf_efficientnet_lite0", "tf_efficientnet_b0", "resnet18", "resnet50"])
def test_a_folded_network_gives_the_same_levels(name: str):
    plain = random_network(name)
    folded = copy.deepcopy(plain)
    fold_batch_norms(folded)
    assert not [norm for norm in folded.modules() if isinstance(norm, nn.BatchNorm2d)]
    # In double precision nothing is left but the rounding of the folded weights to float32.
    pixels = torch.rand(1, 3, 96, 96, dtype=torch.float64) * 255
    backbone = get_backbone(name)
    maps = zip(*(level_maps(module.double(), backbone, pixels) for module in (plain, folded)), strict=True)
    for expected, level in maps:
        assert (level - expected).abs().max() <= 1e-6 * expected.abs().max()


def test_a_batch_norm_that_follows_no_convolution_stays():
    network = nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 3, 1), nn.ReLU(), nn.BatchNorm2d(3)).eval()
    fold_batch_norms(network)
    assert [type(layer) for layer in network] == [nn.BatchNorm2d, nn.Conv2d, nn.ReLU, nn.BatchNorm2d]
