"""A map of every level at every reduction says what evaluating a cell alone would say, and what choosing one costs."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from gad_core.decision import reduction_map as maps
from gad_core.decision.evaluation import level_scores
from gad_core.errors import GadError
from gad_core.gaussian.reduction import ALL
from gad_core.gaussian.tuning import DISTANCES, Tuning


@pytest.mark.parametrize("distance", DISTANCES)
def test_a_cell_is_what_evaluating_it_alone_gives(projected, anomalous, distance):
    cells = maps.reduction_map(projected, anomalous, distance=distance)
    for column in (0, 7, 24, 30, 48):
        alone = level_scores(projected, Tuning((1, 2), maps.REDUCTIONS[column], distance))
        for level in (1, 2):
            assert cells.areas[level - 1, column] == pytest.approx(roc_auc_score(anomalous, alone[str(level)].test))
        total = maps.sum_areas(projected, anomalous, Tuning((1, 2), distance=distance))[column]
        assert total == pytest.approx(roc_auc_score(anomalous, alone["sum"].test))


def test_all_stands_between_pca_and_npca():
    assert len(maps.REDUCTIONS) == 2 * 24 + 1
    assert maps.REDUCTIONS[24] == ALL
    assert {reduction.kind for reduction in maps.REDUCTIONS[:24]} == {"pca"}
    assert {reduction.kind for reduction in maps.REDUCTIONS[25:]} == {"npca"}


def test_ties_count_half():
    scores, anomalous = np.array([1.0, 2, 2, 3])[:, None], np.array([False, False, True, True])
    assert maps.area_table(scores, anomalous)[0] == roc_auc_score(anomalous, scores[:, 0])


def test_choosing_among_noise_gains_nothing_on_the_other_half(projected):
    """With labels drawn at random no cell discriminates: the best seems good, the split-half estimate is a half."""
    split_half, best = [], []
    for seed in range(30):
        labels = np.random.default_rng(seed).permutation(60) < 25
        choice = maps.reduction_map(projected, labels, seed=seed).best
        split_half.append(choice.split_half)
        best.append(choice.area)
    assert np.mean(best) > 0.55
    assert np.mean(split_half) == pytest.approx(0.5, abs=0.03)


def test_the_best_cell_is_the_largest_of_the_map(projected, anomalous):
    cells = maps.reduction_map(projected, anomalous)
    best = cells.best
    assert cells.areas[best.level - 1, maps.REDUCTIONS.index(best.reduction)] == cells.areas.max() == best.area


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


def test_tied_scores_count_half():
    rng = np.random.default_rng(4)
    scores, anomalous = rng.integers(0, 9, (60, 2)).astype(float), rng.random(60) < 0.3
    expected = [roc_auc_score(anomalous, column) for column in scores.T]
    np.testing.assert_allclose(maps.area_table(scores, anomalous), expected, rtol=1e-12)
