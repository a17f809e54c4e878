"""What moves while the slider of the target is dragged: the server's own words and numbers, at every stop."""

import json
import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.pages.script import components, run
from tests.pages.test_tuning import SETTLED, open_page, query

PAGE = "pages/working_point.py"
SLIDER = ".gad-slider input[type=range]"
#: At every stop: the words on the page, and where the marks of the first two charts stand, in values of their axes.
WALK = """
async ([slots]) => {
    const range = document.querySelector('.gad-slider input[type=range]')
    const frame = () => new Promise(requestAnimationFrame)
    const found = []
    for (let at = 0; at <= range.max; at++) {
        range.value = at
        range.dispatchEvent(new Event('input'))
        await frame()
        await frame()
        const words = Object.fromEntries(slots.map((slot) =>
            [slot, document.querySelector(`[data-slot="${slot}"]`)?.textContent]))
        const chart = document.querySelector('.st-key-distances .gad-chart')
        const line = chart.querySelector('.gad-marks .threshold')
        const x = line && Number(line.getAttribute('d').match(/M([^ ]+)/)[1])
        const axis = chart._fullLayout.xaxis
        const cut = Number(chart.querySelector('.gad-marks clipPath rect').getAttribute('x'))
        found.push({
            words,
            line: line && axis.p2d(x - axis._offset),
            cut: axis.p2d(cut),
            box: document.querySelector('.gad-slider input[type=number]').value,
            spoken: range.getAttribute('aria-valuetext'),
        })
    }
    return found
}
"""


def view_of(ids: dict[str, str], target: float, level: str):
    """What the server makes of a target by itself, and by level."""
    from gad_core.decision.point_settings import PointSettings
    from pages.shared import resources
    from pages.views.working_point.view import view_at

    store = resources.store()
    test = resources.test_images(store.detectors.get(ids["detector"]), store.datasets.get(ids["data"]))
    scores = resources.scores(test, test.detector.tuning)
    settings = replace(PointSettings.of(test.detector.tuning, None), level=level, target_fpr=target)
    return view_at(test, settings, scores), scores


def words_of(view) -> dict[str, object]:
    from pages.views.working_point import curves, distances, numbers, outcomes, promises

    production = outcomes.Production(1000, 0.01, 10.0, 1.0)
    costs = outcomes.costs(view, production)
    parts = (numbers.words(view), distances.words(view), promises.words(view), curves.points(view))
    return {name: words for part in (*parts, outcomes.words(view, production, costs)) for name, words in part.items()}


@pytest.mark.parametrize("level", ["sum", "3"])
def test_the_tables_say_at_every_stop_what_the_server_says_of_that_target_alone(home, ids, level):
    from pages.shared import live

    slider = components(run(PAGE, **ids, level=level), "slider")["target"]
    columns = live.decode(slider["columns"])
    assert len(slider["stops"]) >= 200
    for place, stop in enumerate(slider["stops"]):
        told = {name: column[place] for name, column in columns.items()}
        expected = json.loads(json.dumps(words_of(view_of(ids, stop / 100, level)[0])))
        assert {name: told[name] for name in expected} == expected


def test_the_stops_hold_the_steps_and_the_target_itself(home, ids):
    from pages.shared.controls import STEPS

    slider = components(run(PAGE, **ids, fpr="7.77"), "slider")["target"]
    assert {7.77, *STEPS} <= set(slider["stops"])
    assert slider["stops"][slider["at"]] == 7.77
    assert slider["stops"] == sorted(slider["stops"])


def test_packed_tables_hold_what_was_packed_and_each_different_value_once():
    from pages.shared import live

    columns = {"words": ["a", "b", "a"], "numbers": [[1.5], None, [1.5]]}
    assert live.decode(live.encode(columns)) == columns
    random = np.random.default_rng(0).bytes(3000).hex()
    assert len(live.encode({"once": [random]})) == pytest.approx(len(live.encode({"often": [random] * 300})), rel=0.05)


def opened(page: Page, server: str, ids: dict[str, str], **settings: str) -> Locator:
    open_page(page, f"{server}/working_point?{query(ids, **settings)}", "Working point")
    expect(page.locator(".st-key-distances .gad-marks .threshold")).to_be_attached()
    return page.locator(SLIDER)


def tables(page: Page) -> dict[str, list]:
    """The columns as the browser looks them up, by name."""
    name = page.locator(".gad-slider").evaluate("slider => slider.dataset.store")
    return page.evaluate(
        """async (name) => {
            const { store } = await import(new URL('modules/live.js', window.__streamlit.BACKEND_BASE_URL).href)
            const { columns } = store(name)
            return Object.fromEntries(Object.entries(columns).map(([name, { values, places }]) =>
                [name, places.map((place) => values[place])]))
        }""",
        name,
    )


@pytest.mark.browser
def test_at_every_stop_the_page_shows_the_words_of_the_tables(server, fitted, tab):
    page = tab()
    opened(page, server, fitted[1], fpr="20")
    columns = tables(page)
    shown = page.locator("[data-slot]").evaluate_all("all => all.map((one) => one.dataset.slot)")
    assert {"threshold", "left out note", "distances", "outcomes", "types", "cross-conformal threshold"} <= set(shown)
    found = page.evaluate(WALK, [shown])
    assert len(found) >= 200
    for place, at in enumerate(found):
        assert at["words"] == {slot: columns[slot][place] for slot in shown}
        assert at["box"] == columns["name"][place]
        assert at["spoken"] == columns["spoken"][place]
        threshold = columns["threshold at"][place]
        if threshold is None:
            assert at["line"] is None
        else:
            assert at["line"] == pytest.approx(threshold, rel=2e-4, abs=1e-3)  # a hundredth of a pixel
            assert at["cut"] == pytest.approx(threshold, rel=2e-4, abs=1e-3)


@pytest.mark.browser
def test_the_server_is_told_when_the_slider_is_released_and_not_before(server, fitted, tab):
    page = tab()
    slider = opened(page, server, fitted[1], fpr="20")
    page.evaluate(
        """() => {
            window.runs = 0
            new MutationObserver(() => window.runs++).observe(document.querySelector('[data-testid=stApp]'),
                { attributes: true, attributeFilter: ['data-test-script-state'] })
        }"""
    )
    box = slider.bounding_box()
    here = box["x"] + 8 + (box["width"] - 16) * int(slider.input_value()) / int(slider.get_attribute("max"))
    middle = box["y"] + box["height"] / 2
    promised = page.get_by_test_id("stMetric").filter(has_text="Promised").get_by_test_id("stMetricValue")
    page.mouse.move(here, middle)
    page.mouse.down()
    page.mouse.move(here - 60, middle, steps=12)
    expect(promised).not_to_have_text("20.0 %")
    before = promised.inner_text()
    assert page.evaluate("window.runs") == 0
    assert "fpr=20" in page.url
    page.mouse.up()
    percent = f"{float(before.removesuffix(' %')):g}"
    page.wait_for_url(lambda url: f"fpr={percent}" in url)
    expect(page.locator(SETTLED)).to_be_visible()
    expect(promised).to_have_text(before)


@pytest.mark.browser
def test_the_slider_is_moved_by_keys_and_says_what_it_means(server, fitted, tab):
    page = tab()
    slider = opened(page, server, fitted[1], fpr="20")
    last = int(slider.get_attribute("max"))
    slider.focus()
    for key, target in (
        ("ArrowRight", "20.5 %"),
        ("PageDown", "10 %"),
        ("PageDown", "4.55 % (2σ)"),
        ("PageUp", "10 %"),
        ("End", "50 %"),
    ):
        slider.press(key)
        expect(slider).to_have_attribute("aria-valuetext", re.compile(rf"^{re.escape(target)}, threshold -?[\d.]+$"))
    assert int(slider.input_value()) == last
    page.wait_for_url(lambda url: "fpr=50" in url)
    slider.press("Home")
    expect(slider).to_have_attribute("aria-valuetext", re.compile(r"^0\.0063 % .*threshold none$"))
    page.wait_for_url(lambda url: "fpr=0.0063" in url)
    expect(page.get_by_test_id("stAlert").first).to_contain_text("needs at least")


@pytest.mark.browser
def test_a_number_in_the_box_is_a_target_like_any_other(server, fitted, tab):
    page = tab()
    slider = opened(page, server, fitted[1], fpr="20")
    box = page.get_by_role("spinbutton", name="Target, %")
    box.fill("12.34")
    box.press("Enter")
    page.wait_for_url(lambda url: "fpr=12.34" in url)
    expect(slider).to_have_attribute("aria-valuetext", re.compile(r"^12\.3 %, threshold"))
    expect(box).to_have_value("12.34")
    box.fill("400")
    box.press("Enter")
    page.wait_for_url(lambda url: "fpr=50" in url)
    expect(box).to_have_value("50")


@pytest.mark.browser
def test_charts_stay_as_they_are_drawn_and_those_out_of_sight_are_not_drawn(server, fitted, tab):
    page = tab()
    slider = opened(page, server, fitted[1], fpr="20")
    chart = page.locator(".st-key-distances .gad-chart")
    chart.evaluate("chart => chart.querySelector('.barlayer').kept = true")
    slider.press("ArrowLeft")
    page.wait_for_url(lambda url: "fpr=19.5" in url)
    expect(page.locator(SETTLED)).to_be_visible()
    assert chart.evaluate("chart => chart.querySelector('.barlayer').kept") is True
    below = page.locator(".st-key-confusion .gad-chart")
    assert below.locator(".main-svg").count() == 0
    below.scroll_into_view_if_needed()
    expect(below.locator(".gad-marks text").first).to_be_visible()


@pytest.mark.browser
def test_a_saved_chart_has_the_threshold_in_it(server, fitted, tab):
    page = tab()
    opened(page, server, fitted[1], fpr="20")
    page.locator(".st-key-distances .gad-chart").hover()
    with page.expect_download() as saved:
        page.locator(".st-key-distances [data-title='Save as SVG']").click()
    assert saved.value.suggested_filename == "gad distances.svg"
    drawing = saved.value.path().read_text()
    threshold = page.get_by_test_id("stMetric").first.get_by_test_id("stMetricValue").inner_text()
    assert f"threshold {threshold}" in drawing


@pytest.mark.browser
@pytest.mark.parametrize("width", [900, 1440])
def test_the_slider_stays_in_sight_and_its_ticks_apart(server, fitted, tab, width):
    page = tab(viewport={"width": width, "height": 800})
    slider = opened(page, server, fitted[1], fpr="20")
    ticks = [one.bounding_box() for one in page.locator(".gad-slider .ticks span").all()]
    ticks.sort(key=lambda box: box["x"])
    gaps = [right["x"] - left["x"] - left["width"] for left, right in pairwise(ticks)]
    assert np.min(gaps) > 0
    page.locator(".st-key-methods").scroll_into_view_if_needed()
    assert 0 <= slider.bounding_box()["y"] < 200


@pytest.mark.browser
def test_another_method_is_put_in_force_from_the_table(server, fitted, tab):
    page = tab()
    opened(page, server, fitted[1], fpr="20", level="7")
    expect(page.locator(".gad-table [aria-current] th")).to_contain_text("Cross-conformal")
    page.get_by_role("button", name="Use Chi-square").click()
    page.wait_for_url(lambda url: "method=chi2" in url)
    expect(page.locator(".gad-table [aria-current] th")).to_contain_text("Chi-square")
    expect(page.get_by_role("combobox", name="Threshold by")).to_have_value("Chi-square")
    expect(page.get_by_role("button", name="Use Chi-square")).to_have_count(0)
