"""A person at the real dashboard: demo, slider, threshold; then images brought in and fitted."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

FIT = 120_000  # milliseconds for demo parts to be drawn and fitted on a slow machine


@pytest.fixture
def fresh(serve, tmp_path):
    """A server over an empty workspace."""
    with serve(tmp_path) as url:
        yield url


def settled(page: Page) -> None:
    expect(page.locator('[data-testid=stApp][data-test-script-state="notRunning"]')).to_be_visible()


def metric(page: Page, label: str) -> str:
    """The value below a label, once the page has settled."""
    settled(page)
    return page.get_by_test_id("stMetric").filter(has_text=label).get_by_test_id("stMetricValue").inner_text()


def test_from_nothing_to_a_threshold_and_back_through_its_link(fresh, tab):
    page = tab()
    page.goto(fresh)
    page.get_by_role("button", name="Try the demo").click()
    expect(page.get_by_role("heading", name="Working point")).to_be_visible(timeout=FIT)
    expect(page).to_have_url(re.compile(r"/working_point\?.*detector="))
    before = float(metric(page, "Threshold").replace(",", ""))
    assert metric(page, "Promised") == "5.0 %"

    slider = page.get_by_role("slider", name="Target false-positive rate")
    for key, promised in (("ArrowRight", "5.1 %"), ("ArrowRight", "5.2 %"), ("PageUp", "10.0 %")):
        slider.press(key)
        expect(page.get_by_test_id("stMetric").filter(has_text="Promised")).to_contain_text(promised)
    after = float(metric(page, "Threshold").replace(",", ""))
    assert after < before  # more false alarms allowed, so the line moves in

    page.get_by_role("button", name="Adopt this threshold").click()
    expect(page.get_by_test_id("stSidebar")).to_contain_text("10.0 %")

    other = tab()
    other.goto(page.url)
    expect(other.get_by_test_id("stMetric").filter(has_text="Promised")).to_contain_text("10.0 %")
    assert float(metric(other, "Threshold").replace(",", "")) == after


def test_uploaded_images_are_fitted(fresh, tab, bottle: Path):
    page = tab()
    page.goto(f"{fresh}/data")
    page.get_by_role("tab", name="Upload").click()
    images = sorted((bottle / "train" / "good").iterdir())[:24]
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(images)
    page.get_by_role("button", name="Bring in").click()
    expect(page.get_by_test_id("stMetric").filter(has_text="Good parts to fit")).to_contain_text("24")
    page.get_by_role("button", name=re.compile("Next: fit")).click()
    expect(page.get_by_role("heading", name="Fit")).to_be_visible()
    page.get_by_test_id("stMain").get_by_role("button", name="Fit", exact=True).click()
    expect(page.get_by_test_id("stMetric").filter(has_text="Good parts fitted")).to_contain_text("24", timeout=FIT)
    page.get_by_role("button", name="Next: set the working point").click()
    expect(page.get_by_test_id("stMetric").filter(has_text="Threshold")).to_be_visible()
    assert float(metric(page, "Threshold").replace(",", "")) > 0
