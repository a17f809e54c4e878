"""Synthetic defects: as large and as strong as asked for, where asked for, and nowhere else."""

import numpy as np
import pytest
from scipy import ndimage

from gad_core.detectability.defects import KINDS, Defect, draw_defect, equivalent_size
from gad_core.errors import GadError
from tests.features.drawing import draw

GREY = np.full((200, 260, 3), 100, np.uint8)
CLOUDS, OTHER = draw(2, 200)
MIDDLE = (0.5, 0.5)


def drawn(kind, size=10.0, contrast=0.5, *, on=GREY, at=MIDDLE, seed=0, other=OTHER):
    return draw_defect(on, Defect(kind, size, contrast), at, np.random.default_rng(seed), other=other)


def deep_inside(mask):
    depth = ndimage.distance_transform_edt(mask)
    return depth > 0.6 * depth.max()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [6.0, 10.0, 20.0])
def test_the_mask_has_the_size_asked_for(kind, size):
    sizes = [equivalent_size(drawn(kind, size, seed=seed).mask) for seed in range(10)]
    assert np.mean(sizes) == pytest.approx(size, rel=0.03)
    assert np.ptp(sizes) < 0.1 * size  # whole pixels


def test_the_size_of_a_disc_is_its_diameter():
    y, x = np.mgrid[:300, :400]
    disc = np.hypot(x - 200, y - 150) < 45
    assert equivalent_size(disc) == pytest.approx(100 * 90 / 300, rel=0.01)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_changes_away_from_the_mask(kind):
    found = drawn(kind, on=CLOUDS)
    near = ndimage.binary_dilation(found.mask, iterations=4)
    assert found.mask.any()
    np.testing.assert_array_equal(found.pixels[~near], CLOUDS[~near])
    assert (found.pixels[found.mask] != CLOUDS[found.mask]).any(axis=1).mean() > 0.9


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_is_a_picture_and_the_image_stays_as_it_was(kind):
    before = CLOUDS.copy()
    one, same, other = (drawn(kind, on=CLOUDS, seed=seed).pixels for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    np.testing.assert_array_equal(CLOUDS, before)
    assert (one != other).any() or kind in ("spot", "blur", "colour")  # which are round


@pytest.mark.parametrize("kind", ["spot", "scratch"])
@pytest.mark.parametrize(("grey", "sign"), [(100, 1), (180, -1)])
def test_the_contrast_is_the_share_of_the_range_by_which_grey_moves_to_where_there_is_room(kind, grey, sign):
    found = drawn(kind, 20, 0.2, on=np.full_like(GREY, grey))
    assert set(np.unique(found.pixels[deep_inside(found.mask)])) == {grey + sign * 51}


def test_a_colour_keeps_the_brightness():
    found = drawn("colour", 20, 0.4)
    assert set(map(tuple, found.pixels[deep_inside(found.mask)].tolist())) == {(151, 100, 49)}


def test_missing_material_shows_what_lies_along_the_edge():
    part = GREY.copy()
    part[40:160, 40:220] = 200
    found = drawn("missing", 20, 1.0, on=part)
    assert set(np.unique(found.pixels[deep_inside(found.mask)])) == {100}


def test_a_blur_leaves_an_even_image_and_smooths_an_uneven_one():
    np.testing.assert_array_equal(drawn("blur", 20, 1.0).pixels, GREY)
    found = drawn("blur", 20, 1.0, on=CLOUDS)
    inner = deep_inside(found.mask)
    rough = [np.abs(np.diff(image[inner].astype(float), axis=0)).mean() for image in (found.pixels, CLOUDS)]
    assert rough[0] < 0.3 * rough[1]


def test_a_patch_is_cut_out_of_the_other_image():
    blue = np.zeros((90, 80, 3), np.uint8) + np.array([10, 20, 200], np.uint8)
    found = drawn("patch", 20, 1.0, other=blue)
    assert set(map(tuple, found.pixels[deep_inside(found.mask)].tolist())) == {(10, 20, 200)}


@pytest.mark.parametrize("kind", KINDS)
def test_a_defect_in_a_corner_lies_in_the_image_whole(kind):
    sizes = [equivalent_size(drawn(kind, at=corner).mask) for corner in ((0, 0), (1, 0), (0, 1), (1, 1))]
    assert sizes == pytest.approx([10] * 4, rel=0.08)


def test_a_spot_lies_where_it_was_asked_for():
    rows, columns = np.nonzero(drawn("spot", at=(0.3, 0.7)).mask)
    assert (columns.mean(), rows.mean()) == pytest.approx((0.3 * 260, 0.7 * 200), abs=0.5)


@pytest.mark.parametrize(("kind", "size", "contrast"), [("dent", 5, 0.5), ("spot", 0, 0.5), ("spot", 5, 1.5)])
def test_what_cannot_be_drawn_is_refused(kind, size, contrast):
    with pytest.raises(GadError):
        Defect(kind, size, contrast)
