"""A wrong promise is visible at first glance: on the default view, before anybody scrolls."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from gad_core.data.demo import CATEGORIES
from tests.pages.test_tuning import SETTLED, open_page, query

pytestmark = pytest.mark.browser

BOTTLE = "bottle"
WIDTH, HEIGHT = 1440, 900


@pytest.fixture(scope="module")
def fits(tmp_path_factory) -> tuple[Path, dict[str, dict[str, str]]]:
    """A workspace with every demo category, and `bottle` where it is, fitted with the default settings."""
    from gad_core.gaussian.settings import FitSettings
    from gad_core.workspace.imports import add_demo, add_folder
    from gad_core.workspace.steps import fit_dataset
    from gad_core.workspace.store import Store

    home, ids = tmp_path_factory.mktemp("fits"), {}
    bottle = Path(__file__).parents[3] / "shared" / "data" / BOTTLE
    with Store(home) as store:
        for category in (*CATEGORIES, BOTTLE):
            if category != BOTTLE:
                dataset = add_demo(store, category)
            elif bottle.is_dir():
                dataset = add_folder(store, bottle)
            else:
                continue
            detector = fit_dataset(store, dataset.id, FitSettings(), cache=store.feature_cache())
            ids[category] = {"data": dataset.id, "detector": detector.id}
    return home, ids


@pytest.fixture(scope="module")
def address(fits, serve):
    """A server over that workspace."""
    with serve(fits[0]) as url:
        yield url


@pytest.mark.parametrize("category", [*CATEGORIES, BOTTLE])
def test_what_chi_square_promises_and_what_comes_stand_above_the_fold(address, fits, tab, category):
    if category not in fits[1]:
        pytest.skip("the data set bottle is not beside the project")
    page = tab(viewport={"width": WIDTH, "height": HEIGHT})
    open_page(page, f"{address}/working_point?{query(fits[1][category])}", "Working point")
    words = page.locator("[data-slot=distances]")
    expect(words).to_be_visible()
    expect(page.locator(".st-key-chi2_levels .main-svg").first).to_be_visible()
    expect(page.locator(SETTLED)).to_be_visible()
    expect(words).to_have_text(
        re.compile(
            r"For 5\.0 % chi-square predicts the threshold -?[\d.]+; "
            r"\d+\.\d % \[\d+\.\d, \d+\.\d\] of \d+ left-out good parts lie above it; "
            r"\d+\.\d % \[\d+\.\d, \d+\.\d\] of \d+ good test parts lie above it\."
        )
    )
    box = words.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= WIDTH
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= HEIGHT
    metric = page.get_by_test_id("stMetric").filter(has_text=re.compile(r"chi-square flags \d+\.\d %"))
    assert metric.bounding_box()["y"] + metric.bounding_box()["height"] <= HEIGHT
