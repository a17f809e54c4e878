"""Work that ends with its server is offered again; what vanishes under a page is said in words; a stale link too."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from gad_core.gaussian.settings import FitSettings
from gad_core.workspace.imports import add_folder
from gad_core.workspace.jobs import JobQueue
from gad_core.workspace.requests import Fit
from gad_core.workspace.steps import fit_dataset
from gad_core.workspace.store import Store

pytestmark = pytest.mark.browser

SETTLED = '[data-testid=stApp][data-test-script-state="notRunning"]'


@pytest.fixture
def home(stripes: Path, tmp_path: Path) -> Path:
    """A workspace in which a fit of the stripes, and an upload, have not come to their end."""
    with Store(tmp_path) as store:
        dataset = add_folder(store, stripes)
        request = Fit(dataset.id, FitSettings(n_folds=5)).to_json()
        queue = JobQueue(store)
        queue.submit("fit", "Fit stripes", forever, request=request)
        queue.submit("data", "Bring in more", forever)
    return tmp_path


def forever(progress: object) -> str:
    import threading

    threading.Event().wait()
    return ""


@pytest.fixture
def served(home: Path, serve) -> Iterator[str]:
    with serve(home) as url:
        yield url


def jobs(home: Path) -> dict[str, str]:
    with Store(home) as store:
        return {job.title: job.id for job in store.jobs.recent(9)}


def test_a_job_that_ended_with_its_server_is_offered_again_and_does_the_same(home, served, tab):
    page: Page = tab()
    page.goto(f"{served}/fit?job={jobs(home)['Fit stripes']}")
    alert = page.get_by_test_id("stAlert")
    expect(alert).to_contain_text("Fit stripes was interrupted, because the server stopped")
    expect(page.locator(SETTLED)).to_be_visible()
    page.reload()
    expect(alert).to_contain_text("Fit stripes was interrupted")  # as long as nobody has decided
    page.get_by_role("button", name="Start it again").click()
    expect(page.get_by_test_id("stMetric").filter(has_text="Left-out folds")).to_contain_text("5")
    expect(alert).to_have_count(0)


def test_an_interrupted_upload_asks_for_its_files_once_more(home, served, tab):
    page: Page = tab()
    page.goto(f"{served}/data?job={jobs(home)['Bring in more']}")
    alert = page.get_by_test_id("stAlert")
    expect(alert).to_contain_text("Nothing of it was kept; bring the files once more")
    expect(page.get_by_role("button", name="Start it again")).to_have_count(0)
    page.get_by_role("button", name="Dismiss").click()
    expect(alert).to_have_count(0)
    page.wait_for_url(lambda url: "job=" not in url)


@pytest.fixture(scope="module")
def fragile(stripes: Path, serve, tmp_path_factory) -> Iterator[tuple[str, Path, Path]]:
    """A server, its workspace, and a copy of the stripes that may go."""
    home, root = tmp_path_factory.mktemp("fragile"), tmp_path_factory.mktemp("own") / "stripes"
    for path in stripes.rglob("*.png"):
        target = root / path.relative_to(stripes)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    with serve(home) as url:
        yield url, home, root


@pytest.mark.parametrize("page_name", ["levels", "working_point", "attributions"])
@pytest.mark.parametrize("harm", ["deleted", "damaged", "images gone"])
def test_what_vanishes_under_a_page_is_said_in_words(fragile, tab, page_name, harm):
    url, home, root = fragile
    with Store(home) as store:
        dataset = add_folder(store, root)
        row = fit_dataset(store, dataset.id, FitSettings(n_folds=5), cache=store.feature_cache())
    page: Page = tab()
    page.goto(f"{url}/{page_name}?detector={row.id}&data={dataset.id}")
    expect(page.get_by_test_id("stMetric").first).to_be_visible()
    expect(page.locator(SETTLED)).to_be_visible()
    away = root.with_name("away")
    if harm == "deleted":
        row.path.unlink()
    elif harm == "damaged":
        row.path.write_bytes(row.path.read_bytes()[:2000])
    else:
        root.rename(away)
        with Store(home) as store:  # the data set has changed, so that the page reads it again
            store.datasets.register(root, name=dataset.name, counts=dataset.counts)
    try:
        if page_name != "levels":
            page.get_by_role("button", name="Levels & components").click()
        page.get_by_role("slider", name="Components kept").press("ArrowRight")
        expect(page.get_by_test_id("stAlert").first).to_be_visible()
        expect(page.get_by_test_id("stException")).to_have_count(0)
        assert not re.search(r"Traceback|File \"", page.get_by_test_id("stMain").inner_text())
    finally:
        if away.exists():
            away.rename(root)


def test_a_stale_link_says_what_was_not_found(server, tab):
    page: Page = tab()
    page.goto(f"{server}/working_point?detector=abc123&data=def456")
    alert = page.get_by_test_id("stAlert")
    expect(alert).to_contain_text("data set “def456”")
    expect(alert).to_contain_text("detector “abc123”")
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Home").click()
    expect(page.get_by_role("button", name="Try the demo")).to_be_visible()
    expect(alert).to_have_count(0)
    assert "abc123" not in urlsplit(page.url).query


def test_anyone_may_cancel_a_job_in_the_sidebar(served, tab):
    page, other = tab(), tab()
    page.goto(served)
    page.get_by_role("button", name="Try the demo").click()
    other.goto(f"{served}/data")
    sidebar = other.get_by_test_id("stSidebar")
    expect(sidebar.get_by_test_id("stProgress")).to_contain_text("Demo washer")
    sidebar.get_by_role("button", name="Cancel").click()
    expect(page.get_by_test_id("stToast").filter(has_text="Demo washer: cancelled")).to_be_visible()
    expect(sidebar.get_by_test_id("stProgress")).to_have_count(0)
