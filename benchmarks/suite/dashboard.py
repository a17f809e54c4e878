"""The dashboard in a real browser: frames while dragging, release to settled page, page switch, start, memory.

The demo's washer, and the categories in MVTec layout whose folders `GAD_BENCH_FOLDERS` names (apart by `:`).
"""

import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, Page, expect, sync_playwright

from benchmarks.soak.memory import sample
from benchmarks.suite.rows import Row, alone
from gad_core.data.demo import write_demo
from gad_core.gaussian.settings import FitSettings
from gad_core.workspace.imports import add_folder
from gad_core.workspace.steps import fit_dataset
from gad_core.workspace.store import Store
from tests.pages.conftest import QUIET, chromium_program, running, serving

MOVES, ROUNDS, STARTS, SESSIONS = 30, 5, 5, (0, 1, 4, 8)
PATIENCE = 120_000  # milliseconds for the first visit to a page
REST = 1500  # milliseconds of rest before a page is measured
STILL = 400  # milliseconds for which a page must stay as it is to have settled
SETTLED = '[data-testid=stApp][data-test-script-state="notRunning"]'
SLIDERS = {"working_point": "Target false-positive rate", "levels": "Components kept"}
NOW = """
    window.settled = (name) => {
        const app = document.querySelector('[data-testid=stApp]')
        return app.dataset.testScriptState === 'notRunning' && document.title.startsWith(name)
            && !document.querySelector('[data-stale=true], [data-testid=stSkeleton], .gad-chart[data-drawn=false]')
    }
    // Milliseconds until all that `act` sets off has ended, and nothing more has come for a while.
    window.until = (act, name = '', still = STILL) => new Promise((resolve) => {
        const app = document.querySelector('[data-testid=stApp]')
        const start = performance.now()
        let [since, begun] = [null, false]
        const watch = new MutationObserver(() => (begun = true))
        watch.observe(app, { attributes: true, attributeFilter: ['data-test-script-state'] })
        const look = () => {
            since = begun && window.settled(name) ? since ?? performance.now() : null
            if (since !== null && performance.now() - since > still) {
                watch.disconnect()
                resolve(since - start)
            } else if (performance.now() - start > 20000) resolve(null)
            else requestAnimationFrame(look)
        }
        act()
        requestAnimationFrame(look)
    })
""".replace("STILL", str(STILL))
FRAMES = """
    () => {
        window.frames_ = []
        window.dragged = true
        let last = performance.now()
        const look = (now) => {
            window.frames_.push(now - last)
            last = now
            if (window.dragged) requestAnimationFrame(look)
        }
        requestAnimationFrame(look)
    }
"""


def rows(*, quick: bool = False) -> list[Row]:
    """Frames, moves and switches by category; starts; memory by sessions."""
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_program(), args=list(QUIET))
        home = Path(scratch) / "home"
        fits = workspace(home, [*write_demo(Path(scratch) / "demo", categories=("washer",)), *_folders()])
        found: list[Row] = []
        with serving(home, GAD_ROOTS=_roots(scratch)) as url:
            for name, query in fits.items():
                with opened(browser, f"{url}/working_point?{query}") as page:
                    found.append(dragged(page, name, 40 if quick else 200))
                for path, slider in SLIDERS.items():
                    with opened(browser, f"{url}/{path}?{query}") as page:
                        found += moved(page, slider, f"{name}, {_called(path)}", 5 if quick else MOVES)
            with opened(browser, f"{url}/?{query}") as page:
                found.append(switched(page, 1 if quick else ROUNDS))
        query = fits["washer"]
        found += started(browser, home, query, _roots(scratch), 1 if quick else STARTS)
        found += remembered(browser, home, query, _roots(scratch))
        browser.close()
    return found


def workspace(home: Path, folders: Sequence[Path]) -> Mapping[str, str]:
    """A workspace with a detector of each category; the links' queries, by name."""
    links = {}
    with Store(home) as store:
        for folder in folders:
            row = add_folder(store, folder)
            fit = fit_dataset(store, row.id, FitSettings(), cache=store.feature_cache())
            links[row.name] = f"data={row.id}&detector={fit.id}"
    return links


@contextmanager
def opened(browser: Browser, url: str) -> Iterator[Page]:
    """A page that has come to rest."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(PATIENCE)
    page.add_init_script(NOW)
    page.goto(url)
    expect(page.locator(SETTLED)).to_be_visible(timeout=PATIENCE)
    page.wait_for_function("window.settled('') && document.querySelector('h1')")
    page.wait_for_timeout(REST)
    yield page
    page.close()


def dragged(page: Page, name: str, moves: int) -> Row:
    """Frames while the thumb of the target is dragged to and fro."""
    slider = page.get_by_role("slider", name=SLIDERS["working_point"])
    box = slider.bounding_box()
    assert box
    here = 8 + (box["width"] - 16) * int(slider.input_value()) / int(slider.get_attribute("max") or 1)
    x, y = box["x"] + here, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.evaluate(FRAMES)
    for move in range(moves):
        page.mouse.move(x + 150 * np.sin(move / 12), y)
    frames = page.evaluate("() => { window.dragged = false; return window.frames_ }")[1:]
    page.mouse.up()
    note = f"{len(frames)} frames, median {np.median(frames):.1f} ms"
    return high(f"a frame while dragging, {name}", frames, note).aiming(33, at_most=True)


def moved(page: Page, slider: str, name: str, moves: int) -> list[Row]:
    """From each press of an arrow key, which moves and releases a slider, to a page that has settled."""
    page.get_by_role("slider", name=slider).focus()
    times = []
    for move in range(moves + 2):
        page.evaluate("() => { window.taken = window.until(() => {}) }")
        page.keyboard.press("ArrowLeft" if move % 2 else "ArrowRight")
        taken = page.evaluate("window.taken")
        if move > 1 and taken is not None:  # the first moves fill caches
            times.append(float(taken))
    what = f"slider released to settled page, {name}"
    return [
        alone(f"{what}, median", times, unit="ms", note=f"{len(times)} moves").aiming(150, at_most=True),
        high(what, times, "").aiming(250, at_most=True),
    ]


def switched(page: Page, rounds: int) -> Row:
    """The median over all pages, with that of each."""
    times = switch_times(page, rounds)
    note = ", ".join(f"{name} {np.median(of):.0f}" for name, of in times.items() if of)
    everything = [one for of in times.values() for one in of]
    return alone("page switch, median over all pages", everything, unit="ms", note=note).aiming(400, at_most=True)


def switch_times(page: Page, rounds: int) -> dict[str, list[float]]:
    """Milliseconds from a click in the menu to a page that has settled, by page; a first round fills the caches."""
    names = [text.splitlines()[-1] for text in page.get_by_test_id("stSidebarNavLink").all_inner_texts()]
    times: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds + 1):
        for index in (*range(1, len(names)), 0):  # it stands on the first
            click = f"() => document.querySelectorAll('[data-testid=stSidebarNavLink]')[{index}].click()"
            taken = page.evaluate(f"window.until({click}, {names[index]!r})")
            if turn and taken is not None:
                times[names[index]].append(float(taken))
    return times


def started(browser: Browser, home: Path, query: str, roots: str, starts: int) -> list[Row]:
    """Seconds from the start of a server to its first page, and to controls and map of Attributions."""
    first, controls, maps = [], [], []
    for _ in range(starts):
        start = time.perf_counter()
        with serving(home, GAD_ROOTS=roots) as url:
            page = browser.new_page()
            page.goto(url)
            expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=PATIENCE)
            first.append(time.perf_counter() - start)
            page.close()
        start = time.perf_counter()
        with serving(home, GAD_ROOTS=roots) as url:
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto(f"{url}/attributions?{query}")
            expect(page.get_by_test_id("stPopover").first).to_be_visible(timeout=PATIENCE)
            controls.append(time.perf_counter() - start)
            expect(page.locator(".st-key-map .main-svg").first).to_be_attached(timeout=PATIENCE)
            maps.append(time.perf_counter() - start)
            page.close()
    return [
        alone("server start to the first page", first, unit="s").aiming(4, at_most=True),
        alone("server start to the controls of Attributions", controls, unit="s"),
        alone("server start to the first map", maps, unit="s"),
    ]


def remembered(browser: Browser, home: Path, query: str, roots: str) -> list[Row]:
    """Memory of the server with so many tabs open on Working point."""
    found = []
    with running(home, None, GAD_ROOTS=roots) as (url, pid):
        time.sleep(5)  # what is imported at the start
        for sessions in SESSIONS:
            while sum(len(context.pages) for context in browser.contexts) < sessions:
                page = browser.new_context().new_page()
                page.goto(f"{url}/working_point?{query}")
                expect(page.locator(".gad-slider")).to_be_visible(timeout=PATIENCE)
            time.sleep(2)
            called = f"memory of the server, {sessions} session{'' if sessions == 1 else 's'}"
            found.append(alone(called, [sample(pid).rss], unit="MB"))
        for context in browser.contexts:
            context.close()
    return found


def high(what: str, times: Sequence[float], note: str) -> Row:
    """The 95th percentile, between the median and the largest."""
    values = sorted(times)
    tail = values[min(int(0.95 * len(values)), len(values) - 1)]
    return Row(f"{what}, 95th percentile", tail, None, "ms", None, float(np.median(values)), values[-1], note=note)


def _folders() -> list[Path]:
    return [Path(name) for name in os.environ.get("GAD_BENCH_FOLDERS", "").split(os.pathsep) if name]


def _roots(scratch: str) -> str:
    return os.pathsep.join([scratch, *(str(folder.resolve()) for folder in _folders())])


def _called(path: str) -> str:
    return {"levels": "Levels", "working_point": "Working point"}[path]
