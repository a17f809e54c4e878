"""A network that is run up to a level: the levels below are what they were, the others are not computed."""

import copy
from collections.abc import Callable

import numpy as np
import pytest
import torch

from gad_core.data.datasets import ImageSet
from gad_core.features.cache import FeatureCache
from gad_core.features.engines import make_engine
from gad_core.features.extract import extract
from gad_core.features.frozen import Network
from gad_core.features.regions import Regions
from tests.features.drawing import draw

REGIONS = Regions(7, 7, levels=(6, 7))


@pytest.fixture(scope="module")
def broken(lite0: Network) -> Network:
    """The network with all weights behind level 7 out of order."""
    module = copy.deepcopy(lite0.module)
    for layer in (module.blocks[6], module.conv_head):
        for weights in layer.parameters():
            weights.data.fill_(torch.nan)
    return Network(lite0.backbone, lambda: module, "f" * 64)


@pytest.mark.parametrize("device", ["cpu", "torch-cpu"])
def test_nothing_beyond_the_level_is_computed_and_nothing_below_changes(device: str, lite0: Network, broken: Network):
    images, end = draw(3, 224), lite0.backbone.level_slices[6].stop
    whole = np.stack(list(make_engine(lite0, device=device).stream(images, regions=REGIONS)))
    cut = np.stack(list(make_engine(broken, device=device).stream(images, regions=REGIONS, up_to=7)))
    assert cut.shape == whole.shape
    lacking = slice(end, lite0.backbone.n_features)
    assert np.isnan(cut[:, lacking]).all()
    kept = np.delete(np.arange(whole.shape[1]), lacking)
    np.testing.assert_allclose(cut[:, kept], whole[:, kept], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("device", ["cpu", "torch-cpu"])
def test_one_engine_runs_to_any_level(device: str, lite0: Network):
    engine, images, slices = make_engine(lite0, device=device), draw(1, 224), lite0.backbone.level_slices
    for up_to in (3, None, 9, 1):
        (vector,) = engine.stream(images, up_to=up_to)
        assert np.isfinite(vector).sum() == slices[(up_to or 9) - 1].stop


def test_what_goes_into_a_cache_is_whole(lite0: Network, photos: Callable[..., ImageSet], tmp_path):
    engine, cache, end = make_engine(lite0, device="cpu"), FeatureCache(tmp_path / "cache"), 2096
    assert np.isnan(extract(photos(2), engine, up_to=3).features).any(axis=1).all()
    for _ in range(2):
        found = extract(photos(2), engine, up_to=3, cache=cache).features
        assert found.shape == (2, end)
        assert np.isfinite(found).all()
