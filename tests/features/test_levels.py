"""Oracle: forward hooks on timm's own, unfolded networks."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gad_core.features.levels import level_maps, normalise, pooled_levels
from gad_core.features.registry import get_backbone
from tests.features.random_networks import random_network

EFFICIENTNET = ["bn1", *(f"blocks.{stage}" for stage in range(7)), "bn2"]  # timm's batch norms activate, too
RESNET = ["maxpool", *(f"layer{layer}" for layer in range(1, 5))]


def hooked(module: nn.Module, names: list[str], x: Tensor) -> list[Tensor]:
    """What the named sub-modules put out while the whole network classifies x."""
    outputs: dict[str, Tensor] = {}
    handles = [
        module.get_submodule(name).register_forward_hook(
            lambda _, __, out, name=name: outputs.update({name: out.clone()})
        )
        for name in names
    ]
    module(x)
    for handle in handles:
        handle.remove()
    return [outputs[name] for name in names]


@pytest.mark.parametrize(
    ("name", "names"),
    [("tf_efficientnet_lite0", EFFICIENTNET), ("tf_efficientnet_b0", EFFICIENTNET), ("resnet18", RESNET)],
)
def test_levels_are_what_hooks_record(name: str, names: list[str]):
    module, backbone = random_network(name), get_backbone(name)
    pixels = torch.randint(0, 256, (2, 3, 96, 96), dtype=torch.uint8)
    maps = level_maps(module, backbone, pixels)
    expected = hooked(module, names, normalise(pixels, backbone))
    assert tuple(level.shape[1] for level in maps) == backbone.channels
    for level, truth in zip(maps, expected, strict=True):
        torch.testing.assert_close(level, truth, rtol=0, atol=0)


@pytest.mark.parametrize("name", ["tf_efficientnet_lite0", "resnet18", "convnext_atto"])
def test_the_first_levels_alone_are_the_same_and_leave_the_rest_out(name: str):
    module, backbone = random_network(name), get_backbone(name)
    pixels = torch.randint(0, 256, (1, 3, 64, 64), dtype=torch.uint8)
    ran: list[str] = []
    last = {"tf_efficientnet_lite0": "blocks.4", "resnet18": "layer4", "convnext_atto": "stages.3"}[name]
    module.get_submodule(last).register_forward_hook(lambda *_: ran.append(last))
    everything = level_maps(module, backbone, pixels)
    ran.clear()
    for up_to in (1, 3):
        for level, truth in zip(level_maps(module, backbone, pixels, up_to=up_to), everything[:up_to], strict=True):
            torch.testing.assert_close(level, truth, rtol=0, atol=0)
    assert not ran


def test_input_is_normalised_as_torchvision_does_it():
    from torchvision.transforms.functional import normalize, to_tensor

    backbone = get_backbone("resnet18")
    image = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    expected = normalize(to_tensor(image), backbone.mean, backbone.std)
    torch.testing.assert_close(normalise(torch.from_numpy(image).permute(2, 0, 1), backbone), expected)


def test_double_precision_pixels_stay_double():
    assert normalise(torch.zeros(1, 3, 4, 4, dtype=torch.float64), get_backbone("resnet18")).dtype == torch.float64


@pytest.mark.parametrize("size", [224, 260, 150, 74])  # 112, 130, 75 and 37 values a side in the stem
def test_features_are_the_spatial_means_at_every_size(size: int):
    module, backbone = random_network("tf_efficientnet_lite0"), get_backbone("tf_efficientnet_lite0")
    pixels = torch.randint(0, 256, (2, 3, size, size), dtype=torch.uint8)
    features = pooled_levels(module, backbone, pixels).numpy()
    for where, level in zip(backbone.level_slices, level_maps(module, backbone, pixels), strict=True):
        np.testing.assert_allclose(features[:, where], level.double().mean((2, 3)).numpy(), rtol=1e-5, atol=1e-6)
