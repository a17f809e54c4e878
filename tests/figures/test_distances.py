"""Histogram and distribution function of scores."""

import numpy as np
import pytest

from gad_core.decision.costs import Band
from gad_core.figures import INK, LEFT_OUT, Lines, score_ecdf, score_histogram
from gad_core.figures.palette import PROMISE, faint


def pale(figure):
    """The histogram of each group; what lies above the threshold is drawn over it."""
    return figure.data[::2]


def test_the_histogram_shows_every_image_once(groups):
    figure = score_histogram(groups, Lines(30.0))
    for trace, (scores, _) in zip(pale(figure), groups.values(), strict=True):
        assert trace.customdata[:, 0].sum() == len(scores)


def test_the_histogram_has_its_counts_where_numpy_has_them(groups):
    figure = score_histogram(groups, Lines(30.0))
    scores, _ = groups["defects"]
    for count, low, high, row in pale(figure)[2].customdata:
        assert count == np.count_nonzero((scores >= low) & (scores < high))
        assert row == 2


def test_the_full_colour_begins_at_the_threshold(groups):
    below, above = score_histogram(groups, Lines(30.0)).data[:2]
    assert (below.marker.color, above.marker.color) == (faint(LEFT_OUT, 0.45), LEFT_OUT)
    starts = above.x - above.width / 2
    assert starts.min() == pytest.approx(30.0)
    edges = below.customdata[:, 1]
    np.testing.assert_allclose(starts[1:], edges[edges > 30.0])
    np.testing.assert_allclose((above.x + above.width / 2)[-1], below.customdata[-1, 2])


def test_the_bin_of_the_threshold_has_one_height_on_both_sides(groups):
    below, above = score_histogram(groups, Lines(20.0)).data[:2]
    (bin_of,) = np.flatnonzero((below.customdata[:, 1] <= 20.0) & (below.customdata[:, 2] > 20.0))
    np.testing.assert_array_equal(above.y, below.y[bin_of:])
    assert above.y[0] > 0


def test_the_slider_of_a_page_can_lead_the_threshold_to_both_ends_of_the_axis(groups):
    low, high = 10 ** np.array(score_histogram(groups, Lines(30.0, reach=(0.2, 9000.0))).layout.xaxis.range)
    assert low < 0.2
    assert high > 9000


def test_the_threshold_stands_at_its_value_and_its_label_at_the_logarithm(groups):
    figure = score_histogram(groups, Lines(31.62))
    line = next(shape for shape in figure.layout.shapes if shape.yref == "paper")
    assert (line.x0, line.x1, line.line.color) == (31.62, 31.62, INK)
    assert figure.layout.annotations[0].x == pytest.approx(1.5, abs=1e-4)
    assert figure.layout.annotations[0].text == "threshold 31.6"


@pytest.mark.parametrize("draw", [score_histogram, score_ecdf])
def test_the_adopted_threshold_is_a_dashed_line_beside_the_present_one(groups, draw):
    figure = draw(groups, Lines(30.0, 5000.0))
    present, adopted = (shape for shape in figure.layout.shapes if shape.yref == "paper")
    assert (present.x0, adopted.x0, adopted.line.dash) == (30, 5000, "dash")
    assert "adopted 5,000" in [label.text for label in figure.layout.annotations]
    assert 10 ** figure.layout.xaxis.range[1] > 5000


@pytest.mark.parametrize("adopted", [None, 30.0])
def test_without_another_adopted_threshold_there_is_one_line(groups, adopted):
    shapes = score_histogram(groups, Lines(30.0, adopted)).layout.shapes
    assert [shape.x0 for shape in shapes if shape.yref == "paper"] == [30]


@pytest.mark.parametrize("threshold", [0.5, 5000.0])
@pytest.mark.parametrize("draw", [score_histogram, score_ecdf])
def test_the_axis_reaches_from_the_first_image_to_the_last_and_to_the_threshold(groups, draw, threshold):
    low, high = 10 ** np.array(draw(groups, Lines(threshold)).layout.xaxis.range)
    scores = np.concatenate([scores for scores, _ in groups.values()])
    assert low <= min(scores.min(), threshold)
    assert high >= max(scores.max(), threshold)


@pytest.mark.parametrize("draw", [score_histogram, score_ecdf])
@pytest.mark.parametrize("threshold", [0.0, 1.5])
def test_a_distance_of_zero_and_a_group_without_images_can_be_drawn(draw, threshold):
    figure = draw({"left out": (np.array([0.0, 1.0, 2.0]), LEFT_OUT), "test": (np.array([]), INK)}, Lines(threshold))
    assert len(figure.data) == (2 if draw is score_histogram else 1)  # of one group
    assert np.isfinite(figure.layout.xaxis.range).all()


def test_the_distribution_function_gives_the_share_at_or_below(groups):
    figure = score_ecdf(groups, Lines(30.0))
    scores, _ = groups["good test"]
    x, y = figure.data[1].x, figure.data[1].y
    for at in np.quantile(scores, [0.1, 0.5, 0.9]):
        assert y[np.searchsorted(x, at, side="right") - 1] == pytest.approx(100 * np.mean(scores <= at))
    assert y[-1] == 100


def test_every_group_is_named_with_its_number_of_images(groups):
    histogram, ecdf = (draw(groups, Lines(30.0)) for draw in (score_histogram, score_ecdf))
    assert list(histogram.layout.yaxis.ticktext) == [
        "left-out good<br>n = 209",
        "good test<br>n = 20",
        "defects<br>n = 63",
    ]
    words = " ".join(label.text for label in ecdf.layout.annotations)
    assert all(name in words for name in ("left-out good, n = 209", "good test, n = 20", "defects, n = 63"))


@pytest.mark.parametrize("draw", [score_histogram, score_ecdf])
def test_the_predicted_threshold_is_a_grey_dashed_line_beside_the_chosen_one(groups, draw):
    figure = draw(groups, Lines(30.0, predicted=9.0))
    chosen, predicted = (shape for shape in figure.layout.shapes if shape.yref == "paper")
    assert (chosen.x0, predicted.x0) == (30, 9)
    assert (predicted.line.color, predicted.line.dash) == (PROMISE, "dash")
    assert "chi-square 9" in [label.text for label in figure.layout.annotations]
    assert 10 ** figure.layout.xaxis.range[0] < 9


@pytest.mark.parametrize("draw", [score_histogram, score_ecdf])
def test_the_review_band_is_shaded_from_the_one_threshold_to_the_other(groups, draw):
    figure = draw(groups, Lines(20.0, review=Band(20.0, 45.0)))
    (band,) = (shape for shape in figure.layout.shapes if shape.type == "rect")
    assert (band.x0, band.x1, band.y0, band.y1) == (20, 45, 0, 1)
    (name,) = (label for label in figure.layout.annotations if label.text == "review")
    assert 10**name.x == pytest.approx(20)


@pytest.mark.parametrize("draw", [score_histogram, score_ecdf])
def test_without_a_threshold_every_image_is_drawn_and_no_line(groups, draw):
    figure = draw(groups, Lines())
    assert len(figure.data) == 3
    assert not [shape for shape in figure.layout.shapes if shape.yref == "paper"]
    assert not [label for label in figure.layout.annotations if "threshold" in label.text]


def test_without_a_threshold_no_bar_counts_as_flagged(groups):
    colours = [trace.marker.color for trace in score_histogram(groups, Lines()).data]
    assert colours == [faint(colour, 0.45) for _, colour in groups.values()]


def test_scores_below_zero_stand_on_a_linear_axis():
    groups = {"good": (np.array([-1.0, 0.0, 0.5]), "#123456"), "defects": (np.array([3.0, 9.0]), "#654321")}
    for draw in (score_histogram, score_ecdf):
        figure = draw(groups, Lines(threshold=0.7, adopted=0.2))
        assert figure.layout.xaxis.type is None
        assert figure.layout.xaxis.range == pytest.approx((-1.3, 9.3))
        lines = [shape.x0 for shape in figure.layout.shapes if shape.x0 == shape.x1 and shape.yref == "paper"]
        assert lines == [0.7, 0.2]
        assert [label.x for label in figure.layout.annotations[:2]] == [0.7, 0.2]
