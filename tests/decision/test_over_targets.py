"""A whole range of targets at once, against one threshold after the other."""

import numpy as np
import pytest

from gad_core.decision.chi_law import ChiLaw, CoupledChiLaws
from gad_core.decision.evaluation import LevelScores, PointRates, working_points
from gad_core.decision.over_targets import over_targets
from gad_core.decision.working_point import METHODS

TARGETS = np.geomspace(1e-4, 0.5, 220)


def scores(*, n: int = 150, grouped: bool = False, held_out: bool = True, k: int | None = 7) -> LevelScores:
    rng = np.random.default_rng(n)
    distances = np.sqrt(rng.chisquare(7, (n, 2)))
    law = ChiLaw(k) if k else CoupledChiLaws(distances, np.array([7, 7]), lambda d: d.sum(axis=1))
    test = np.round(np.sqrt(rng.chisquare(9, 80)), 1)  # rounded: some are equal
    return LevelScores(
        "2",
        law,
        n,
        np.arange(n) % 10,
        np.round(distances[:, 0], 1),
        test,
        np.sqrt(rng.chisquare(7, 90)) if held_out else None,
        [f"lot {i // 7}" if i % 3 else None for i in range(n)] if grouped else None,
        [f"lot {i // 5}" for i in range(90)] if grouped and held_out else None,
    )


@pytest.mark.parametrize(
    "options", [{}, {"grouped": True}, {"held_out": False, "k": None}, {"n": 30}, {"grouped": True, "n": 200}], ids=str
)
def test_each_target_is_as_if_it_stood_alone(options):
    of = scores(**options)
    anomalous = np.arange(80) % 3 == 0
    found = {method: over_targets(of, anomalous, method, TARGETS).points for method in METHODS}
    for place, target in enumerate(TARGETS):
        points, refused = working_points(of, anomalous, target)
        here = {method: points_of[place] for method, points_of in found.items()}
        assert tuple(point for point in here.values() if isinstance(point, PointRates)) == points
        assert {method: why for method, why in here.items() if isinstance(why, str)} == refused


def test_without_test_images_their_rates_are_unknown():
    of = scores(n=60)
    point = over_targets(of, np.ones(80, bool), "chi2", [0.1]).points[0]
    assert isinstance(point, PointRates)
    assert point.test is None
    assert point.tpr.count == (of.test > point.point.threshold).sum()


def test_rates_of_left_out_images_are_unknown_where_folds_are_too_small():
    found = over_targets(scores(n=20), np.zeros(80, bool), "cross-conformal", [0.001, 0.05, 0.3])
    assert [rate is None for rate in found.left_out] == [True, True, False]
