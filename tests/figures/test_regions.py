"""A map of regions: bare where usual, the middle colour at the limit, and cells where the grid has them."""

import numpy as np

from gad_core.figures import region_map, region_overlay

IMAGE = np.full((12, 12, 3), 100, np.uint8)
VALUES = np.array([[0.0, 1.5], [3.0, np.nan]])


def test_cells_lie_over_their_pixels():
    (cells,) = region_map(VALUES, IMAGE, limit=1.5).data
    assert (cells.x0, cells.dx, cells.y0, cells.dy) == (2.5, 6, 2.5, 6)  # edges at -0.5, 5.5 and 11.5
    assert (cells.zmin, cells.zmid, cells.zmax) == (0, 1.5, 3)
    np.testing.assert_array_equal(cells.z, VALUES)


def test_a_file_shows_the_same_colours():
    drawn = region_overlay(IMAGE, VALUES, limit=1.5)
    assert (drawn[:6, :6] == 100).all()  # usual
    assert (drawn[6:, 6:] == 100).all()  # not inspected
    assert (drawn[:6, 6:] == np.rint(62.5 + 0.375 * np.array([240, 190, 40]))).all()  # at the limit
    assert (drawn[6:, :6] == np.rint(25 + 0.75 * np.array([213, 50, 0]))).all()  # at twice the limit


def test_a_chosen_region_is_framed_and_all_that_count_can_be_clicked():
    figure = region_map(VALUES, IMAGE, limit=1.5, chosen=2)
    clicks = figure.data[-1]
    assert list(clicks.customdata) == [0, 1, 2]  # the last is not inspected
    assert (list(clicks.x), list(clicks.y)) == ([2.5, 8.5, 2.5], [2.5, 2.5, 8.5])
    frame = figure.layout.shapes[0]
    assert (frame.x0, frame.x1, frame.y0, frame.y1) == (-0.5, 5.5, 5.5, 11.5)
