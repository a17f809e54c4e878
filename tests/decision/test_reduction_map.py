"""A map of every level at every cut says what evaluating each cell alone would say, and what choosing one costs."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from gad_core.decision import reduction_map as maps
from gad_core.decision.evaluation import level_scores
from gad_core.errors import GadError
from gad_core.gaussian.reduction import ALL
from gad_core.gaussian.tuning import Tuning


@pytest.mark.parametrize("score", ["mahalanobis", "sed", "l2"])
def test_a_cell_is_what_evaluating_it_alone_gives(projected, anomalous, score):
    found = maps.reduction_map(projected, anomalous, distance=score)
    for cut in (0, 7, 24, 30, 48):
        alone = level_scores(projected, Tuning((1, 2), maps.REDUCTIONS[cut], score))
        for level in (1, 2):
            assert found.areas[level - 1, cut] == pytest.approx(roc_auc_score(anomalous, alone[str(level)].test))
        total = maps.sum_areas(projected, anomalous, (1, 2), distance=score)[cut]
        assert total == pytest.approx(roc_auc_score(anomalous, alone["sum"].test))


def test_the_halves_meet_at_all():
    assert len(maps.REDUCTIONS) == 2 * 24 + 1
    assert maps.REDUCTIONS[24] == ALL
    assert {cut.kind for cut in maps.REDUCTIONS[:24]} == {"pca"}
    assert {cut.kind for cut in maps.REDUCTIONS[25:]} == {"npca"}


def test_ties_count_half():
    scores, anomalous = np.array([1.0, 2, 2, 3])[:, None], np.array([False, False, True, True])
    assert maps.area_table(scores, anomalous)[0] == roc_auc_score(anomalous, scores[:, 0])


def test_choosing_among_noise_is_seen_through(projected):
    """With labels drawn at random no cell discriminates: the best looks good, the honest estimate is a half."""
    honest, best = [], []
    for seed in range(30):
        labels = np.random.default_rng(seed).permutation(60) < 25
        choice = maps.reduction_map(projected, labels, seed=seed).best
        honest.append(choice.split_half)
        best.append(choice.area)
    assert np.mean(best) > 0.55
    assert np.mean(honest) == pytest.approx(0.5, abs=0.03)


def test_the_best_cell_is_the_largest_of_the_map(projected, anomalous):
    found = maps.reduction_map(projected, anomalous)
    assert (
        found.areas[found.best.level - 1, maps.REDUCTIONS.index(found.best.reduction)]
        == found.areas.max()
        == found.best.area
    )


def test_inflation_compares_left_out_with_fitted_medians(projected):
    detector = projected.detector
    own = detector.distances(detector.coordinates(detector.training.features), ALL)
    ratio = np.median(detector.left_out_distances(ALL), axis=0) / np.median(own, axis=0)
    np.testing.assert_allclose(maps.inflation(detector)[:, 24], ratio)


def test_fitted_images_have_unit_energy_in_every_component(projected):
    detector = projected.detector
    own = detector.coordinates(detector.training.features)
    np.testing.assert_allclose(maps.whitened_energy(detector, 2, own[1]), 1)


def test_a_map_needs_two_images_of_each_kind(projected):
    with pytest.raises(GadError, match="at least 2 normal and 2 defective test images, got 59 and 1"):
        maps.reduction_map(projected, np.arange(60) < 1)
