"""Figures of reductions and components: what they mark, and what a click on them reports."""

import numpy as np
import plotly.graph_objects as go
import pytest

from gad_core import wording
from gad_core.figures import component_energy, eigenvalue_spectrum, reduction_heat_map
from gad_core.gaussian.reduction import REDUCTIONS


@pytest.fixture
def heat_map():
    return reduction_heat_map(
        np.arange(15.0).reshape(3, 5),
        ["PCA 50 %", "PCA 90 %", "all", "NPCA 50 %", "NPCA 10 %"],
        ["1", "2", "sum"],
        chosen=[(1, 3)],
        unit="AUROC, %",
    )


@pytest.fixture
def spectrum():
    return eigenvalue_spectrum(np.geomspace(1, 1e-3, 20), kept=slice(12, 20), n_features=50)


def test_plotly_knows_every_property(heat_map, spectrum):
    for figure in (heat_map, spectrum, component_energy(np.ones(20), None, kept=slice(0, 20))):
        go.Figure(figure.to_dict())


def test_a_click_reports_the_row_and_reduction_that_lie_below_it(heat_map):
    clicks = heat_map.data[1]
    for x, y, tile, words in zip(clicks.x, clicks.y, clicks.customdata, clicks.text, strict=True):
        row, column = divmod(tile, 5)
        assert (x, y) == (column, row)
        assert words.endswith(f"{5 * row + column:.1f}")
    assert clicks.text[13] == "sum, NPCA 50 %: 13.0"


def test_the_chosen_tile_is_outlined(heat_map):
    outline = heat_map.layout.shapes[0]
    assert (outline.x0, outline.x1, outline.y0, outline.y1) == (2.5, 3.5, 0.5, 1.5)


def test_the_boundary_lies_between_dropped_and_kept_and_the_null_dimensions_after_both(spectrum):
    dropped, kept = spectrum.data
    boundary, null = spectrum.layout.shapes
    assert dropped.x.max() < boundary.x0 < kept.x.min()
    assert spectrum.layout.annotations[0].text == "kept →"
    assert kept.x.max() < null.x0
    assert null.x1 == 50


def test_pca_keeps_what_lies_left_of_the_boundary():
    figure = eigenvalue_spectrum(np.geomspace(1, 1e-3, 20), kept=slice(0, 5), n_features=20)
    dropped, kept = figure.data
    (boundary,) = figure.layout.shapes
    assert kept.x.max() < boundary.x0 < dropped.x.min()
    assert figure.layout.annotations[0].text == "← kept"


def test_smoothing_keeps_the_mean_energy():
    energy = np.random.default_rng(0).chisquare(1, 300)
    line = component_energy(energy, None, kept=slice(0, 300)).data[0]
    edges = np.unique(np.rint(np.geomspace(1, 301, 40)).astype(int))
    assert np.average(line.y, weights=np.diff(edges)) == pytest.approx(energy.mean())


def test_a_ratio_is_brightest_at_its_ideal_and_as_dark_twice_above_as_half_below():
    ratios = np.array([[1.0, 2.0, 0.5, 4.0]])
    names = ["PCA 90 %", "all", "NPCA 50 %", "NPCA 10 %"]
    figure = reduction_heat_map(ratios, names, ["level 1"], chosen=[], unit="left-out / fitted", ideal=1.0)
    tiles = figure.data[0]
    assert tiles.zmax == 0 == tiles.z[0][0]
    assert tiles.z[0][1] == pytest.approx(tiles.z[0][2])
    assert tiles.z[0][3] < tiles.z[0][1] < tiles.z[0][0]
    assert figure.data[1].text[1] == "level 1, all: 2.00"


def test_the_labels_below_a_narrow_map_fit_beside_each_other():
    names = [wording.reduction(reduction) for reduction in REDUCTIONS]
    values = np.linspace(50, 99, 2 * len(names)).reshape(2, -1)
    x = reduction_heat_map(values, names, ["level 1", "sum"], chosen=[], unit="AUROC, %").layout.xaxis
    widest = max(len(line) for text in x.ticktext for line in text.split("<br>"))
    assert len(x.ticktext) * widest * 8 < 300 + widest * 8  # 8 pixels a character; half a label hangs out at each end
    assert len(x.title.text) * 8 < 300
