"""A strip chart of parts that were imaged several times."""

import numpy as np
import plotly.graph_objects as go

from gad_core.decision.repeatability import repeatability
from gad_core.figures import DEFECT, LEFT_OUT, repeated_distances


def study(n_parts=3, name="part {}"):
    scores = np.add.outer(np.linspace(1, 4, n_parts), [0.0, 0.1, 0.25]).ravel()
    names = [name.format(i) for i in range(n_parts) for _ in range(3)]
    return repeatability(scores, names, threshold=3.0, centre=1.5), scores


def test_every_picture_stands_in_the_row_of_its_part_and_those_above_the_threshold_in_the_colour_of_defects():
    found, scores = study()
    figure = repeated_distances(found)
    go.Figure(figure.to_dict())  # validates
    pictures = figure.data[1]
    np.testing.assert_allclose(pictures.x, scores)
    assert list(pictures.y) == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert list(pictures.marker.color) == [DEFECT if score > 3 else LEFT_OUT for score in scores]
    assert list(figure.layout.yaxis.ticktext) == ["part 0", "part 1", "part 2"]


def test_threshold_and_median_are_lines_within_the_axis():
    layout = repeated_distances(study()[0]).layout
    assert sorted(shape.x0 for shape in layout.shapes) == [1.5, 3.0]
    low, high = layout.xaxis.range
    assert low < 1.0
    assert high > 4.25


def test_a_name_from_outside_is_text_and_many_names_are_left_to_the_tooltip():
    assert repeated_distances(study(name="<b>{}</b>")[0]).layout.yaxis.ticktext[0] == "&lt;b&gt;0&lt;/b&gt;"
    many = repeated_distances(study(200)[0])
    assert not many.layout.yaxis.ticktext
    assert many.layout.height <= 900
    assert many.data[1].hovertext[-1].startswith("part 199: distance")
