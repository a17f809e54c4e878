"""The detector's distances as torch sees them are those of the detector, and their gradients those of differences."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from gad_core.features.levels import pooled_levels
from gad_core.features.registry import get_backbone
from gad_core.features.timm_models import build
from gad_core.gaussian.levels import LevelsFit
from gad_core.gaussian.levels_fit import fit_levels
from gad_core.gaussian.reduction import ALL, NPCA_1, NPCA_5, Reduction
from gad_core.gaussian.torch_score import feature_distances, image_columns, image_distances, level_distance
from gad_core.gaussian.tuning import DISTANCES, Tuning
from tests.features.drawing import draw

BACKBONE = replace(get_backbone("resnet18"), input_size=64)
REDUCTIONS = (ALL, Reduction("pca", 0.5), Reduction("pca", 0.99), NPCA_5, NPCA_1, Reduction("npca", 1e-5))
LEVELS = (3, 1, 2)  # level 3 has more features than images; the order is the tuning's


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("reduction", REDUCTIONS, ids=str)
def test_distances_are_the_detectors(detector, features, reduction, distance):
    new = features[50:]
    by_torch = feature_distances(detector, Tuning(LEVELS, reduction, distance))(torch.from_numpy(new))
    expected = detector.distances(detector.coordinates(new), reduction, distance=distance)
    np.testing.assert_allclose(by_torch.numpy(), expected[:, np.array(LEVELS) - 1], rtol=1e-10)


def test_the_sum_over_the_columns_is_the_score(detector, features):
    tuning = Tuning(LEVELS, NPCA_5)
    by_torch = feature_distances(detector, tuning)(torch.from_numpy(features)).sum(1)
    np.testing.assert_allclose(by_torch.numpy(), detector.scores(features, tuning), rtol=1e-10)


@pytest.mark.parametrize("distance", DISTANCES)
def test_a_feature_that_never_varies_counts_for_nothing_in_sed(detector, features, distance):
    part = detector.slices[0]
    gaussian = detector.gaussians[0]
    variance = gaussian.variance.copy()
    variance[2] = 0
    still = type(gaussian)(gaussian.mean, gaussian.basis, variance, gaussian.spectrum)
    X = features[50:, part]
    by_torch = level_distance(still, Tuning((1,), ALL, distance))(torch.from_numpy(X))
    expected = still.spectrum.distances(still.coordinates(X), ALL, distance=distance)
    np.testing.assert_allclose(by_torch.numpy(), expected, rtol=1e-10)


@pytest.mark.parametrize("distance", DISTANCES)
def test_gradients_are_those_of_finite_differences(detector, features, distance):
    x = torch.from_numpy(features[50:53].astype(np.float64)).requires_grad_()
    assert torch.autograd.gradcheck(feature_distances(detector, Tuning(LEVELS, ALL, distance)), x)


@pytest.fixture(scope="module")
def network() -> nn.Module:
    torch.manual_seed(0)
    return build("resnet18.tv_in1k").double().eval().requires_grad_(False)


@pytest.fixture(scope="module")
def pixels() -> torch.Tensor:
    return torch.from_numpy(draw(12, 64, 3)).permute(0, 3, 1, 2).double()


@pytest.fixture(scope="module")
def fit(network, pixels) -> LevelsFit:
    features = pooled_levels(network, BACKBONE, pixels[:10]).numpy()
    return fit_levels(features, BACKBONE.level_slices, np.arange(10) % 2)


def test_the_distances_of_images_are_those_of_their_pooled_levels(fit, network, pixels):
    new = pixels[10:]
    pooled = fit.coordinates(pooled_levels(network, BACKBONE, new).numpy())
    tuning = Tuning((4, 2), NPCA_5)
    by_torch = image_distances(fit, tuning, network, BACKBONE, dtype=torch.float64)(new)
    expected = fit.distances(pooled, tuning.reduction)[:, [3, 1]]
    np.testing.assert_allclose(by_torch.numpy(), expected, rtol=1e-9)
    columns = image_columns(fit, tuning, network, BACKBONE, dtype=torch.float64)(new)
    torch.testing.assert_close(torch.stack(list(columns), dim=1), by_torch, rtol=0, atol=0)


def test_no_level_above_the_highest_is_computed(fit, network, pixels):
    crippled = copy.deepcopy(network)
    crippled.layer4 = Forbidden()
    image_distances(fit, Tuning((4, 2)), crippled, BACKBONE, dtype=torch.float64)(pixels[10:])
    with pytest.raises(AssertionError, match="level 5"):
        image_distances(fit, Tuning((5, 2)), crippled, BACKBONE, dtype=torch.float64)(pixels[10:])


class Forbidden(nn.Module):
    def forward(self, *_):
        raise AssertionError("level 5 was computed")
