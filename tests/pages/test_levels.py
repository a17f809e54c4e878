"""Levels & NPCA: what is claimed of a covariance, of the best cell and of the sum, on wide and on narrow windows."""

import re
from itertools import pairwise
from urllib.parse import urlencode

import numpy as np
import pytest
from playwright.sync_api import expect
from sklearn.covariance import LedoitWolf
from sklearn.metrics import roc_auc_score

from gad_core.decision.soundness import SPHERE
from gad_core.features.registry import get_backbone
from gad_core.gaussian.reduction import REDUCTIONS
from gad_core.gaussian.settings import FitSettings
from gad_core.gaussian.tuning import Tuning
from gad_core.workspace.imports import add_upload
from gad_core.workspace.steps import fit_dataset
from pages.shared import resources
from tests.pages.script import charts, components, metrics, run

SETTLED = '[data-testid=stApp][data-test-script-state="notRunning"]'


def captions(app) -> str:
    return "\n".join(caption.value.replace("\\", "") for caption in app.caption)


@pytest.fixture
def loose(home, stripes) -> dict[str, str]:
    """Twelve good images alone, as somebody would have them who has just begun, and a detector fitted to them."""
    store = resources.store()
    files = [(path.name, path.read_bytes()) for path in sorted((stripes / "train" / "good").iterdir())[:12]]
    row = add_upload(store, files, name="loose")
    return {"data": row.id, "detector": fit_dataset(store, row.id, FitSettings(), cache=store.feature_cache()).id}


@pytest.fixture
def detector(ids):
    return resources.detector(resources.store().detectors.get(ids["detector"]))


def shrinkages(detector) -> dict[int, float]:
    """Of the levels in the sum, from scikit-learn on the coordinates that are kept."""
    found = {}
    for level in detector.tuning.levels:
        features = detector.training.features[:, detector.slices[level - 1]].astype(float)
        centred = features - features.mean(axis=0)
        axes = np.linalg.svd(centred, full_matrices=False)[2]
        kept = detector.gaussians[level - 1].spectrum.components(detector.tuning.reduction)
        found[level] = LedoitWolf(assume_centered=True).fit(centred @ axes[kept].T).shrinkage_
    return found


@pytest.mark.parametrize("page", ["levels", "fit"])
def test_where_shrinkage_leaves_nothing_the_page_says_that_no_covariance_was_learned(loose, page):
    detector = resources.detector(resources.store().detectors.get(loose["detector"]))
    poor = [level for level, shrinkage in shrinkages(detector).items() if shrinkage >= SPHERE]
    assert poor  # twelve images
    app = run(f"pages/{page}.py", **loose)
    levels, dimensions = re.search(
        r"No covariance was learned at levels? (\S+) .*n is too small \(n = 12 for D = ([\d, ]+)\)", captions(app)
    ).groups()
    first, _, last = levels.partition("-")
    assert [*range(int(first), int(last or first) + 1)] == poor
    assert dimensions.split(", ") == [str(get_backbone(detector.backbone).channels[level - 1]) for level in poor]
    assert "keeps the covariance sound" not in captions(app)


def test_the_best_single_level_and_the_sum_are_both_named_with_what_they_reach(ids, detector):
    store = resources.store()
    test = resources.test_images(store.detectors.get(ids["detector"]), store.datasets.get(ids["data"]))

    def area(tuning: Tuning, name: str) -> float:
        return 100 * roc_auc_score(test.images.labels, resources.scores(test, tuning)[name].test)

    app = run("pages/levels.py", **ids, pool="whole", levels="6-8")
    found = re.search(
        r"Best single level on these images: level (\d) with (.+?), ([\d.]+) %;.* The sum reaches (more|less|as much): "
        r"([\d.]+) % with (.+?)\.",
        captions(app),
    )
    level, kept, alone, word, summed, kept_sum = found.groups()
    names = {
        "all components" if one.kind == "all" else f"{one.kind.upper()} {100 * one.variance:g} %": one
        for one in REDUCTIONS
    }
    levels = (6, 7, 8)
    assert float(alone) == pytest.approx(area(Tuning((int(level),), names[kept], "mahalanobis"), level), abs=0.06)
    assert float(summed) == pytest.approx(area(Tuning(levels, names[kept_sum], "mahalanobis"), "sum"), abs=0.06)
    assert word == ("as much" if alone == summed else "more" if float(summed) > float(alone) else "less")
    assert metrics(app)["Best single level"] == f"{alone} %"


def test_without_labels_the_map_is_bright_where_left_out_parts_lie_as_far_as_fitted_ones(loose):
    app = run("pages/levels.py", **loose)
    assert "the median distance of left-out parts" in components(app, "chart")["reduction_map"]["alt"]
    tiles, clicks = charts(app)["reduction_map"]["data"][:2]
    store = resources.store()
    test = resources.test_images(store.detectors.get(loose["detector"]), store.datasets.get(loose["data"]))
    ratios = resources.inflation(test, "mahalanobis")
    said = np.array([float(text.rsplit(" ", 1)[1]) for text in clicks["text"]])
    np.testing.assert_allclose(said, ratios.ravel(), atol=0.006)
    assert tiles["zmax"] == 0


@pytest.mark.browser
def test_at_900_pixels_no_two_labels_of_a_chart_collide_and_none_is_cut(server, fitted, tab):
    page = tab(viewport={"width": 900, "height": 900})
    page.goto(f"{server}/levels?{urlencode(fitted[1])}")
    expect(page.locator(".st-key-reduction_map .xtick text").first).to_be_visible()
    expect(page.locator(SETTLED)).to_be_visible()
    for chart in page.locator(".gad-chart").all():
        chart.scroll_into_view_if_needed()
        whole = chart.bounding_box()
        for kind in (".xtick text", ".ytick text", ".textpoint text", ".annotation text", ".xtitle", ".ytitle"):
            boxes = [box for one in chart.locator(kind).all() if (box := one.bounding_box()) and box["width"]]
            for box in boxes:
                assert whole["x"] <= box["x"]
                assert box["x"] + box["width"] <= whole["x"] + whole["width"] + 1
            for one, other in pairwise(sorted(boxes, key=lambda box: (box["x"], box["y"]))):
                apart = (
                    one["x"] + one["width"] <= other["x"] + 1
                    or one["y"] + one["height"] <= other["y"] + 4
                    or other["y"] + other["height"] <= one["y"] + 4
                )
                assert apart, f"{kind}: {one} and {other}"
