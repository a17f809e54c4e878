"""The frame in a real browser: links, reloads, tabs, what is open, contrast."""

import re
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as NotYet

SETTLED = '[data-testid=stApp][data-test-script-state="notRunning"]'
MENU = ["Home", "Data", "Fit", "Levels & NPCA", "Working point", "Attributions", "Compare", "Inspect", "Help"]
CONTRAST = (Path(__file__).parent / "contrast.js").read_text()
DRAWN = "() => [...document.querySelectorAll('.gad-chart')].every((chart) => chart.dataset.drawn === 'true')"
#: Every menu that was ever shown, however briefly.
WATCH_MENU = """
    window.menus = new Set();
    new MutationObserver(() => {
        const links = [...document.querySelectorAll('[data-testid=stSidebarNavLink]')];
        if (links.length) window.menus.add(links.map((link) => link.getAttribute('href').split('/').pop()).join(' '));
    }).observe(document, {childList: true, subtree: true});
"""

pytestmark = pytest.mark.browser


def link(server: str, page: str, **parameters: object) -> str:
    return f"{server}/{page}?{urlencode(parameters)}"


def parameters(page: Page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def expect_target(page: Page, percent: str) -> None:
    expect(page.get_by_role("heading", name="Working point")).to_be_visible()
    metric = page.get_by_test_id("stMetric").filter(has_text="Promised")
    expect(metric.get_by_test_id("stMetricValue")).to_have_text(percent)


def go_to(page: Page, name: str) -> None:
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=name).click()


def test_a_link_into_a_fresh_server_comes_up_in_the_frame_with_its_settings(serve, fitted, tab):
    home, ids = fitted
    with serve(home) as url:
        page = tab()
        page.add_init_script(WATCH_MENU)
        page.goto(link(url, "working_point", fpr=20, **ids))
        expect_target(page, "20.0 %")
        expect(page.get_by_test_id("stSidebarNavLink")).to_have_count(len(MENU))
        expect(page.get_by_test_id("stSidebar")).to_contain_text("stripes")
        assert parameters(page) == {"fpr": "20", **ids}
        # Home is at /
        assert page.evaluate("[...window.menus]") == [
            " data fit levels working_point attributions compare inspect help"
        ]
        expect(page.locator(SETTLED)).to_be_visible()
        expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
        page.close()  # before the server, of which it would still ask pictures


def test_a_reload_shows_the_same(server, fitted, tab):
    page = tab()
    page.goto(link(server, "working_point", fpr=20, **fitted[1]))
    expect_target(page, "20.0 %")
    page.get_by_label("Target, %").fill("25")
    page.get_by_label("Target, %").press("Enter")
    expect_target(page, "25.0 %")
    expect(page).to_have_url(re.compile("fpr=25"))  # the server knows it
    page.reload()
    expect_target(page, "25.0 %")


def test_a_second_tab_has_its_own_settings(server, fitted, tab):
    first, second = tab(), tab()
    first.goto(link(server, "working_point", fpr=20, **fitted[1]))
    expect_target(first, "20.0 %")
    second.goto(link(server, "working_point", fpr=30, **fitted[1]))
    expect_target(second, "30.0 %")
    first.reload()
    expect_target(first, "20.0 %")


def test_what_is_open_and_its_settings_survive_a_walk_through_the_pages(server, fitted, tab):
    page = tab()
    page.goto(link(server, "working_point", fpr=20, **fitted[1]))
    expect_target(page, "20.0 %")
    for name in ("Fit", "Data", "Home"):
        go_to(page, name)
        expect(page.locator(SETTLED)).to_be_visible()
        expect(page.get_by_test_id("stSidebar")).to_contain_text("stripes")
        page.wait_for_url(lambda url: fitted[1]["detector"] in url)
    go_to(page, "Working point")
    expect_target(page, "20.0 %")
    page.wait_for_url(lambda url: "fpr=20" in url and fitted[1]["data"] in url)


def test_the_back_button_returns_to_the_page_with_what_was_open(server, fitted, tab):
    page = tab()
    page.goto(link(server, "data", **fitted[1]))
    expect(page.get_by_role("heading", name="Data", level=1)).to_be_visible()
    go_to(page, "Fit")
    expect(page.get_by_role("heading", name="Fit", level=1)).to_be_visible()
    page.wait_for_url(lambda url: fitted[1]["detector"] in url)
    page.evaluate("history.go(-2)")  # before it lies the same page with its address not yet completed
    expect(page.get_by_role("heading", name="Data", level=1)).to_be_visible()
    expect(page.get_by_test_id("stSidebar")).to_contain_text("stripes")
    assert parameters(page) == fitted[1]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_of_every_page_is_readable(server, fitted, tab, scheme):
    page = tab(color_scheme=scheme)
    for path in ("", "data", "fit", "working_point", "help"):
        page.goto(link(server, path, fpr=20, **fitted[1]))
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.locator(SETTLED)).to_be_visible()
        page.wait_for_function(DRAWN)
        with suppress(NotYet):  # colours fade in
            page.wait_for_function(f"Object.keys(({CONTRAST})()).length === 0", timeout=5000)
        assert page.evaluate(CONTRAST) == {}, path  # WCAG AA: 4.5 to 1


def test_the_threshold_keeps_the_colour_of_the_text_when_the_theme_is_switched(server, fitted, tab):
    page = tab(color_scheme="light")
    page.goto(link(server, "working_point", fpr=20, **fitted[1]))
    line = page.locator(".st-key-distances .gad-marks path.threshold").first
    expect(line).to_have_css("stroke", "rgb(16, 23, 30)")
    page.get_by_test_id("stMainMenu").get_by_role("button").click()
    page.get_by_test_id("stMainMenuPopover").get_by_text("Dark").click()
    expect(page.get_by_role("heading", level=1)).to_have_css("color", "rgb(228, 233, 238)")
    expect(line).to_have_css("stroke", "rgb(228, 233, 238)")
