"""Regions are averages over the cells of a grid, the same in every engine, and change nothing of the whole."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from gad_core.errors import GadError
from gad_core.features.engines import make_engine
from gad_core.features.levels import level_maps, region_means, spatial_mean
from gad_core.features.regions import Regions, parse_grid, region_weights
from tests.features.drawing import draw

REGIONS = Regions(7, 7, (6, 7))


def maps(side: int) -> torch.Tensor:
    return torch.randn(2, 5, side, side, generator=torch.Generator().manual_seed(side), dtype=torch.float64)


@pytest.mark.parametrize(("side", "grid"), [(14, 7), (7, 7), (12, 3), (8, 2)])
def test_where_the_grid_divides_the_map_regions_are_adaptive_averages(side, grid):
    level = maps(side)
    expected = F.adaptive_avg_pool2d(level, grid).flatten(2).transpose(1, 2)
    torch.testing.assert_close(region_means(level, Regions(grid, grid, (1,))), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("side", "grid"), [(9, 4), (17, 7), (5, 2)])
def test_a_value_in_two_regions_counts_in_each_for_its_part(side, grid):
    level = maps(side)
    finer = level.repeat_interleave(grid, 2).repeat_interleave(grid, 3)  # on which the grid's lines lie between values
    expected = F.avg_pool2d(finer, side).flatten(2).transpose(1, 2)
    torch.testing.assert_close(region_means(level, Regions(grid, grid, (1,))), expected, rtol=1e-6, atol=1e-6)


def test_rows_and_columns_are_what_they_are_called():
    weights = region_weights(Regions(2, 3, (1,)), 4, 6).reshape(2, 3, 4, 6)
    assert weights[1, 2, 2:, 4:] == pytest.approx(np.full((2, 2), 0.25))
    assert weights.sum(axis=(2, 3)) == pytest.approx(np.ones((2, 3)))
    assert np.count_nonzero(weights[0, 0]) == 4


def test_a_grid_finer_than_the_map_is_refused():
    with pytest.raises(GadError, match="7x7 does not fit on a map of 4 x 9; choose a coarser grid or lower levels"):
        region_weights(Regions(7, 7, (1,)), 4, 9)


@pytest.mark.parametrize("text", ["", "7", "7x", "x7", "7x7x7", "a", "-1x7"])
def test_what_is_no_grid_is_refused(text):
    with pytest.raises(GadError, match="is no grid"):
        Regions(*parse_grid(text), (6,))


@pytest.mark.parametrize(("rows", "columns", "levels"), [(1, 1, (6,)), (0, 7, (6,)), (7, 7, ()), (7, 7, (0,))])
def test_regions_that_say_nothing_are_refused(rows, columns, levels):
    with pytest.raises(GadError, match=r"grid of regions|at least one level"):
        Regions(rows, columns, levels)


def test_regions_come_back_from_json():
    assert Regions.from_json(REGIONS.to_json()) == REGIONS
    assert parse_grid(" 7 x 5 ") == (7, 5)


def test_engines_agree_by_region_and_the_whole_stays_as_it_was(lite0):
    images = draw(6, 224)
    backbone, found = lite0.backbone, {}
    for device in ("cpu", "torch-cpu"):
        engine = make_engine(lite0, device=device)
        plain = np.stack(list(engine.stream(images)))
        found[device] = np.stack(list(engine.stream(images, regions=REGIONS)))
        np.testing.assert_array_equal(found[device][:, : backbone.n_features], plain)
        assert found[device].shape == (6, backbone.n_features + REGIONS.n_features(backbone))
    np.testing.assert_allclose(found["cpu"], found["torch-cpu"], rtol=1e-4, atol=1e-5)


def test_slices_name_each_region_of_each_level(lite0):
    (image,) = draw(1, 224)
    vector = next(make_engine(lite0, device="torch-cpu").stream([image], regions=REGIONS))
    with torch.inference_mode():
        levels = level_maps(lite0.module, lite0.backbone, torch.from_numpy(image[None]).permute(0, 3, 1, 2))
    for level, slices in zip(REGIONS.levels, REGIONS.slices(lite0.backbone.level_slices), strict=True):
        cells = F.adaptive_avg_pool2d(levels[level - 1], 7)[0]
        assert len(slices) == REGIONS.count
        np.testing.assert_allclose(vector[slices[10]], cells[:, 1, 3], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(
            np.mean([vector[part] for part in slices], axis=0),
            spatial_mean(levels[level - 1])[0],
            rtol=1e-3,
            atol=1e-5,
        )
