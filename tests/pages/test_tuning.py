"""Tuning in a real browser: a click on a tile or a bar is a choice, and the link carries every setting."""

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser

SETTLED = '[data-testid=stApp][data-test-script-state="notRunning"]'
PATIENCE = 20_000


def open_page(page: Page, url: str, heading: str) -> None:
    page.goto(url)
    expect(page.get_by_role("heading", name=heading, level=1)).to_be_visible()
    expect(page.locator(SETTLED)).to_be_visible()


def plot(page: Page, key: str) -> Locator:
    area = page.locator(f".st-key-{key} .nsewdrag").first
    area.scroll_into_view_if_needed()
    expect(area).to_be_visible()
    return area


def click_within(page: Page, area: Locator, x: float, y: float) -> None:
    """A click at a share of the plot's width and height; the mouse comes in first."""
    box = area.bounding_box()
    page.mouse.move(box["x"] + box["width"] * x - 6, box["y"] + box["height"] * y)
    page.mouse.move(box["x"] + box["width"] * x, box["y"] + box["height"] * y, steps=3)
    expect(page.locator(".hoverlayer .hovertext").first).to_be_visible()  # Plotly clicks what it hovers over
    page.mouse.down()
    page.mouse.up()


def query(ids: dict[str, str], **settings: str) -> str:
    return "&".join(f"{name}={value}" for name, value in (ids | settings).items())


def test_a_click_on_a_tile_chooses_its_level_and_reduction(server, fitted, tab):
    page = tab()
    open_page(page, f"{server}/levels?{query(fitted[1])}", "Levels & NPCA")
    area = plot(page, "reduction_map")
    column, row = 24 + 1 + 5, 4  # npca:0.1 is the sixth step right of `all`; rows begin with level 1
    click_within(page, area, (column + 0.5) / 49, (row + 0.5) / 10)
    page.wait_for_url(lambda url: "levels=5" in url and "keep=npca%3A0.1" in url)
    expect(page.get_by_role("slider", name="Components kept")).to_have_attribute("aria-valuetext", "NPCA 10 %")


def test_a_link_into_a_fresh_server_carries_levels_and_reduction(serve, fitted, tab):
    home, ids = fitted
    with serve(home) as url:
        page = tab()
        settings = query(ids, levels="5", keep="npca:0.1", fpr="20")
        open_page(page, f"{url}/working_point?{settings}", "Working point")
        expect(page.get_by_test_id("stMain")).to_contain_text("level 5, NPCA 10 %")
        expect(page.get_by_test_id("stMetric").filter(has_text="Promised")).to_contain_text("20.0 %")
        page.close()  # before the server, of which it would still ask pictures


def test_a_click_on_a_bar_shows_its_images(server, fitted, tab):
    page = tab()
    open_page(page, f"{server}/working_point?{query(fitted[1], fpr='20')}", "Working point")
    area = plot(page, "distances")
    bars = page.locator(".st-key-distances .barlayer .trace").last.locator("path[d]:not([d='M0,0Z'])")
    expect(bars.first).to_be_attached()
    tallest = max((bar.bounding_box() for bar in bars.all()), key=lambda box: box["height"])
    frame = area.bounding_box()
    x = (tallest["x"] + tallest["width"] / 2 - frame["x"]) / frame["width"]
    y = (tallest["y"] + tallest["height"] / 2 - frame["y"]) / frame["height"]
    click_within(page, area, x, y)
    expect(page.get_by_test_id("stMain")).to_contain_text("Clicked ·", timeout=PATIENCE)
    expect(page.locator("[class*=st-key-errors_Clicked] img").first).to_be_visible()
