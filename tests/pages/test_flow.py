"""Work that goes on while a person walks about, reloads or changes their mind; and two people at one detector."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as NotYet

from gad_core import wording
from gad_core.gaussian.detector_file import load_detector
from gad_core.gaussian.reduction import Reduction
from gad_core.workspace.imports import add_upload
from gad_core.workspace.store import Store

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
SETTLED = '[data-testid=stApp][data-test-script-state="notRunning"]'
N_IMAGES = 30
#: Python runs a module of this name before anything else: in the server, every new image waits for a pass.
SITECUSTOMIZE = """
import math
import time
from pathlib import Path
from gad_core.features.cache import FeatureCache

gate, keep, kept = Path({path!r}), FeatureCache.keep_features, set()

def passes():
    try:
        return int(gate.read_text() or 0)
    except FileNotFoundError:  # open
        return math.inf

def keep_with_pass(cache, fingerprint, digest, vector):
    kept.add(digest)
    while len(kept) > passes():
        time.sleep(0.02)
    keep(cache, fingerprint, digest, vector)

FeatureCache.keep_features = keep_with_pass
"""


class Gate:
    """A file in front of the network: while it is there, as many images go through as it says."""

    def __init__(self, path: Path) -> None:
        self._path, self._through = path, 0

    def let(self, count: int) -> None:
        self._through += count
        self._path.write_text(str(self._through))

    def close(self, through: int) -> None:
        """Close, after so many images in all."""
        self._through = through
        self.let(0)

    def open(self) -> None:
        self._path.unlink(missing_ok=True)


@dataclass(frozen=True)
class Workshop:
    """A server with a gate in front of its network, and a data set whose images it has not seen yet."""

    url: str
    home: Path
    gate: Gate
    data: str  # its id
    name: str

    def fitted(self) -> list[str]:
        """The detectors fitted to the data set."""
        with Store(self.home) as store:
            return [row.id for row in store.detectors.all() if row.dataset_id == self.data]

    def jobs(self) -> list[str]:
        """What became of the fits of the data set, newest first."""
        with Store(self.home) as store:
            return [job.state for job in store.jobs.recent(99) if job.title == f"Fit {self.name}"]


@pytest.fixture(scope="module")
def gated(serve, tmp_path_factory) -> Iterator[tuple[str, Path, Gate]]:
    """A server over an empty workspace, the workspace, and the gate."""
    folder = tmp_path_factory.mktemp("gated")
    home, gate = folder / "home", folder / "gate"
    home.mkdir()
    (folder / "sitecustomize.py").write_text(SITECUSTOMIZE.format(path=str(gate)))
    with serve(home, PYTHONPATH=f"{folder}{os.pathsep}{ROOT}") as url:
        yield url, home, Gate(gate)


@pytest.fixture
def workshop(gated, request) -> Iterator[Workshop]:
    url, home, gate = gated
    rng = np.random.default_rng(list(request.node.name.encode()))  # images of its own for each test
    with Store(home) as store:
        name = f"Lot {1 + len(store.datasets.all())}"
        gate.close(through=N_IMAGES * len(store.datasets.all()))
        data = add_upload(store, [(f"{i}.png", picture(rng)) for i in range(N_IMAGES)], name=name).id
    yield Workshop(url, home, gate, data, name)
    gate.open()


def picture(rng: np.random.Generator) -> bytes:
    stream = BytesIO()
    Image.fromarray(rng.integers(0, 256, (32, 32, 3), np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def go_to(page: Page, name: str) -> None:
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()


def card(page: Page) -> Locator:
    return page.get_by_test_id("stMain").locator("[class*=st-key-job_]")


def bar(page: Page) -> Locator:
    return page.get_by_test_id("stSidebar").get_by_test_id("stProgress")


def toast(page: Page, words: str) -> Locator:
    return page.get_by_test_id("stToast").filter(has_text=words)


def press_fit(page: Page) -> None:
    page.get_by_test_id("stMain").get_by_role("button", name="Fit", exact=True).click()


def start_fit(page: Page, workshop: Workshop, *, let: int) -> None:
    """Open the Fit page, press its button, and wait until so many images are through."""
    page.goto(f"{workshop.url}/fit?data={workshop.data}")
    press_fit(page)
    workshop.gate.let(let)
    expect(card(page)).to_contain_text(f"{let} of {N_IMAGES}")


def expect_fitted(page: Page) -> None:
    """The page shows a detector fitted to the images; its link and the sidebar name it."""
    expect(page.get_by_test_id("stMetric").filter(has_text="Good parts fitted")).to_contain_text(str(N_IMAGES))
    expect(page.get_by_test_id("stSidebar")).to_contain_text(f"n = {N_IMAGES}")
    expect(page.locator(SETTLED)).to_be_visible()
    expect(card(page)).to_have_count(0)
    expect(bar(page)).to_have_count(0)


def test_a_fit_goes_on_while_other_pages_are_looked_at_and_is_open_on_coming_back(workshop, tab):
    page = tab()
    start_fit(page, workshop, let=5)
    go_to(page, "Data")
    workshop.gate.let(5)
    expect(bar(page)).to_contain_text(f"10 of {N_IMAGES}")
    expect(card(page)).to_contain_text(f"10 of {N_IMAGES}")
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Home").click()
    expect(page.get_by_role("button", name="Try the demo")).to_be_visible()
    workshop.gate.let(5)
    expect(bar(page)).to_contain_text(f"15 of {N_IMAGES}")
    workshop.gate.open()
    expect(toast(page, f"Fit {workshop.name}: done")).to_be_visible()
    expect(page.get_by_test_id("stSidebar")).to_contain_text(f"n = {N_IMAGES}")
    go_to(page, "Fit")
    expect_fitted(page)
    page.wait_for_url(lambda url: parse_qs(urlsplit(url).query).get("detector") == workshop.fitted())


def test_a_card_comes_up_below_the_button_and_nothing_of_the_page_before_stays(workshop, tab):
    page = tab()
    start_fit(page, workshop, let=5)
    expect(page.locator(SETTLED)).to_be_visible()
    expect(page.locator("[data-stale=true]")).to_have_count(0)
    button = page.get_by_test_id("stMain").get_by_role("button", name="Fit", exact=True).bounding_box()
    assert 0 < card(page).bounding_box()["y"] - (button["y"] + button["height"]) < 60


def test_a_reload_in_the_middle_of_a_fit_finds_it_running_then_open_and_fits_nothing_twice(workshop, tab):
    page = tab()
    start_fit(page, workshop, let=12)
    page.reload()
    expect(page.get_by_role("heading", name="Fit", level=1)).to_be_visible()
    expect(page.get_by_test_id("stSidebarNav").get_by_role("link", name="Working point")).to_be_visible()
    expect(bar(page)).to_contain_text(f"12 of {N_IMAGES}")
    expect(card(page)).to_contain_text(f"12 of {N_IMAGES}")
    expect(card(page).get_by_role("progressbar")).to_be_visible()
    workshop.gate.open()
    expect_fitted(page)
    page.wait_for_url(lambda url: parse_qs(urlsplit(url).query).get("detector") == workshop.fitted())
    assert len(workshop.fitted()) == 1
    assert workshop.jobs() == ["done"]


def test_a_fit_cancelled_in_the_middle_says_so_and_leaves_the_way_free_for_another(workshop, tab):
    page = tab()
    start_fit(page, workshop, let=12)
    card(page).get_by_role("button", name="Cancel").click()
    for _ in range(20):  # a fit looks whether it is wanted once an image, and the click takes its time to the server
        workshop.gate.let(1)
        with suppress(NotYet):
            toast(page, f"Fit {workshop.name}: cancelled").wait_for(timeout=1000)
            break
    expect(card(page)).to_have_count(0)
    expect(bar(page)).to_have_count(0)
    assert workshop.fitted() == []
    workshop.gate.open()
    press_fit(page)
    expect_fitted(page)
    assert workshop.jobs() == ["done", "cancelled"]


def on_levels(page: Page) -> dict[str, object]:
    """What a tab on Levels & NPCA has and shows: link, controls, numbers."""
    expect(page.locator(SETTLED)).to_be_visible()
    return {
        "link": parse_qs(urlsplit(page.url).query),
        "levels": page.locator(".st-key-levels [aria-pressed=true]").all_inner_texts(),
        "keep": page.get_by_role("slider", name="Components kept").get_attribute("aria-valuetext"),
        "numbers": page.get_by_test_id("stMetric").all_inner_texts(),
    }


def expect_tuning(page: Page, detector: Path, levels: str, keep: str) -> None:
    """Levels, reduction and the number that follows from both, which the core works out by itself."""
    gaussians, reduction = load_detector(detector).gaussians, Reduction.parse(keep)
    kept = sum(gaussians[int(level) - 1].spectrum.dimension(reduction) for level in levels)
    metric = page.get_by_test_id("stMetric").filter(has_text="Dimensions kept").get_by_test_id("stMetricValue")
    expect(metric).to_have_text(f"{kept:,}")
    expect(page.locator(".st-key-levels [aria-pressed=true]")).to_have_text(list(levels))
    slider = page.get_by_role("slider", name="Components kept")
    expect(slider).to_have_attribute("aria-valuetext", wording.reduction(reduction))


def test_two_people_at_one_detector_keep_their_own_levels_reduction_link_and_numbers(server, fitted, tab):
    home, ids = fitted
    with Store(home) as store:
        detector = store.detectors.get(ids["detector"]).path
    one, two = tab(), tab()
    for page in (one, two):
        page.goto(f"{server}/levels?{urlencode({**ids, 'pool': 'whole', 'levels': '6-8'})}")
    for page in (one, two):
        expect_tuning(page, detector, "678", "npca:0.05")

    one.get_by_role("button", name="Paper, NPCA 1 %").click()
    two.get_by_role("slider", name="Components kept").press("ArrowRight")
    expect_tuning(one, detector, "123456789", "npca:0.01")
    expect_tuning(two, detector, "678", "npca:0.03")

    one.get_by_role("button", name="2", exact=True).click()
    two.get_by_role("button", name="6", exact=True).click()
    expect_tuning(two, detector, "78", "npca:0.03")
    expect_tuning(one, detector, "13456789", "npca:0.01")

    before = on_levels(one), on_levels(two)
    one.reload()
    expect_tuning(one, detector, "13456789", "npca:0.01")
    expect_tuning(two, detector, "78", "npca:0.03")
    assert (on_levels(one), on_levels(two)) == before
    assert before[0]["link"]["levels"] == [",".join("13456789")]
    assert before[1]["link"]["levels"] == ["7,8"]
