"""A bundled network, drawn images, and detectors fitted to them."""

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
import torch

from gad_core.features.frozen import Network
from gad_core.features.levels import pooled_levels
from gad_core.features.networks import load_network
from gad_core.features.registry import get_backbone
from gad_core.features.timm_models import build
from gad_core.gaussian.detector import Detector, TrainingImages
from tests.features.drawing import draw
from tests.fitted import fit_features

N_TRAIN = 16


@pytest.fixture(scope="session")
def lite0() -> Network:
    return load_network("tf_efficientnet_lite0")


@pytest.fixture(scope="session")
def with_random_weights() -> Callable[..., Network]:
    """A network at 96 pixels with random weights, whose batch norms have the statistics of drawn images."""

    def make(name: str) -> Network:
        backbone = dataclasses.replace(get_backbone(name), input_size=96)
        torch.manual_seed(1)
        module = build(backbone.timm_name).train()
        for norm in module.modules():
            if isinstance(norm, torch.nn.BatchNorm2d):
                norm.momentum = None  # statistics are plain means over what comes
        pixels = torch.from_numpy(draw(24, 96, 5)).permute(0, 3, 1, 2)
        with torch.no_grad():
            pooled_levels(module, backbone, pixels)
        return Network(backbone, lambda: module.eval().requires_grad_(False), name)

    return make


@pytest.fixture(scope="session")
def fit() -> Callable[[Network], Detector]:
    """Fits a detector to drawn images at the network's size, which are its references as well."""

    def fit_network(network: Network, n: int = N_TRAIN) -> Detector:
        images = draw(n, network.backbone.input_size, 3)
        with torch.inference_mode():
            pixels = torch.from_numpy(images).permute(0, 3, 1, 2)
            features = pooled_levels(network.module, network.backbone, pixels).numpy()
        training = TrainingImages(features, tuple(map(str, range(n))))
        folds = np.arange(n) % 4
        return fit_features(
            training, network.backbone, fingerprint=network.fingerprint, folds=folds, references=np.asarray(images)
        )

    return fit_network


@pytest.fixture(scope="session")
def detector(lite0, fit) -> Detector:
    return fit(lite0)


@pytest.fixture(scope="session")
def image(lite0) -> np.ndarray:
    """An image that was not fitted, with a bright square."""
    pixels = draw(1, lite0.backbone.input_size, 99)[0].copy()
    pixels[80:120, 80:120] = (250, 240, 20)
    return pixels
