"""An evaluation counts what the scores say, level by level and for the sum."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from gad_core.data.datasets import read_dataset
from gad_core.decision import evaluation as ev
from gad_core.errors import GadError
from gad_core.features.engines import load_engine
from gad_core.gaussian.fit import fit_images
from gad_core.gaussian.reduction import ALL, Reduction
from gad_core.gaussian.settings import FitSettings
from gad_core.gaussian.tuning import Tuning

CROSS = ("cross-conformal", "cross-confident", "cross-simultaneous")
TUNING = Tuning((1, 2), Reduction("npca", 0.5))


def test_the_sum_adds_the_tuned_levels_and_the_others_stay_to_be_seen(projected):
    both = ev.level_scores(projected, TUNING)
    one = ev.level_scores(projected, replace(TUNING, levels=(2,)))
    for kind in ("left_out", "test", "calibration"):
        np.testing.assert_allclose(getattr(both["sum"], kind), getattr(both["1"], kind) + getattr(both["2"], kind))
        np.testing.assert_array_equal(getattr(one["sum"], kind), getattr(one["2"], kind))
    assert set(one) == {"1", "2", "sum"}


def test_areas_are_scikit_learns_at_every_level(projected, anomalous):
    result = ev.evaluate(ev.level_scores(projected, TUNING), anomalous)
    scores = ev.level_scores(projected, TUNING)
    assert (result.n_normal, result.n_anomalous) == (40, 20)
    for level, area in result.auroc.items():
        assert area.value == pytest.approx(roc_auc_score(anomalous, scores[level].test))


def test_rates_count_the_images_above_each_threshold(projected, anomalous):
    scores = ev.level_scores(projected, TUNING)["sum"]
    points, refused = ev.working_points(scores, anomalous, 0.1)
    assert [a.point.method for a in points] == ["chi2", *CROSS, "split-conformal", "split-confident"]
    assert set(refused) == {"split-simultaneous", "pareto"}  # 40 calibration images
    for a in points:
        assert a.test.count == (scores.test[~anomalous] > a.point.threshold).sum()
        assert a.tpr.count == (scores.test[anomalous] > a.point.threshold).sum()
    split = next(a for a in points if a.point.method == "split-conformal")
    assert split.left_out.count == (scores.left_out > split.point.threshold).sum()


def test_a_level_knows_chi_square_with_the_dimensions_that_the_cut_keeps(projected, anomalous):
    for keep, k in (
        (ALL, 32),
        (Reduction("npca", 0.5), projected.detector.gaussians[1].spectrum.dimension(Reduction("npca", 0.5))),
    ):
        scores = ev.level_scores(projected, Tuning((2,), keep))["2"]
        point = ev.threshold(scores, "chi2", 0.05)
        assert point.threshold**2 == pytest.approx(stats.chi2.isf(0.05, k))


def test_no_law_is_offered_for_other_distances_than_mahalanobis(projected, anomalous):
    scores = ev.level_scores(projected, Tuning((2,), ALL, "l2"))["2"]
    assert ev.threshold(scores, "chi2", 0.05) is None
    assert ev.threshold(scores, "hotelling", 0.05) is None


def test_without_calibration_images_there_is_no_split_conformal_threshold(detector, features, anomalous):
    projected = ev.Projected.of(replace(detector, calibration=None), features[100:])
    points, _ = ev.working_points(ev.level_scores(projected, TUNING)["sum"], anomalous, 0.1)
    assert [a.point.method for a in points] == ["chi2", *CROSS]


def test_what_the_images_cannot_support_is_refused_with_the_number_and_the_rest_goes_on(projected, anomalous):
    points, refused = ev.working_points(ev.level_scores(projected, TUNING)["1"], anomalous, 0.02)
    assert [a.point.method for a in points] == ["chi2", "hotelling", "cross-conformal"]
    assert "49" in refused["split-conformal"]  # 40 calibration images, 1 / 0.02 - 1 needed


def test_unlabelled_test_images_leave_the_rates_unknown(detector, features):
    projected = ev.Projected.of(detector, features[:0])
    points, _ = ev.working_points(ev.level_scores(projected, TUNING)["sum"], np.zeros(0, bool), 0.1)
    assert points[0].test is None
    assert points[0].tpr is None
    assert points[0].left_out.n == 60


def test_one_kind_of_test_images_cannot_be_evaluated(projected):
    with pytest.raises(GadError, match="add the missing kind"):
        ev.evaluate(ev.level_scores(projected, TUNING), np.zeros(60, bool))


def test_the_law_of_regions_knows_every_region_and_makes_the_score_of_them(stripes):
    engine = load_engine("tf_efficientnet_lite0")
    images = read_dataset(stripes).train
    detector = fit_images(images, engine, FitSettings(n_folds=5)).detector
    tuning, known = detector.tuning, detector.by_region
    law = ev.level_scores(ev.Projected.of(detector, detector.training.features[:3]), tuning)["sum"].law
    assert len(law.dimensions) == len(tuning.levels) * len(known.inside)
    gaussian = known.gaussians[0][0]
    assert law.dimensions[0] == gaussian.spectrum.dimension(tuning.reduction)
    expected = tuning.pool(known.standard(tuning)(known.left_out_distances(tuning)))
    np.testing.assert_allclose(law.combine(law.left_out), expected)


def test_an_extrapolated_threshold_is_judged_by_no_image_that_made_it(projected, anomalous):
    rng = np.random.default_rng(0)
    whole = ev.level_scores(projected, TUNING)["sum"]
    many = replace(whole, left_out=rng.exponential(size=500), folds=np.arange(500) % 20, calibration=None)
    points, refused = ev.working_points(many, anomalous, 0.001)
    (pareto,) = [rates for rates in points if rates.point.method == "pareto"]
    assert pareto.left_out is None
    assert 5 < pareto.point.threshold < 9  # the truth is 6.9
    assert "cross-conformal" in refused
    points, refused = ev.working_points(many, anomalous, 0.2)
    assert "choose a method that goes by ranks" in refused["pareto"]
