"""Which defects are drawn where: the same in every place that is inspected, on images that take turns."""

from collections import Counter

import numpy as np
import pytest

from gad_core.detectability.plan import GRID, Draw, SensitivitySettings, plan
from gad_core.errors import GadError
from gad_core.features.region_of_interest import SIDE, RegionOfInterest

SETTINGS = SensitivitySettings(kinds=("spot", "patch"), contrasts=(0.2, 0.4), sizes=(2, 4, 8), seed=3)


def test_every_cell_sees_every_defect_once():
    draws = plan(SETTINGS, range(40))
    assert len(draws) == SETTINGS.n_draws == 2 * 2 * 3 * GRID**2
    assert set(Counter((draw.cell, draw.defect) for draw in draws).values()) == {1}


def test_a_centre_lies_in_its_cell():
    for draw in plan(SETTINGS, range(40)):
        x, y = draw.centre
        assert int(y * GRID) * GRID + int(x * GRID) == draw.cell


def test_images_are_used_evenly_and_a_patch_comes_from_another_one():
    draws = plan(SETTINGS, [3, 5, 8, 13, 21])
    counts = Counter(draw.row for draw in draws)
    assert set(counts) == {3, 5, 8, 13, 21}
    assert max(counts.values()) - min(counts.values()) <= 1
    assert all(draw.row != draw.other for draw in draws)


def test_only_what_is_inspected_is_drawn_on():
    angles = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    disc = RegionOfInterest.polygon([(0.5 + 0.3 * np.cos(a), 0.5 + 0.3 * np.sin(a)) for a in angles])
    draws = plan(SETTINGS, range(40), disc)
    assert all(disc.mask[int(draw.centre[1] * SIDE), int(draw.centre[0] * SIDE)] for draw in draws)
    assert 0 not in {draw.cell for draw in draws}
    assert len(set(Counter(draw.cell for draw in draws).values())) == 1


def test_a_seed_is_a_plan():
    assert plan(SETTINGS, range(40)) == plan(SETTINGS, range(40))
    assert plan(SETTINGS, range(40)) != plan(SensitivitySettings(**{**vars(SETTINGS), "seed": 4}), range(40))


def test_settings_and_draws_go_through_json_unchanged():
    assert SensitivitySettings.from_json(SETTINGS.to_json()) == SETTINGS
    draw = plan(SETTINGS, range(40))[7]
    assert Draw.from_json(draw.to_json()) == draw


@pytest.mark.parametrize(
    "wrong", [{"kinds": ()}, {"kinds": ("dent",)}, {"contrasts": (2.0,)}, {"sizes": (1, 2, 2)}, {"seed": -1}]
)
def test_settings_that_cannot_be_drawn_are_refused(wrong):
    with pytest.raises(GadError):
        SensitivitySettings(**wrong)


def test_a_patch_needs_two_images():
    with pytest.raises(GadError, match="two, got 1"):
        plan(SETTINGS, [4])
