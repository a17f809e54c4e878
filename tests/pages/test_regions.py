"""A detector with regions: fitted on the page, tuned with its pool, in the link; the whole image stays a click away."""

import numpy as np
import pytest
from playwright.sync_api import expect

from gad_core.features.regions import Regions
from gad_core.gaussian.pooling import Pool
from gad_core.gaussian.reduction import NPCA_5
from gad_core.gaussian.settings import FitSettings
from gad_core.gaussian.tuning import Tuning, regional, whole_image
from gad_core.workspace.imports import add_folder
from gad_core.workspace.steps import fit_dataset
from tests.pages.script import metrics, picture_captions, run
from tests.pages.test_tuning import SETTLED, click_within


@pytest.fixture(scope="module")
def regional_ids(home, stripes) -> dict[str, str]:
    from pages.shared import resources

    store = resources.store()
    dataset = add_folder(store, stripes)
    settings = FitSettings(n_folds=5, regions=Regions(7, 7, (6, 7)))
    detector = fit_dataset(store, dataset.id, settings, cache=store.feature_cache())
    return {"data": dataset.id, "detector": detector.id}


def loaded(ids):
    from pages.shared import resources

    store = resources.store()
    return resources.test_images(store.detectors.get(ids["detector"]), store.datasets.get(ids["data"]))


def test_a_fit_is_asked_for_regions(home, ids):
    from pages.shared import resources

    app = run("pages/fit.py", **ids)
    app.selectbox(key="regions_efficientnet").set_value("5 x 5").run()
    app.button(key="fit").click().run()
    job = resources.jobs().recent(1)[0]
    assert resources.jobs().wait(job.id, 200).error is None
    fitted = resources.store().detectors.get(resources.jobs().get(job.id).result_id)
    summary = resources.summary(fitted)
    assert summary.settings.regions == Regions(5, 5, (6, 7))
    assert summary.tuning == regional((6, 7))


def test_pages_show_the_regional_score(home, regional_ids):
    from pages.shared import resources

    test = loaded(regional_ids)
    area = 100 * resources.level_areas(test, regional((6, 7)))["sum"].value
    app = run("pages/levels.py", **regional_ids)
    assert metrics(app)["AUROC of the regions"] == f"{area:.1f} %"
    app = run("pages/working_point.py", **regional_ids)
    assert any("levels 6-7, NPCA 5 %, highest 10 % of the regions" in caption.value for caption in app.caption)
    from gad_core import wording
    from gad_core.decision.evaluation import threshold

    point = threshold(resources.scores(test, regional((6, 7)))["sum"], "cross-conformal", 0.05)
    assert metrics(app)["Threshold"] == wording.number(point.threshold)


def test_attributions_show_the_regions_beside_the_map(home, regional_ids):
    app = run("pages/attributions.py", **regional_ids)
    assert not app.exception
    assert any("above" in caption.value and "of those of good parts are" in caption.value for caption in app.caption)
    test = loaded(regional_ids)
    file = test.images.files[0]
    from pages.shared import explaining, resources

    found = explaining.attribution(test, file, regional((6, 7)), 2)
    assert found.levels == (6, 7)
    assert found.score == pytest.approx(resources.scores(test, regional((6, 7)))["sum"].test[0], rel=1e-5)
    assert found is explaining.attribution(test, file, regional((6, 7)), 2)  # explained once


def test_the_region_is_shown_beside_those_of_good_parts(home, regional_ids):
    test, tuning = loaded(regional_ids), regional((6, 7))
    app = run("pages/attributions.py", **regional_ids)
    (box,) = (box for box in app.selectbox if box.label == "Region")
    scores = test.detector.scores(test.features)
    place = int(np.lexsort((-scores, ~test.images.labels))[0])
    values = test.detector.region_maps(test.features[place : place + 1], tuning)[0]
    assert box.value == int(values.argmax())
    other = int(np.argsort(values, axis=None)[-4])
    box.set_value(other).run()
    fit = test.detector.by_region
    (distances,) = fit.distances_between(other, test.features[place : place + 1], tuning)
    nearest = test.detector.training.digests[int(distances.argmin())]
    from gad_core import wording
    from pages.shared import resources

    train = resources.dataset(resources.store().datasets.get(regional_ids["data"])).train
    name = next(file.path.name for file in train if file.digest == nearest)
    captions = picture_captions(app)
    assert captions["This image"] == [test.images.files[place].path.name]
    assert captions["Nearest"][0] == f"{name} · {wording.number(distances.min())}"
    assert captions["Most different"][0].endswith(f" · {wording.number(distances.max())}")
    assert any(f"**Row {other // 7 + 1}, column {other % 7 + 1} elsewhere**" in mark.value for mark in app.markdown)


def test_maps_of_training_images_are_those_of_the_fits_without_them(home, regional_ids):
    from pages.shared import resources
    from pages.views.data import suspects

    test, tuning = loaded(regional_ids), regional((6, 7))
    maps = resources.region_maps(test, tuning)
    detector = test.detector
    left_out, digests = detector.left_out_region_maps(tuning), detector.training.digests
    np.testing.assert_array_equal(maps[digests[3]], left_out[3])
    assert np.abs(left_out[3] - detector.region_maps(detector.training.features[3:4], tuning)[0]).max() > 0.1
    row = resources.store().detectors.get(regional_ids["detector"])
    mine, limit = suspects._maps(row)
    np.testing.assert_array_equal(mine[digests[3]], left_out[3])
    assert limit == pytest.approx(np.quantile(left_out, 0.95))
    app = run("pages/data.py", **regional_ids)
    assert not app.exception


def test_the_gallery_of_errors_shows_the_regions_until_asked_for_the_images(home, regional_ids, monkeypatch):
    from gad_core import figures

    drawn = []
    tint = figures.region_tint
    monkeypatch.setattr(figures, "region_tint", lambda values, limit: drawn.append(limit) or tint(values, limit=limit))
    app = run("pages/working_point.py", **regional_ids)
    assert len(drawn) == 16  # all test images are among the nearest to the threshold
    test = loaded(regional_ids)
    assert set(drawn) == {test.detector.usual_limit(regional((6, 7)), 0.05)}
    app.button_group(key="errors_as").set_value("Images").run()
    assert len(drawn) == 16
    app = run("pages/working_point.py", **regional_ids, pool="whole")
    assert len(drawn) == 16


def test_the_whole_image_is_a_click_away_and_back(home, regional_ids):
    app = run("pages/levels.py", **regional_ids)
    app.button(key="preset_Whole image, levels 6-8").click().run()
    assert "AUROC of the sum" in metrics(app)
    assert app.session_state["pool"] == "whole"
    assert app.query_params["pool"] == "whole"
    app.button(key="preset_Recommended").click().run()
    assert "AUROC of the regions" in metrics(app)
    assert "pool" not in app.query_params


def test_a_pool_brings_what_it_needs(home, regional_ids):
    app = run("pages/levels.py", **regional_ids, pool="whole", levels="5-8", score="l2")
    assert "AUROC of the sum" in metrics(app)
    app.selectbox(key="pool").set_value("max").run()
    assert app.session_state["levels"] == ["6", "7"]
    assert app.session_state["score"] == "mahalanobis"
    assert app.selectbox(key="score").disabled
    area = loaded(regional_ids)
    from pages.shared import resources

    expected = resources.level_areas(area, Tuning((6, 7), NPCA_5, pool=Pool("max")))["sum"].value
    assert metrics(app)["AUROC of the regions"] == f"{100 * expected:.1f} %"


def test_a_link_to_a_pool_means_nothing_where_there_are_no_regions(home, ids):
    from pages.shared import resources

    store = resources.store()
    whole = fit_dataset(store, ids["data"], FitSettings(n_folds=5, regions=None), cache=store.feature_cache())
    app = run("pages/levels.py", data=ids["data"], detector=whole.id, pool="max")
    assert "AUROC of the sum" in metrics(app)
    assert not app.exception


@pytest.mark.parametrize("link", [{"levels": "5-8"}, {"score": "sed"}, {"keep": "npca:0.0432"}])
def test_a_link_that_no_region_can_be_read_with_is_meant_for_the_whole_image(home, ids, link):
    app = run("pages/levels.py", **ids, **link)
    assert app.session_state["pool"] == "whole"
    assert "AUROC of the sum" in metrics(app)
    app = run("pages/levels.py", **ids, levels="7", keep="npca:0.01")
    assert app.session_state["pool"] == "top:0.1"


def test_the_heat_maps_last_row_is_that_of_the_regions(home, regional_ids):
    from gad_core.gaussian.reduction import REDUCTIONS
    from pages.shared import resources

    test = loaded(regional_ids)
    sums = resources.sum_areas(test, regional((6, 7)))
    area = resources.level_areas(test, regional((6, 7)))["sum"].value
    assert sums[REDUCTIONS.index(NPCA_5)] == pytest.approx(area)
    assert not np.allclose(sums, resources.sum_areas(test, whole_image_lite0()))


def whole_image_lite0() -> Tuning:
    from gad_core.features.registry import get_backbone

    return whole_image(get_backbone("tf_efficientnet_lite0"))


def test_presets_stand_side_by_side_and_good_parts_are_mapped(home, regional_ids):
    from pages.shared import resources

    app = run("pages/levels.py", **regional_ids)
    (table,) = (table.value for table in app.table if "Recommended" in table.value.columns)
    assert list(table.columns) == ["", "Recommended", "Whole image, levels 6-8", "Paper, all levels", "Paper, NPCA 1 %"]
    area = resources.level_areas(loaded(regional_ids), whole_image_lite0())["sum"]
    assert table["Whole image, levels 6-8"][0].startswith(f"{100 * area.value:.1f} [")
    assert table["Whole image, levels 6-8"][0] == table["Whole image, levels 6-8"][1]  # NPCA 5 % is its own cut
    fit, tuning = loaded(regional_ids).detector.by_region, regional((6, 7))
    low, middle = (np.quantile(fit.left_out_distances(tuning), q, axis=0) for q in (0.5, 0.9))
    spread = (middle - low) / low
    np.testing.assert_allclose(fit.spread(tuning), spread)
    words = " ".join(caption.value for caption in app.caption)
    assert f"from {100 * spread.min():.0f} % at row" in words
    assert f"to {100 * spread.max():.0f} % at row {int(spread.argmax()) // 7 + 1}, column" in words
    assert "Each region by itself" not in words  # these defects have no masks


def test_each_preset_is_read_at_its_own_cut_and_at_the_open_one(home, regional_ids, monkeypatch):
    from pages.views.levels import regions

    monkeypatch.setattr(regions, "_area", lambda _, tuning: f"{tuning.levels} {tuning.reduction} {tuning.pool}")
    app = run("pages/levels.py", **regional_ids, keep="pca:0.99")
    (table,) = (table.value for table in app.table if "Recommended" in table.value.columns)
    assert table["Recommended"].tolist() == ["(6, 7) npca:0.05 top:0.1", "(6, 7) pca:0.99 top:0.1"]
    paper = str(tuple(range(1, 10)))
    assert table["Paper, all levels"].tolist() == [f"{paper} all None", f"{paper} pca:0.99 None"]


@pytest.mark.browser
def test_a_click_on_a_region_frames_it_and_shows_it_beside_those_of_good_parts(server, fitted, tab):
    page = tab()
    page.goto(f"{server}/attributions?data={fitted[1]['data']}&detector={fitted[1]['detector']}")
    board = page.locator(".st-key-region_map .nsewdrag").first
    expect(board).to_be_visible(timeout=60_000)
    expect(page.locator(SETTLED)).to_be_visible()
    for row, column in ((6, 2), (4, 5)):
        board.scroll_into_view_if_needed()
        click_within(page, board, (column - 0.5) / 7, (row - 0.5) / 7)
        expect(page.get_by_text(f"Row {row}, column {column} elsewhere")).to_be_visible()
        expect(page.locator(SETTLED)).to_be_visible()
        whole, frame = board.bounding_box(), page.locator(".st-key-region_map .shapelayer path").last.bounding_box()
        middle = [
            (frame[at] + frame[side] / 2 - whole[at]) / whole[side] for at, side in (("x", "width"), ("y", "height"))
        ]
        assert middle == pytest.approx([(column - 0.5) / 7, (row - 0.5) / 7], abs=0.01)
