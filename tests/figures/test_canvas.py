"""What holds for every figure."""

import json

import numpy as np
import plotly.graph_objects as go
import pytest

from gad_core.decision.costs import Band
from gad_core.decision.curves import auroc, precision_recall, roc
from gad_core.decision.rates import rate
from gad_core.figures import (
    DEFECT,
    Lines,
    level_areas,
    precision_recall_curve,
    promised_against_achieved,
    rate_bars,
    roc_curve,
    score_ecdf,
    score_histogram,
)
from gad_core.figures.canvas import diagonal, horizontal, vertical

LINES = Lines(30.0, adopted=25.0, predicted=9.0, review=Band(30.0, 45.0))
CHOSEN = (rate(2, 20), rate(60, 63))


@pytest.fixture(
    params=["score_histogram", "score_ecdf", "roc_curve", "precision_recall", "promises", "rate_bars", "level_areas"]
)
def figure(request, groups):
    scores = np.concatenate([groups["good test"][0], groups["defects"][0]])
    anomalous = np.arange(len(scores)) >= 20
    area = auroc(scores, anomalous)
    return {
        "score_histogram": lambda: score_histogram(groups, LINES),
        "score_ecdf": lambda: score_ecdf(groups, LINES),
        "roc_curve": lambda: roc_curve(roc(scores, anomalous), area, chosen=CHOSEN),
        "precision_recall": lambda: precision_recall_curve(precision_recall(scores, anomalous), chosen=CHOSEN),
        "promises": lambda: promised_against_achieved(
            (0.01, 0.05, 0.2), {"cross-conformal": [None, rate(9, 200), rate(41, 200)]}, 0.05
        ),
        "rate_bars": lambda: rate_bars({"scratch": rate(5, 10)}, DEFECT),
        "level_areas": lambda: level_areas({"1": area, "sum": area}, (1,)),
    }[request.param]()


def test_plotly_knows_every_property(figure):
    go.Figure(figure.to_dict())  # raises on a name or a value that it does not know; `figure` skips this for speed


def test_a_zoom_survives_and_the_page_shines_through(figure):
    layout = figure.layout
    assert layout.uirevision
    assert layout.paper_bgcolor == layout.plot_bgcolor == "rgba(0,0,0,0)"


def test_what_is_sent_to_the_browser_is_small_and_finite(figure):
    def refuse(constant):
        raise AssertionError(constant)

    text = figure.to_json()
    assert len(text) < 25_000
    json.loads(text, parse_constant=refuse)  # NaN and Infinity are no JSON


@pytest.mark.parametrize(("x", "anchor"), [(1.5, "left"), (30.0, "center"), (900.0, "right")])
def test_the_name_of_a_line_stays_within_the_plot(x, anchor):
    _, label = vertical(x, "threshold", (1.0, 1000.0), log=True)
    assert label["xanchor"] == anchor


def test_straight_lines_run_where_they_say():
    across, both = horizontal(3.0), diagonal(1.0, 9.0)
    assert (across["xref"], across["x0"], across["x1"], across["y0"], across["y1"]) == ("paper", 0, 1, 3, 3)
    assert (both["x0"], both["y0"], both["x1"], both["y1"]) == (1, 1, 9, 9)


def fonts(part):
    """Every font of a part of a figure, wherever it stands."""
    inner = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list | tuple) else ()
    for name, value in inner:
        yield from [value] if "font" in str(name) else fonts(value)


def test_every_text_can_be_read_from_a_projector(figure):
    written = figure.to_dict()
    assert written["layout"]["font"]["size"] >= 14
    assert all(font.get("size", 14) >= 14 for font in fonts(written))
    assert len(list(fonts(written))) > 4
