"""Good-looking parts against the calibration: false alarms, delays, and what the sentence says."""

import json
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.monitoring import RUNS, TARGET, alarms, scores_of
from gad_core.decision.drift import judge_in_order, watch, watch_at
from gad_core.decision.martingale import log_martingale, normal_scores, online_p_values
from gad_core.decision.rates import rate
from gad_core.decision.verdict import own_scores
from gad_core.decision.working_point import split_conformal
from gad_core.errors import GadError
from gad_core.gaussian.tuning import WorkingPoint


def drift_of(shift, *, start=100, n=220, lots=None, seed=1):
    rng = np.random.default_rng(seed)
    normal, test = rng.normal(5, 1, 200), rng.normal(5, 1, n)
    test[start:] += shift
    threshold = split_conformal(normal, TARGET).threshold
    return watch(scores_of(normal, test), threshold, target_fpr=TARGET, lots=lots), normal, test, threshold


def test_while_nothing_changes_at_most_5_percent_of_runs_alarm():
    places = alarms(0, 0.0, n_parts=200, runs=RUNS, names=["normal jumper"])["normal jumper"]
    count = int(np.isfinite(places).sum())
    assert rate(count, RUNS).low < 0.05
    assert 5 < count <= 0.05 * RUNS


@pytest.mark.parametrize("shift", [1.0, -1.0])
def test_a_shift_of_one_standard_deviation_alarms_within_60_parts_and_faster_than_other_bets(shift):
    found = alarms(100, shift, n_parts=400, runs=150)
    delays = {name: np.median(places[places >= 100] - 99) for name, places in found.items()}
    assert delays["normal jumper"] <= 60
    assert delays["normal jumper"] == min(delays.values())


def test_p_values_of_what_lies_strictly_below_a_conformal_threshold_stay_uniform():
    """With 19 scores the threshold is the highest: were it kept, every part below would rank below it."""
    rng = np.random.default_rng(2)
    means = []
    for run in range(3000):
        normal, test = rng.normal(size=19), rng.normal(size=8)
        threshold = split_conformal(normal, TARGET).threshold
        means += watch(scores_of(normal, test), threshold, target_fpr=TARGET, seed=run).p_values[:1].tolist()
    error = np.std(means) / np.sqrt(len(means))
    assert np.mean(means) == pytest.approx(0.5, abs=3 * error)
    assert error < 0.006  # with the threshold kept the mean is 1/2 + 1/40


def test_flagged_parts_and_normal_scores_from_the_threshold_on_take_no_part():
    drift, normal, test, threshold = drift_of(1.0)
    np.testing.assert_array_equal(drift.places, np.flatnonzero(test < threshold))
    assert drift.n_normal == (normal < threshold).sum() == 190
    assert (drift.flagged.count, drift.flagged.n) == ((test > threshold).sum(), 220)
    p_values = online_p_values(normal[normal < threshold], test[test < threshold])
    np.testing.assert_array_equal(drift.p_values, p_values)
    np.testing.assert_array_equal(drift.log_martingale, log_martingale(normal_scores(p_values)))


@pytest.mark.parametrize(("shift", "direction"), [(1.5, "higher"), (-1.5, "lower")])
def test_the_sentence_says_what_moved_since_when_and_what_to_do(shift, direction):
    lots = [f"L{i // 10}" for i in range(220)]
    drift, *_ = drift_of(shift, lots=lots)
    assert drift.direction == direction
    assert abs(drift.since - 100) <= 10
    assert 100 <= drift.alarm < 140
    assert f"are {direction} since about part {drift.since + 1}" in drift.sentence
    assert f"recalibrate with the images from part {drift.since + 1} on" in drift.sentence
    kept = np.searchsorted(drift.places, [drift.since, drift.alarm])
    assert drift.shift == pytest.approx(drift.normal_scores[kept[0] : kept[1] + 1].mean())
    outside = [lot.name for lot in drift.lots if lot.outside]
    assert outside
    assert all(int(name[1:]) >= 10 for name in outside)


def test_the_sentence_names_the_lot_that_begins_with_the_shift():
    drift, *_ = drift_of(-2.5)
    lots = [f"L{int(i >= drift.since)}" for i in range(220)]
    assert f"part {drift.since + 1} (the first of L1)" in drift_of(-2.5, lots=lots)[0].sentence


def test_without_an_alarm_the_sentence_says_how_far_from_one_it_is():
    drift, *_ = drift_of(0.0)
    assert (drift.alarm, drift.since, drift.shift, drift.direction) == (None,) * 4
    highest = max(1.0, np.exp(drift.log_martingale).max())
    assert drift.sentence.startswith("no alarm: ")
    assert f"{highest:.3g} to 1, alarm from 20 to 1" in drift.sentence


def test_parts_that_are_all_flagged_are_no_all_clear():
    drift, *_ = drift_of(20.0, start=0, n=30)
    assert (len(drift.places), drift.alarm, drift.flags_too_many) == (0, None, True)
    assert drift.sentence.startswith("30 of 30 parts are flagged, where 5 % of good ones would be: look at these first")
    assert drift.sentence.endswith("no part is left to compare")
    json.dumps(drift.to_json(), allow_nan=False)


def test_json_has_plain_findings_even_where_the_evidence_overflows():
    drift, *_ = drift_of(1.5, lots=["a"] * 110 + ["b"] * 110)
    overflowing = replace(drift, log_martingale=drift.log_martingale + 2000)
    report = json.loads(json.dumps(overflowing.to_json(), allow_nan=False))
    assert report["log10_martingale_max"] > 800
    assert (report["alarm"], report["since"], report["direction"]) == (drift.alarm, drift.since, "higher")
    assert [lot["lot"] for lot in report["lots"]] == ["a", "b"]
    assert report["outside"] == drift.places[drift.outside].tolist()


def test_the_bound_is_a_theorem_only_with_separate_images_that_stand_alone():
    scores = scores_of(np.arange(50.0), np.arange(10.0))
    assert watch(scores, 40.0, target_fpr=TARGET).exact
    assert not watch(replace(scores, calibration=None), 40.0, target_fpr=TARGET).exact
    assert not watch(replace(scores, calibration_groups=["a"] * 50), 40.0, target_fpr=TARGET).exact


def test_a_detector_is_watched_at_its_own_threshold(detector, features):
    verdict, drift = judge_in_order(detector, features[100:])
    calibration = own_scores(detector, features).calibration
    assert drift.n_normal == (calibration < verdict.threshold).sum()
    np.testing.assert_array_equal(drift.places, np.flatnonzero(~verdict.anomalous))
    assert drift.target_fpr == 0.05


@pytest.mark.parametrize("alpha", [0, 1, -0.1, float("nan")])
def test_a_chance_outside_0_and_1_is_refused(alpha):
    with pytest.raises(GadError, match="lies between 0 and 1"):
        watch(scores_of(np.arange(50.0), np.arange(10.0)), 40.0, target_fpr=TARGET, alpha=alpha)


def test_a_threshold_below_every_normal_score_leaves_nothing_to_compare_with():
    with pytest.raises(GadError, match="no normal score lies below the threshold -1"):
        watch(scores_of(np.arange(50.0), np.arange(10.0)), -1.0, target_fpr=TARGET)


def test_the_bound_is_no_theorem_where_the_threshold_is_extrapolated(detector, features):
    scores = own_scores(detector, features[100:])
    assert scores.is_independent
    for method, exact in (("split-conformal", True), ("chi2", True), ("pareto", False)):
        point = WorkingPoint(method, 0.05, float(np.quantile(scores.normal, 0.9)), 40, "by hand")
        assert watch_at(point, scores).exact is exact
