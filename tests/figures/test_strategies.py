"""Images of strategies lie near their places, and none hides another."""

import numpy as np
import pytest

from gad_core import figures


def drawn(n: int, **options):
    rng = np.random.default_rng(0)
    labels = np.arange(n) % 3
    places = rng.standard_normal((n, 2)) + 8 * labels[:, None]
    tiles = [f"data:image/png;base64,{i}" for i in range(n)]
    figure = figures.strategy_map(places, labels, [str(i) for i in range(n)], tiles=tiles, **options)
    return places, labels, figure


def test_every_image_has_a_cell_of_its_own_under_its_marker():
    _, labels, figure = drawn(60)
    points = list(zip(figure.data[0].x, figure.data[0].y, strict=True))
    assert len({(round(x), round(y)) for x, y in points}) == 60  # a cell each
    assert [(one.x, one.y) for one in figure.layout.images] == points
    assert [one.source for one in figure.layout.images] == [f"data:image/png;base64,{i}" for i in range(60)]
    assert list(figure.data[0].marker.color) == [figures.cluster_colour(label) for label in labels]
    assert list(figure.data[0].customdata) == list(range(60))


def test_images_stay_in_the_order_of_their_places():
    places, _, figure = drawn(60)
    for axis, values in enumerate((figure.data[0].x, figure.data[0].y)):
        assert np.corrcoef(np.argsort(np.argsort(places[:, axis])), values)[0, 1] > 0.9


def test_without_pictures_markers_lie_where_the_embedding_has_them():
    places = np.array([[0.0, 0.0], [1.0, 0.5], [2.0, 4.0]])
    figure = figures.strategy_map(places, np.zeros(3, int), ["a", "b", "c"], chosen=2)
    x, y = figure.data[0].x, figure.data[0].y
    assert x[0] < x[1] < x[2]
    assert y[0] < y[1] < y[2]
    assert (figure.data[1].x[0], figure.data[1].y[0]) == (x[2], y[2])
    assert not figure.layout.images


def test_a_name_from_outside_is_text_and_never_markup():
    figure = figures.strategy_map(np.eye(2), np.zeros(2, int), ["<b>a</b>.png\ndent", "b &amp; c"])
    assert list(figure.data[0].text) == ["&lt;b&gt;a&lt;/b&gt;.png<br>dent", "b &amp;amp; c"]


@pytest.mark.parametrize("n_clusters", [1, 3])
def test_as_many_eigenvalues_are_marked_as_there_are_clusters(n_clusters):
    figure = figures.eigengaps(np.array([0, 0.01, 0.02, 0.5]), n_clusters)
    colours = figure.data[0].marker.color
    assert len({*colours[:n_clusters]}) == 1
    assert colours[0] not in colours[n_clusters:]
    assert figure.layout.xaxis.title.text == "number"
