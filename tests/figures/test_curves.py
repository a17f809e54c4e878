"""ROC and precision-recall with the chosen threshold."""

import numpy as np
import pytest

from gad_core.decision.curves import auroc, precision_recall, roc
from gad_core.decision.rates import rate
from gad_core.figures import precision_recall_curve, roc_curve

SCORES = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
ANOMALOUS = np.array([False, False, True, False, True, True])


def test_the_roc_is_in_percent_and_ends_in_the_corners():
    figure = roc_curve(roc(SCORES, ANOMALOUS), auroc(SCORES, ANOMALOUS), chosen=(rate(1, 3), rate(2, 3)))
    line = figure.data[1]
    assert (line.x[0], line.y[0], line.x[-1], line.y[-1]) == (0, 0, 100, 100)


def test_the_chosen_threshold_has_whiskers_to_the_ends_of_both_intervals():
    alarms, caught = rate(1, 3), rate(2, 3)
    figure = roc_curve(roc(SCORES, ANOMALOUS), auroc(SCORES, ANOMALOUS), chosen=(alarms, caught))
    point = figure.data[2]
    assert (point.x[0], point.y[0]) == pytest.approx((100 / 3, 200 / 3))
    assert point.x[0] + point.error_x.array[0] == pytest.approx(100 * alarms.high)
    assert point.y[0] - point.error_y.arrayminus[0] == pytest.approx(100 * caught.low)


def test_the_roc_names_its_area_in_percent():
    figure = roc_curve(roc(SCORES, ANOMALOUS), auroc(SCORES, ANOMALOUS), chosen=(rate(1, 3), rate(2, 3)))
    assert "88.9" in figure.layout.annotations[0].text  # 8 of 9 pairs in order


def test_precision_at_the_threshold_is_the_share_of_alarms_that_are_right():
    figure = precision_recall_curve(precision_recall(SCORES, ANOMALOUS), chosen=(rate(1, 3), rate(2, 3)))
    assert figure.data[1].y[0] == pytest.approx(200 / 3)


def test_without_an_alarm_there_is_no_precision_to_draw():
    figure = precision_recall_curve(precision_recall(SCORES, ANOMALOUS), chosen=(rate(0, 3), rate(0, 3)))
    assert len(figure.data) == 1


def test_an_adopted_threshold_is_an_open_diamond_at_its_rates():
    curve, area, chosen = roc(SCORES, ANOMALOUS), auroc(SCORES, ANOMALOUS), (rate(1, 3), rate(2, 3))
    figure = roc_curve(curve, area, chosen=chosen, adopted=(rate(0, 3), rate(1, 3)))
    marker = figure.data[-1]
    assert marker.marker.symbol == "diamond-open"
    assert (marker.x[0], marker.y[0]) == (0, pytest.approx(100 / 3))
    assert len(roc_curve(curve, area, chosen=chosen).data) == len(figure.data) - 1


def test_without_a_threshold_the_curves_are_drawn_and_no_point():
    curve, area = roc(SCORES, ANOMALOUS), auroc(SCORES, ANOMALOUS)
    assert not [trace for trace in roc_curve(curve, area).data if trace.mode == "markers"]
    (line,) = precision_recall_curve(precision_recall(SCORES, ANOMALOUS)).data
    assert list(line.x) == pytest.approx([100 / 3, 200 / 3, 200 / 3, 100, 100, 100])
