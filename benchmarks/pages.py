"""From a click in the menu to a page that has settled, in a real headless Chromium.

    python -m benchmarks.pages [FOLDER]

FOLDER is a category in MVTec layout, by default the demo's washer. After one round that fills the caches, every page is
opened from the menu in turns; printed are the median and the 95th percentile a page and over all of them in
milliseconds, the target for the median being 800, and the seconds that a fresh server takes until the first page of a
deep link has settled.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, expect, sync_playwright

from benchmarks.browser import SETTLED
from gad_core.data.demo import write_demo
from gad_core.gaussian.settings import FitSettings
from gad_core.workspace.imports import add_folder
from gad_core.workspace.steps import fit_dataset
from gad_core.workspace.store import Store
from tests.pages.conftest import QUIET, chromium_program, serving

ROUNDS, PAUSE = 10, 500  # rounds through the menu, and milliseconds of rest after each page
PATIENCE = 120_000  # milliseconds for the first visit to a page
FIRST = "attributions"  # of the deep link
#: Clicks a link and gives the milliseconds until its page has settled: it is there, its script has ended, nothing of
#: the page before is left, and all that stays so for a while.
SWITCH = """
    ([index, name, pause]) => new Promise((resolve) => {
        const app = document.querySelector('[data-testid=stApp]');
        const there = () => app.dataset.testScriptState === 'notRunning' && document.title.startsWith(name)
            && !document.querySelector('[data-stale=true], [data-testid=stSkeleton]');
        const start = performance.now();
        let since = null;
        const look = () => {
            since = there() ? since ?? performance.now() : null;
            if (since !== null && performance.now() - since > pause) resolve(since - start);
            else requestAnimationFrame(look);
        };
        document.querySelectorAll('[data-testid=stSidebarNavLink]')[index].click();
        requestAnimationFrame(look);
    })
"""


def report(name: str, times: list[float]) -> None:
    times = sorted(times)
    high = times[int(0.95 * len(times))]
    print(f"{name:16} median {statistics.median(times):5.0f} ms, 95th percentile {high:5.0f} ms", flush=True)


def cold(browser: Browser, home: Path, query: str, **variables: str) -> float:
    """Seconds from the start of a server to a settled page of a deep link."""
    start = time.perf_counter()
    with serving(home, **variables) as url:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{url}/{FIRST}?{query}")
        expect(page.get_by_test_id("stMetric").first).to_be_visible(timeout=PATIENCE)
        expect(page.locator(SETTLED)).to_be_visible(timeout=PATIENCE)
        taken = time.perf_counter() - start
        page.close()
    return taken


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch) / "home"
        folder = Path(sys.argv[1]) if sys.argv[1:] else write_demo(Path(scratch), categories=("washer",))[0]
        with Store(home) as store:
            row = add_folder(store, folder)
            fit = fit_dataset(store, row.id, FitSettings(), cache=store.feature_cache())
        query, roots = f"data={row.id}&detector={fit.id}", str(folder.resolve())
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium_program(), args=list(QUIET))
            print(f"fresh server, /{FIRST}: {cold(browser, home, query, GAD_ROOTS=roots):.1f} s", flush=True)
            with serving(home, GAD_ROOTS=roots) as url:
                page = browser.new_page(viewport={"width": 1440, "height": 900})
                page.set_default_timeout(PATIENCE)
                page.goto(f"{url}/?{query}")
                expect(page.locator(SETTLED)).to_be_visible(timeout=PATIENCE)
                links = page.get_by_test_id("stSidebarNavLink")
                names = [text.splitlines()[-1] for text in links.all_inner_texts()]  # an icon's name comes first
                times: dict[str, list[float]] = {name: [] for name in names}
                for turn in range(ROUNDS + 1):
                    for index in (*range(1, len(names)), 0):  # it stands on the first
                        taken = float(page.evaluate(SWITCH, [index, names[index], PAUSE]))
                        if turn:
                            times[names[index]].append(taken)
            browser.close()
        for name, mine in times.items():
            report(name, mine)
        report("all pages", [taken for mine in times.values() for taken in mine])


if __name__ == "__main__":
    main()
