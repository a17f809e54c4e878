"""From a slider's move to a page that has settled, in a real headless Chromium.

    python -m benchmarks.browser [FOLDER ...]

Each folder is a category in MVTec layout; without any, the four of the demo. Prints the median and the 95th percentile
of 20 moves a slider in milliseconds; the pages' own target is 400.
"""

import os
import statistics
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright
from playwright.sync_api import TimeoutError as NotYet

from gad_core.data.demo import write_demo
from gad_core.features.cache import FeatureCache
from gad_core.gaussian.settings import FitSettings
from gad_core.workspace.imports import add_folder
from gad_core.workspace.steps import fit_dataset
from gad_core.workspace.store import Store
from tests.pages.conftest import QUIET, chromium_program, serving

MOVES, PAUSE = 20, 700  # moves a slider, and milliseconds of rest after each
SLIDERS = {
    "levels": "Components kept",
    "working_point": "Target false-positive rate",
}
SETTLED = '[data-testid=stApp][data-test-script-state="notRunning"]'
WATCH = """
    () => {
        const app = document.querySelector('[data-testid=stApp]');
        window.states = [];
        new MutationObserver(() => window.states.push(performance.now()))
            .observe(app, {attributes: true, attributeFilter: ['data-test-script-state']});
    }
"""


DONE = "() => window.states.length > 1 && document.querySelector('[data-test-script-state=notRunning]') !== null"


def milliseconds(page: Page, slider: str) -> list[float]:
    """From each press of an arrow key to the last change of the script's state."""
    handle, times = page.get_by_role("slider", name=slider), []
    page.evaluate(WATCH)
    for move in range(MOVES):
        wait_until_quiet(page)
        page.evaluate("window.states = []")
        start = page.evaluate("performance.now()")
        handle.press("ArrowLeft" if move % 2 else "ArrowRight")
        try:
            page.wait_for_function(DONE, timeout=10_000)
        except NotYet:  # the page did not answer: worth a word, and no time
            print(f"move {move} was lost; the slider stands at {handle.get_attribute('aria-valuetext')}")
            continue
        page.wait_for_timeout(PAUSE)  # whatever else it still draws belongs to this move
        times.append(page.evaluate("window.states.at(-1)") - start)
    return sorted(times)


def wait_until_quiet(page: Page) -> None:
    """Let whatever an earlier move, or the first visit to a data set, has set off come to its end."""
    changes = -1
    while changes != (now := page.evaluate("window.states.length")) or not page.locator(SETTLED).count():
        changes = now
        page.wait_for_timeout(PAUSE)


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch) / "home"
        folders = [Path(name) for name in sys.argv[1:]] or list(write_demo(Path(scratch) / "demo"))
        with Store(home) as store:
            cache, rows = FeatureCache(store.cache), [add_folder(store, folder) for folder in folders]
            fits = [fit_dataset(store, row.id, FitSettings(), cache=cache) for row in rows]
        roots = os.pathsep.join(str(folder.resolve()) for folder in folders)
        with serving(home, GAD_ROOTS=roots) as url, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium_program(), args=list(QUIET))
            for row, fit in zip(rows, fits, strict=True):
                for name, slider in SLIDERS.items():
                    page = browser.new_page(viewport={"width": 1440, "height": 1000})
                    page.goto(f"{url}/{name}?data={row.id}&detector={fit.id}")
                    expect(page.get_by_role("slider", name=slider)).to_be_visible(timeout=60_000)
                    expect(page.locator(SETTLED)).to_be_visible()
                    times = milliseconds(page, slider)
                    median, high = statistics.median(times), times[int(0.95 * len(times))]
                    print(f"{row.name:15} {name:14} median {median:4.0f} ms, 95th percentile {high:4.0f} ms")
                    page.close()
            browser.close()


if __name__ == "__main__":
    main()
