"""The region of interest: its mask in every form, and regions averaged over what it covers of them."""

import base64
import io
import zlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from gad_core.errors import GadError
from gad_core.features.engines import make_engine
from gad_core.features.levels import level_maps, region_means, spatial_mean
from gad_core.features.region_of_interest import SIDE, RegionOfInterest
from gad_core.features.regions import Regions, region_weights
from tests.features.drawing import draw

GRID = Regions(7, 7, (6, 7))


def png(mask: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(mask).save(stream, "PNG")
    return stream.getvalue()


def test_a_rectangle_and_a_polygon_of_the_same_corners_are_the_same():
    rectangle = RegionOfInterest.rectangle(0.25, 0.5, 0.75, 1)
    polygon = RegionOfInterest.polygon([(0.25, 0.5), (0.75, 0.5), (0.75, 1), (0.25, 1)])
    assert rectangle.share == pytest.approx(0.25)
    assert np.count_nonzero(rectangle.mask != polygon.mask) <= 2 * SIDE  # its outline belongs to a polygon
    assert rectangle.mask[SIDE // 2 :, SIDE // 4 : 3 * SIDE // 4].all()


def test_a_disc_drawn_as_a_polygon_has_its_area():
    angles = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    disc = RegionOfInterest.polygon([(0.5 + 0.4 * np.cos(a), 0.5 + 0.4 * np.sin(a)) for a in angles])
    assert disc.share == pytest.approx(np.pi * 0.4**2, rel=0.01)


def test_two_outlines_are_both_inspected():
    left, right = ([(x, 0.1), (x + 0.2, 0.1), (x + 0.2, 0.3), (x, 0.3)] for x in (0.1, 0.6))
    both = RegionOfInterest.polygon(left, right)
    assert both.share == pytest.approx(2 * RegionOfInterest.polygon(left).share, rel=0.01)


@pytest.mark.parametrize("shape", [(100, 300), (448, 448), (33, 57)])
def test_a_mask_of_any_size_is_stretched_over_the_image(shape):
    mask = np.zeros(shape, bool)
    mask[: shape[0] // 2] = True
    found = RegionOfInterest.read(png(np.uint8(255) * mask))
    assert found == RegionOfInterest.of(mask)
    assert found.share == pytest.approx(mask.mean(), abs=0.01)
    assert found.over(28)[:13].all()
    assert not found.over(28)[15:].any()


def test_it_comes_back_from_json_with_its_regions():
    roi = RegionOfInterest.polygon([(0.1, 0.2), (0.9, 0.3), (0.4, 0.8)])
    regions = replace(GRID, roi=roi)
    again = Regions.from_json(regions.to_json())
    assert again == regions
    np.testing.assert_array_equal(again.roi.mask, roi.mask)
    assert regions.key != GRID.key
    assert regions.key != replace(GRID, roi=RegionOfInterest.rectangle(0, 0, 1, 0.5)).key
    assert GRID.to_json().keys() == {"grid", "levels"}


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: RegionOfInterest.of(np.zeros((9, 9), bool)), "is empty"),
        (lambda: RegionOfInterest("nothing"), "draw it again"),
        (lambda: RegionOfInterest("eJwDAAAAAAE="), "draw it again"),
        (lambda: RegionOfInterest.rectangle(0.5, 0, 0.5, 1), "left < right"),
        (lambda: RegionOfInterest.rectangle(0, 0, 1.5, 1), "from 0 to 1"),
        (lambda: RegionOfInterest.polygon([(0, 0), (1, 1)]), "three corners"),
        (lambda: RegionOfInterest.read(b"no image", name="roi.png"), "no mask can be read from roi.png"),
        (lambda: RegionOfInterest.read(png(np.zeros((5, 5), np.uint8))), "white in a mask"),
    ],
)
def test_what_leaves_nothing_to_inspect_is_refused(make, words):
    with pytest.raises(GadError, match=words):
        make()


@pytest.mark.parametrize(("side", "grid"), [(14, 7), (7, 7), (28, 4), (14, 2)])
def test_a_region_is_averaged_over_what_is_covered_of_it(side, grid):
    mask = np.random.default_rng(side).random((SIDE, SIDE)) > 0.6
    mask[: SIDE // grid] = False  # the first row of regions lies outside
    level = torch.randn(2, 5, side, side, generator=torch.Generator().manual_seed(side), dtype=torch.float64)
    found = region_means(level, Regions(grid, grid, (1,), RegionOfInterest.of(mask)))
    at, region = np.arange(SIDE) * side // SIDE, np.arange(SIDE) * grid // SIDE
    values = level.numpy()[:, :, at][..., at]  # a value for each pixel of the mask
    for i in range(grid):
        for j in range(grid):
            covered = mask & (region[:, None] == i) & (region[None] == j)
            expected = values[:, :, covered].mean(axis=2) if i else np.zeros((2, 5))
            np.testing.assert_allclose(found[:, i * grid + j], expected, atol=1e-6)


def test_a_mask_of_everything_changes_nothing():
    everything = RegionOfInterest.of(np.ones((3, 3), bool))
    for side in (7, 14, 28):
        np.testing.assert_allclose(
            region_weights(replace(GRID, roi=everything), side, side), region_weights(GRID, side, side), atol=1e-7
        )


@pytest.mark.parametrize("device", ["cpu", "torch-cpu"])
def test_engines_agree_and_leave_the_whole_image_alone(lite0, device):
    regions = replace(GRID, roi=RegionOfInterest.rectangle(0.2, 0.3, 0.8, 0.95))
    pixels = draw(2, lite0.backbone.input_size)
    engine = make_engine(lite0, device=device)
    plain, found = (np.stack(list(engine.stream(pixels, regions=one))) for one in (None, regions))
    np.testing.assert_array_equal(found[:, : lite0.backbone.n_features], plain)
    with torch.inference_mode():
        maps = level_maps(lite0.module, lite0.backbone, torch.from_numpy(pixels).permute(0, 3, 1, 2))
    by_level = [region_means(maps[level - 1], regions).flatten(1).numpy() for level in regions.levels]
    expected = np.concatenate([*(spatial_mean(level).numpy() for level in maps), *by_level], axis=1)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert not found[:, lite0.backbone.n_features :][:, : 7 * 112].any()  # the uppermost regions lie outside


def test_a_code_that_would_unpack_to_gigabytes_is_not_unpacked(monkeypatch):
    bomb = base64.b64encode(zlib.compress(bytes(1 << 26))).decode()
    monkeypatch.setattr("zlib.decompress", lambda *_: pytest.fail("unpacked whole"))
    with pytest.raises(GadError, match="has another size than masks have here"):
        RegionOfInterest(bomb)
