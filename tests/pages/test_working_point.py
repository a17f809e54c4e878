"""The working point keeps its word: with and without a threshold, test images or a law, on any width."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from playwright.sync_api import expect
from scipy import stats

from gad_core import wording
from gad_core.decision.assurance import rate_at_most, upper_bounds
from tests.pages.script import captions, charts, components, live_words, metrics, notes, run, set_target
from tests.pages.test_tuning import SETTLED, open_page, query

PAGE = "pages/working_point.py"
CHARTS = {"distances", "chi2_levels", "curves", "promises"}


def scores_of(ids: dict[str, str]):
    """What the pages have computed for the detector's own tuning."""
    from pages.shared import resources

    store = resources.store()
    test = resources.test_images(store.detectors.get(ids["detector"]), store.datasets.get(ids["data"]))
    return test, resources.scores(test, test.detector.tuning)


@pytest.fixture(scope="module")
def good_only(home, stripes, tmp_path_factory) -> dict[str, str]:
    """Good parts to fit and nothing to test."""
    from gad_core.gaussian.settings import FitSettings
    from gad_core.workspace.imports import add_folder
    from gad_core.workspace.steps import fit_dataset
    from pages.shared import resources

    folder = tmp_path_factory.mktemp("good") / "loose"
    shutil.copytree(stripes / "train", folder / "train")
    store = resources.store()
    dataset = add_folder(store, folder)
    return {
        "data": dataset.id,
        "detector": fit_dataset(store, dataset.id, FitSettings(), cache=store.feature_cache()).id,
    }


@pytest.mark.parametrize(
    ("settings", "words", "note", "remedy"),
    [
        ({"method": "hotelling"}, "the score of regions follows no such law", "for one level only", "Show level 7"),
        (
            {"method": "hotelling", "levels": "2-4"},
            "the sum of levels follows no such law",
            "for one level only",
            "Show level 4",
        ),
        (
            {"method": "chi2", "fpr": "0.001"},
            "support rates from 0.005 %",
            "too rare to simulate",
            "Use 0.0063 % (4σ)",
        ),
        ({"method": "cross-confident"}, "needs at least 59 left-out", "needs 59 good parts", "Use 10 %"),
        ({"method": "split-conformal"}, "kept apart for calibration", "no calibration parts", "Use cross-conformal"),
        (
            {"method": "hotelling", "level": "7", "keep": "all"},
            "more normal images than",
            "needs 193 good parts",
            "Use cross-conformal",
        ),
        (
            {"method": "chi2", "level": "7", "score": "sed"},
            "the Mahalanobis distance and no other",
            "not for this distance",
            "Use Mahalanobis",
        ),
        ({"fpr": "1"}, "at least 99 left-out normal images, got 30", "needs 99 good parts", "Use 4 %"),
    ],
)
def test_without_a_threshold_the_charts_stay_and_one_button_brings_one(ids, settings, words, note, remedy):
    app = run(PAGE, **ids, **settings)
    assert words in app.warning[0].value.replace("\\", "")
    drawn = CHARTS - {"chi2_levels"} if settings.get("score") == "sed" else CHARTS
    assert drawn <= set(charts(app))
    assert metrics(app)["Threshold"] == metrics(app)["Caught defects"] == "none"
    assert notes(app)["Threshold"] == note
    adopt = app.button(key="adopt")
    assert adopt.disabled
    assert words in adopt.proto.help.replace("\\", "")
    assert app.button(key="remedy").label == remedy
    app.button(key="remedy").click().run()
    assert not app.exception
    assert not app.warning
    assert float(metrics(app)["Threshold"].replace(",", "")) > 0
    assert not app.button(key="adopt").disabled


def test_the_offered_target_is_the_lowest_that_the_images_support(ids):
    app = run(PAGE, **ids, fpr="1")
    app.button(key="remedy").click().run()
    assert app.session_state["fpr"] == 4  # 24 images; 3 % would take 33, and there are 30


def test_a_chart_without_a_threshold_draws_no_line(ids):
    shapes = charts(run(PAGE, **ids, method="hotelling"))["distances"]["layout"]["shapes"]
    (line,) = [shape for shape in shapes if shape.get("yref") == "paper"]
    assert line["line"]["dash"] == "dash"  # what chi-square predicts


def test_the_default_view_says_what_chi_square_predicts_and_what_comes(ids):
    test, scores = scores_of(ids)
    whole = scores["sum"]
    threshold = whole.law.threshold(0.05)
    left_out = 100 * float(np.mean(whole.left_out > threshold))
    good = 100 * float(np.mean(whole.test[~test.images.labels] > threshold))
    app = run(PAGE, **ids)
    words = captions(app)
    assert f"For 5.0 % chi-square predicts the threshold {wording.number(threshold)}" in words
    assert f"{left_out:.1f} % [" in words
    assert f"{good:.1f} % [" in words
    dashed = [s["x0"] for s in charts(app)["distances"]["layout"]["shapes"] if s["line"].get("dash") == "dash"]
    assert dashed == [pytest.approx(threshold)]


def test_the_true_rate_is_bounded_for_whoever_has_looked_at_many_thresholds(ids):
    _, scores = scores_of(ids)
    app = run(PAGE, **ids, fpr="20")
    left_out = np.sort(scores["sum"].left_out)
    bound = upper_bounds(30, simultaneous=True)[int(np.ceil(31 * 0.8)) - 1]
    assert rate_at_most(left_out, left_out[24], simultaneous=True) == bound
    assert f"about {wording.percent(bound)} at most, 95 % sure" in live_words(app)["left out help"]


def test_a_single_level_is_judged_by_itself(ids):
    app = run(PAGE, **ids, level="3")
    _, scores = scores_of(ids)
    predicted = wording.number(np.sqrt(stats.chi2.ppf(0.95, scores["3"].dimension)))
    assert f"For 5.0 % chi-square predicts the threshold {predicted}" in captions(app)
    ticks = charts(app)["chi2_levels"]["layout"]["xaxis"]["ticktext"]
    assert [tick for tick in ticks if "<b>" in tick] == ["<b>3</b>"]


def test_the_predicted_threshold_stands_beside_the_chosen_one(ids):
    _, scores = scores_of(ids)
    dashed = [
        shape["x0"]
        for shape in charts(run(PAGE, **ids, level="7"))["distances"]["layout"]["shapes"]
        if shape["line"].get("dash") == "dash"
    ]
    assert dashed == [pytest.approx(np.sqrt(stats.chi2.ppf(0.95, scores["7"].dimension)))]


@pytest.mark.parametrize("kind", ["distances", "shares"])
def test_the_review_band_is_shaded_between_its_two_thresholds(ids, kind):
    _, scores = scores_of(ids)
    app = run(PAGE, **ids, fpr="20", review="true")
    if kind == "shares":
        app.segmented_control(key="distance_kind").set_value("ECDF").run()
    app.number_input(key="reject").set_value(5.0).run()
    (band,) = (shape for shape in charts(app)[kind]["layout"]["shapes"] if shape["type"] == "rect")
    left_out = np.sort(scores["sum"].left_out)
    ranks = [int(np.ceil(31 * (1 - target))) for target in (0.2, 0.05)]
    assert (band["x0"], band["x1"]) == pytest.approx(tuple(left_out[rank - 1] for rank in ranks))


def test_an_extrapolated_threshold_says_so_and_shows_its_tail(ids, monkeypatch):
    from pages.shared import resources

    rng = np.random.default_rng(1)
    known = resources.scores

    def with_many(test, tuning):
        found = known(test, tuning)
        whole = replace(found["sum"], left_out=rng.exponential(size=500), folds=np.arange(500) % 20, groups=None)
        return found | {"sum": whole}

    monkeypatch.setattr(resources, "scores", with_many)
    app = run(PAGE, **ids, method="pareto", fpr="0.1")
    assert not app.exception
    assert "Extrapolated, no guarantee: 0.1 % beyond" in captions(app)
    assert "With 95 % confidence it lies between" in captions(app)
    assert "tail" in charts(app)
    assert notes(app)["Left-out good"].startswith("too few")


def test_none_and_too_few_are_told_apart(ids, good_only):
    without = run(PAGE, **good_only)
    assert metrics(without)["Good test parts"] == metrics(without)["Caught defects"] == "none"
    assert notes(without)["Good test parts"] == "no good test parts"
    assert notes(without)["Caught defects"] == "no defects to test"
    assert "there are no good test parts" in captions(without)
    few = run(PAGE, **ids, fpr="3.3")  # 30 images support it, but not the 28 outside a fold
    assert metrics(few)["Left-out good"] == "unknown"
    assert notes(few)["Left-out good"] == "too few left-out parts: 30"


def test_parts_per_shift_say_what_the_few_images_leave_possible(ids):
    test, scores = scores_of(ids)
    app = run(PAGE, **ids)
    good = scores["sum"].test[~test.images.labels]
    threshold = np.sort(scores["sum"].left_out)[int(np.ceil(31 * 0.95)) - 1]
    flagged = int(np.sum(good > threshold))
    ends = stats.binomtest(flagged, len(good)).proportion_ci(0.95, "exact")
    low, high = (f"{990 * end:.3g}" for end in (ends.low, ends.high))
    assert f"{99 * flagged:.3g} ({low} to {high}) good ones are flagged" in captions(app)
    assert f"{low} to {high}" in charts(app)["confusion"]["layout"]["annotations"][1]["text"]


def test_what_sigma_promises_is_a_chart_above_the_roc(ids):
    app = run(PAGE, **ids)
    names = list(components(app, "chart"))
    sigma, roc = (next(i for i, name in enumerate(names) if part in name) for part in ("sigma_chart", "curves"))
    assert sigma < roc
    app.selectbox(key="sigma_level").set_value(3).run()
    assert "At 3σ and level 3, chi-square promises that 0.27 %" in captions(app)


def test_what_the_histogram_shows_is_put_into_words_once_a_draw(ids, monkeypatch):
    from pages.views.working_point import distances

    calls = []
    words = distances._separation
    monkeypatch.setattr(distances, "_separation", lambda view: calls.append(1) or words(view))
    app = run(PAGE, **ids)
    calls.clear()
    set_target(app, 10)
    assert len(calls) == 1


def test_a_move_of_the_target_draws_no_chart_that_it_does_not_change(ids, monkeypatch):
    from gad_core import figures

    app = run(PAGE, **ids)
    monkeypatch.setattr(figures, "sigma_rates", lambda *_: pytest.fail("drawn again"))
    set_target(app, 10)
    assert not app.exception


CLIPPED = """() => [
  ...document.querySelectorAll('[data-testid=stMain] :is([data-testid=stMetric] *, .gad-words *)'),
  ...document.querySelectorAll('[data-testid=stMain] :is(button p, button div)'),
  ...document.querySelectorAll('[data-testid=stMain] :is(.dvn-scroller, [data-testid=stTable] *)'),
].filter(it => it.checkVisibility() && it.clientWidth && it.scrollWidth > it.clientWidth + 1)
 .map(it => `${it.dataset.testid ?? it.className}: ${it.textContent.slice(0, 60)}`)"""

CLIPPED_WITHIN = """box => [...box.querySelectorAll('*')]
 .filter(it => getComputedStyle(it).overflowX !== 'visible' && it.clientWidth > 1)
 .filter(it => it.scrollWidth > it.clientWidth + 1)
 .map(it => it.value ?? it.textContent)"""


@pytest.mark.browser
def test_on_a_narrow_screen_nothing_is_cut_off(server, fitted, tab):
    page = tab(viewport={"width": 900, "height": 900})
    open_page(page, f"{server}/working_point?{query(fitted[1], level='7', review='true', fpr='20')}", "Working point")
    expect(page.locator(".dvn-scroller").first).to_be_attached()
    expect(page.get_by_test_id("stTable").nth(1)).to_be_visible()
    assert page.evaluate(CLIPPED) == []
    page.get_by_role("button", name="Levels & components").click()
    body = page.get_by_test_id("stPopoverBody")
    expect(body.get_by_role("combobox", name="Distance")).to_be_visible()
    box = body.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 900
    assert body.evaluate(CLIPPED_WITHIN) == []


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_text_of_every_chart_is_large_enough_for_a_projector(server, fitted, tab, scheme):
    page = tab(color_scheme=scheme, viewport={"width": 1440, "height": 5000})  # all charts in sight
    open_page(page, f"{server}/working_point?{query(fitted[1], level='7', review='true', fpr='20')}", "Working point")
    expect(page.locator(".gad-chart .main-svg text").nth(60)).to_be_attached()
    expect(page.locator(SETTLED)).to_be_visible()
    sizes = page.locator(".gad-chart svg text").evaluate_all(
        "texts => texts.filter(it => it.textContent).map(it => parseFloat(getComputedStyle(it).fontSize))"
    )
    assert len(sizes) > 60
    assert min(sizes) >= 14
