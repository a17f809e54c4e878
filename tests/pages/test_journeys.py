"""Two people at work from the first image to the last page, while somebody else's long job runs on the same server.

Their tabs have no common memory; the fixture `tab` sees to it that nothing is asked of another machine, that nothing is
asked in vain, and that no page complains.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from gad_core.workspace.store import Store

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
SETTLED = '[data-testid=stApp][data-test-script-state="notRunning"]'
STEP = 10_000  # milliseconds that a step may wait for somebody else's job
OWN_WORK = 120_000  # for a fit of one's own
#: Python runs a module of this name before anything else: in the server, an explanation begins anew when it is done.
ENDLESS = """
from pathlib import Path
from gad_core.workspace import explanations

explain_once = explanations.explain_images

def explain_again_and_again(*args, **options):
    while Path({gate!r}).exists():
        explain_once(*args, **options)
    return explain_once(*args, **options)

explanations.explain_images = explain_again_and_again
"""
#: In the browser: what the server says arrives late.
LATE = """
const listen = WebSocket.prototype.addEventListener;
WebSocket.prototype.addEventListener = function (kind, hear, ...options) {{
  const late = event => setTimeout(() => hear.call(this, event), {milliseconds});
  listen.call(this, kind, kind === "message" ? late : hear, ...options);
}};
"""


@pytest.fixture(scope="module")
def busy(washers: str) -> str:
    """The address of a server on which somebody has all washers explained, which does not end."""
    return washers.partition("/attributions")[0]


@pytest.fixture(scope="module")
def washers(serve, chromium, tmp_path_factory) -> Iterator[str]:
    """The page on which they are explained."""
    from gad_core.workspace.steps import try_demo

    folder = tmp_path_factory.mktemp("busy")
    home, gate = folder / "home", folder / "gate"
    gate.touch()
    with Store(home) as store:
        row = try_demo(store, "washer", backbone="tf_efficientnet_lite0", cache=store.feature_cache())
    (folder / "sitecustomize.py").write_text(ENDLESS.format(gate=str(gate)))
    with serve(home, PYTHONPATH=f"{folder}{os.pathsep}{ROOT}") as url:
        context = chromium.new_context(viewport={"width": 1440, "height": 900})
        page = context.new_page()
        link = f"{url}/attributions?detector={row.id}&data={row.dataset_id}"
        page.goto(f"{link}&view=Whole+category")
        page.get_by_role("button", name="Explain them all").click(timeout=OWN_WORK)
        expect(job(page)).to_contain_text("Explain washer")
        context.close()
        yield link
        with Store(home) as store:
            assert [one.title for one in store.jobs.active()] == ["Explain washer"], "the long job must outlast all"


def job(page: Page):
    return page.get_by_test_id("stSidebar").get_by_test_id("stProgress").filter(has_text="Explain washer")


def settled(page: Page, patience: int = STEP) -> None:
    expect(page.locator(SETTLED)).to_be_visible(timeout=patience)
    expect(page.get_by_test_id("stException")).to_have_count(0)


def go_to(page: Page, name: str) -> None:
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible(timeout=STEP)
    settled(page)
    expect(job(page)).to_be_visible()


def metric(page: Page, label: str) -> str:
    settled(page)
    return page.get_by_test_id("stMetric").filter(has_text=label).get_by_test_id("stMetricValue").inner_text()


def words(page: Page) -> str:
    settled(page)
    return page.get_by_test_id("stMain").inner_text().replace("\u2060", "")


def fit(page: Page, n: int) -> None:
    page.get_by_test_id("stMain").get_by_role("button", name="Fit", exact=True).click()
    expect(page.get_by_test_id("stMetric").filter(has_text="Good parts fitted")).to_contain_text(
        str(n), timeout=OWN_WORK
    )


def test_an_engineer_goes_from_a_folder_to_an_adopted_threshold_and_finds_it_again(busy, tab, stripes):
    page: Page = tab()
    page.set_default_timeout(STEP)
    page.goto(f"{busy}/data")
    settled(page)
    page.get_by_role("tab", name="Folder on this machine").click()
    page.get_by_role("textbox", name="Path of a folder").fill(str(stripes))
    page.get_by_test_id("stFormSubmitButton").get_by_role("button", name="Open").click()
    expect(page.get_by_test_id("stMetric").filter(has_text="Defective parts to test")).to_contain_text(
        "6", timeout=STEP
    )
    page.get_by_role("button", name="Next: fit stripes").click()
    expect(page.get_by_role("heading", name="Fit", level=1)).to_be_visible(timeout=STEP)
    fit(page, 30)

    go_to(page, "Levels & NPCA")
    page.locator(".st-key-levels").get_by_role("button", name="7", exact=True).click()
    page.get_by_role("slider", name="Components kept").press("ArrowRight")
    page.wait_for_url(re.compile(r"levels=6&keep=npca%3A0\.03"), timeout=STEP)
    go_to(page, "Working point")
    text = words(page)
    assert re.search(r"for 5\.0 % chi-square predicts", text, re.IGNORECASE)
    assert re.search(r"\d+\.\d % \[[\d., ]+\] of \d+ left-out good parts lie above it", text)
    before = {name: metric(page, name) for name in ("Threshold", "Left-out good", "Good test parts", "Caught defects")}
    page.get_by_role("button", name="Adopt this threshold").click()
    anyway = page.get_by_role("button", name="Adopt it all the same")
    sidebar = page.get_by_test_id("stSidebar")
    expect(anyway.or_(sidebar.get_by_text(f"{before['Threshold']} at 5.0 %"))).to_be_visible(timeout=STEP)
    if anyway.is_visible():
        anyway.click()
    expect(sidebar).to_contain_text(f"{before['Threshold']} at 5.0 %", timeout=STEP)
    page.context.close()

    later: Page = tab()
    later.set_default_timeout(STEP)
    later.goto(busy)
    settled(later)
    later.locator("[class*=st-key-recent_]").first.get_by_role("button", name="Open").click()
    expect(later.get_by_role("heading", name="Working point", level=1)).to_be_visible(timeout=STEP)
    assert {name: metric(later, name) for name in before} == before
    expect(later.get_by_test_id("stSidebar")).to_contain_text("level 6, NPCA 3 %")
    expect(later.get_by_text("Differs from the adopted threshold")).to_have_count(0)


def test_a_choice_made_before_the_answer_to_an_earlier_one_is_kept(washers, tab):
    page: Page = tab()
    page.set_default_timeout(STEP)
    page.add_init_script(LATE.format(milliseconds=1500))
    page.goto(washers.replace("/attributions", "/levels"))
    expect(page.get_by_role("heading", name="Levels & NPCA", level=1)).to_be_visible(timeout=STEP)
    settled(page)
    expect(job(page)).to_be_visible()  # whose bar asks for itself again every second, with all that the page says
    page.locator(".st-key-levels").get_by_role("button", name="7", exact=True).click()
    page.get_by_role("slider", name="Components kept").press("ArrowRight")
    page.wait_for_url(re.compile(r"levels=6&keep=npca%3A0\.03"), timeout=STEP)
    go_to(page, "Working point")
    expect(page.get_by_test_id("stMain")).to_contain_text("level 6, NPCA 3 %")


def test_forty_loose_good_images_are_helped_along_and_nothing_is_pretended(busy, tab, stripes, tmp_path):
    images = sorted((stripes / "train" / "good").iterdir()) + sorted((stripes / "test" / "good").iterdir())
    loose = [tmp_path / f"{number:02}.png" for number, _ in enumerate(images)]
    for target, source in zip(loose, images, strict=True):
        target.write_bytes(source.read_bytes())
    page: Page = tab()
    page.set_default_timeout(STEP)
    page.goto(f"{busy}/data")
    settled(page)
    page.get_by_role("tab", name="Upload").click()
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(loose)
    page.get_by_role("button", name="Bring in").click()
    expect(page.get_by_test_id("stMetric").filter(has_text="Good parts to fit")).to_contain_text("40", timeout=STEP)
    page.get_by_role("button", name=re.compile("Next: fit")).click()
    expect(page.get_by_role("heading", name="Fit", level=1)).to_be_visible(timeout=STEP)
    fit(page, 40)
    text = words(page)
    assert "covariance was learned" in text  # or was not: the page says which
    assert "AUROC" not in text

    go_to(page, "Levels & NPCA")
    assert "Without labelled test images" in words(page)
    assert "AUROC" not in words(page)
    go_to(page, "Working point")
    assert float(metric(page, "Threshold").replace(",", "")) > 0
    assert "none" in metric(page, "Caught defects").lower()
    assert "A ROC needs good and defective test images" in words(page)
    go_to(page, "Attributions")
    assert "There are no test images to explain yet" in words(page)
    expect(page.get_by_test_id("stMain").get_by_role("button")).to_have_count(1)  # one next step
    go_to(page, "Compare")
    assert "A comparison needs good and defective test images" in words(page)
    expect(page.get_by_test_id("stMain").get_by_role("button")).to_have_count(1)
    go_to(page, "Inspect")
    assert "No part was inspected yet" in words(page)
    assert not re.search(r"\d %", words(page))  # no rate of parts that nobody has brought
