"""Verdicts follow the adopted threshold, or the method and target asked for."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from gad_core.decision.verdict import Judge, judge
from gad_core.errors import GadError
from gad_core.gaussian.levels import sum_levels
from gad_core.gaussian.reduction import ALL, Reduction
from gad_core.gaussian.tuning import Tuning, WorkingPoint


def test_the_default_is_cross_conformal_at_five_percent(detector, features):
    verdict = judge(detector, features[100:])
    left_out = np.sort(sum_levels(detector.left_out_distances(Reduction("npca", 0.5)), (1, 2)))
    assert verdict.threshold == left_out[57]  # ceil(61 * 0.95) = 58th of 60
    np.testing.assert_array_equal(verdict.scores, detector.scores(features[100:]))
    np.testing.assert_array_equal(verdict.anomalous, verdict.scores > left_out[57])


def test_an_adopted_threshold_decides_unless_something_else_is_asked_for(detector, features):
    point = WorkingPoint("chi2", 0.01, 3.25, 60, "by hand", level="2")
    adopted = replace(detector, working_point=point)
    verdict = judge(adopted, features[100:])
    assert (verdict.threshold, verdict.how) == (3.25, "by hand")
    np.testing.assert_array_equal(
        verdict.scores, detector.distances(detector.coordinates(features[100:]), Reduction("npca", 0.5))[:, 1]
    )


def test_a_new_target_keeps_the_adopted_level_and_method(detector, features):
    point = WorkingPoint("chi2", 0.01, 3.25, 60, "by hand", level="2")
    verdict = judge(replace(detector, working_point=point), features[100:], target_fpr=0.05)
    k = detector.gaussians[1].spectrum.dimension(Reduction("npca", 0.5))
    assert verdict.threshold**2 == pytest.approx(stats.chi2.isf(0.05, k))
    np.testing.assert_array_equal(
        verdict.scores, detector.distances(detector.coordinates(features[100:]), Reduction("npca", 0.5))[:, 1]
    )


def test_one_tuned_level_may_be_judged_by_a_law(detector, features):
    single = replace(detector, tuning=Tuning((1,), ALL))
    chi2 = judge(single, features[100:], method="chi2", target_fpr=0.03)
    assert chi2.threshold**2 == pytest.approx(stats.chi2.isf(0.03, 8))
    np.testing.assert_allclose(chi2.p_values, stats.chi2.sf(chi2.scores**2, 8))
    hotelling = judge(single, features[100:], method="hotelling", target_fpr=0.03)
    assert hotelling.threshold > chi2.threshold
    np.testing.assert_array_equal(hotelling.p_values < 0.03, hotelling.anomalous)


def test_split_conformal_p_values_come_from_the_calibration_images(detector, features):
    verdict = judge(detector, features[100:], method="split-conformal", target_fpr=0.1)
    calibration = detector.scores(features[60:100])
    expected = [(1 + (calibration >= score).sum()) / 41 for score in verdict.scores]
    np.testing.assert_allclose(verdict.p_values, expected)


@pytest.mark.parametrize(("method", "words"), [("hotelling", "one level"), ("bayes", "choose one of chi2")])
def test_a_method_that_cannot_serve_says_what_can(detector, features, method, words):
    with pytest.raises(GadError, match=words):
        judge(detector, features[100:], method=method)


def test_split_conformal_without_calibration_images_says_how_to_get_them(detector, features):
    with pytest.raises(GadError, match="--calibration"):
        judge(replace(detector, calibration=None), features[100:], method="split-conformal")


def test_within_a_review_band_a_person_decides(detector, features):
    point = WorkingPoint("cross-conformal", 0.05, 1.0, 60, "by hand", reject_above=2.0, reject_fpr=0.01)
    verdict = replace(
        judge(replace(detector, working_point=point), features[100:102]), scores=np.array([0.5, 1.0, 1.5, 2.0, 2.5])
    )
    assert verdict.outcomes == ["good", "good", "review", "review", "anomalous"]
    assert verdict.anomalous.tolist() == [False, False, True, True, True]
    assert replace(verdict, reject_above=None).outcomes == ["good", "good", "anomalous", "anomalous", "anomalous"]


@pytest.mark.parametrize(
    "point",
    [
        None,
        WorkingPoint("chi2", 0.01, 3.25, 60, "by hand", level="2"),
        WorkingPoint("split-conformal", 0.1, 3.0, 40, "by hand", reject_above=5.0, reject_fpr=0.03),
    ],
)
def test_one_who_judges_often_says_the_same(detector, features, point):
    adopted = replace(detector, working_point=point)
    once, often = judge(adopted, features[100:]), Judge.of(adopted)(features[100:])
    np.testing.assert_allclose(often.scores, once.scores)
    np.testing.assert_allclose(often.p_values, once.p_values)
    assert (often.threshold, often.reject_above, often.outcomes) == (once.threshold, once.reject_above, once.outcomes)
