"""A map of every level at every cut says what evaluating each cell alone would say, and what choosing one costs."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from gad_core.decision import cut_map as cuts
from gad_core.decision.evaluation import level_scores
from gad_core.errors import GadError
from gad_core.gaussian.keep import ALL
from gad_core.gaussian.tuning import Tuning


@pytest.mark.parametrize("score", ["mahalanobis", "sed", "l2"])
def test_a_cell_is_what_evaluating_it_alone_gives(seen, anomalous, score):
    found = cuts.cut_map(seen, anomalous, score=score)
    for cut in (0, 7, 24, 30, 48):
        alone = level_scores(seen, Tuning((1, 2), cuts.CUTS[cut], score))
        for level in (1, 2):
            assert found.areas[level - 1, cut] == pytest.approx(roc_auc_score(anomalous, alone[str(level)].test))
        total = cuts.sum_areas(seen, anomalous, (1, 2), score=score)[cut]
        assert total == pytest.approx(roc_auc_score(anomalous, alone["sum"].test))


def test_the_halves_meet_at_all():
    assert len(cuts.CUTS) == 2 * 24 + 1
    assert cuts.CUTS[24] == ALL
    assert {cut.kind for cut in cuts.CUTS[:24]} == {"pca"}
    assert {cut.kind for cut in cuts.CUTS[25:]} == {"npca"}


def test_ties_count_half():
    scores, anomalous = np.array([1.0, 2, 2, 3])[:, None], np.array([False, False, True, True])
    assert cuts.area_table(scores, anomalous)[0] == roc_auc_score(anomalous, scores[:, 0])


def test_choosing_among_noise_is_seen_through(seen):
    """With labels drawn at random no cell discriminates: the best looks good, the honest estimate is a half."""
    honest, best = [], []
    for seed in range(30):
        labels = np.random.default_rng(seed).permutation(60) < 25
        choice = cuts.cut_map(seen, labels, seed=seed).best
        honest.append(choice.honest)
        best.append(choice.area)
    assert np.mean(best) > 0.55
    assert np.mean(honest) == pytest.approx(0.5, abs=0.03)


def test_the_best_cell_is_the_largest_of_the_map(seen, anomalous):
    found = cuts.cut_map(seen, anomalous)
    assert found.areas[found.best.level - 1, cuts.CUTS.index(found.best.keep)] == found.areas.max() == found.best.area


def test_inflation_compares_left_out_with_fitted_medians(seen):
    detector = seen.detector
    own = detector.distances(detector.coordinates(detector.training.features), ALL)
    ratio = np.median(detector.left_out_distances(ALL), axis=0) / np.median(own, axis=0)
    np.testing.assert_allclose(cuts.inflation(detector)[:, 24], ratio)


def test_fitted_images_have_unit_energy_in_every_component(seen):
    detector = seen.detector
    own = detector.coordinates(detector.training.features)
    np.testing.assert_allclose(cuts.whitened_energy(detector, 2, own[1]), 1)


def test_a_map_needs_two_images_of_each_kind(seen):
    with pytest.raises(GadError, match="at least 2 normal and 2 defective test images, got 59 and 1"):
        cuts.cut_map(seen, np.arange(60) < 1)
