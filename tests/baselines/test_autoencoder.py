"""The auto-encoder: its scores against slow references, and what it learns."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from gad_core.baselines.autoencoder import (
    AutoEncoder,
    cca_scores,
    error_maps,
    fit_autoencoder,
    map_means,
    smallest_defect,
)
from gad_core.baselines.explaining import explain_map_mean
from gad_core.baselines.training import Samples, Training


def slow_cca(one, levels, need):
    """The highest level at which a connected part is large enough, level by level."""
    best = levels[0]
    for level in levels:
        parts, count = ndimage.label(one >= level, structure=np.ones((3, 3)))
        if any((parts == part).sum() >= need for part in range(1, count + 1)):
            best = level
    return best


@pytest.mark.parametrize("smallest", [0.0, 0.01, 0.2])
def test_cca_scores_are_those_of_a_search_through_all_levels(smallest):
    rng = np.random.default_rng(0)
    maps = ndimage.gaussian_filter(rng.random((4, 24, 24)), (0, 2, 2))
    levels = np.linspace(maps.min(), maps.max(), 1000)
    need = max(1, int(np.ceil(smallest * 24 * 24)))
    assert cca_scores(maps, smallest).tolist() == [slow_cca(one, levels, need) for one in maps]


def test_a_large_blob_scores_above_a_bright_speck():
    maps = np.zeros((2, 20, 20))
    maps[0, 3, 3] = 9.0
    maps[1, 5:9, 5:9] = 2.0
    blob, speck = cca_scores(maps, 10 / 400)[::-1]
    assert speck == 0.0
    assert blob == pytest.approx(2.0, abs=0.01)


def test_map_mean_is_the_mean_squared_error():
    module = AutoEncoder(32).eval()
    pixels = np.random.default_rng(1).integers(0, 256, (3, 32, 32, 3)).astype(np.uint8)
    with torch.inference_mode():
        rebuilt = module(torch.from_numpy(pixels).permute(0, 3, 1, 2).float()).permute(0, 2, 3, 1).numpy()
    expected = np.square(pixels / 255 - rebuilt).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(map_means(error_maps(module, pixels)), expected, rtol=1e-5)


def test_the_bottleneck_has_32_numbers():
    module = AutoEncoder(64).eval()
    seen = []
    module.narrow.register_forward_hook(lambda *call: seen.append(call[2].shape))
    assert module(torch.zeros(2, 3, 64, 64)).shape == (2, 3, 64, 64)
    assert seen == [(2, 32)]


def test_the_smallest_defect_is_the_least_area_of_a_mask():
    masks = [np.zeros((10, 10), bool) for _ in range(3)]
    masks[0][:5, :4] = True
    masks[1][0, 0] = masks[1][9, 9] = masks[1][5, 5] = True  # one defect in three parts
    assert smallest_defect(masks) == 0.03
    assert smallest_defect([]) == 0.0


@pytest.fixture(scope="module")
def learned():
    """An auto-encoder of stripes of any brightness, its images, and one with a pasted defect."""
    rng, x = np.random.default_rng(2), np.arange(64)
    stripes = rng.uniform(90, 160, (16, 1)) + 60 * np.sin(x / 4)
    pixels = np.broadcast_to(stripes[:, None, :, None], (16, 64, 64, 3)).astype(np.uint8)
    samples = Samples(pixels, tuple(f"{i:064x}" for i in range(16)), np.zeros(16, np.float32))
    module = fit_autoencoder(samples, Training(epochs=12, batch_size=4, rate=1e-3))
    defective = pixels[:1].copy()
    defective[:, 20:36, 30:46] = (255, 0, 0)
    return module, pixels, defective


def test_the_loss_falls_below_that_of_the_mean_image(learned):
    module, pixels, _ = learned
    assert map_means(error_maps(module, pixels)).mean() < 0.7 * np.var(pixels / 255)


def test_the_map_lights_a_pasted_defect(learned):
    module, pixels, defective = learned
    inside = error_maps(module, defective)[0, 20:36, 30:46].mean()
    outside = error_maps(module, defective)[0, 48:].mean()
    assert inside > 5 * outside
    assert map_means(error_maps(module, defective))[0] > map_means(error_maps(module, pixels)).max()


def test_the_attribution_of_the_mean_error_adds_up(learned):
    module, pixels, defective = learned
    found = explain_map_mean(module, defective, pixels[1:3])
    assert found.gaps[0] < 1e-3
    difference = map_means(error_maps(module, defective))[0] - map_means(error_maps(module, pixels[1:3])).mean()
    assert 3 * found.maps[0].sum() == pytest.approx(difference, rel=1e-3)
