"""Eight people at one server for five minutes: sliders, attributions, inspection and fits, every number checked.

    python -m benchmarks.soak [FOLDER] [--sessions 8] [--seconds 300] [--after 150] [--images 8] [--seeds 4]

FOLDER is a data set in MVTec layout, by default the demo's washer. A workspace of its own is made for it, and what the
pages must say is worked out by the library. Then `streamlit run app.py` is
started over it, and that many tabs of a headless Chromium, with no common memory, take turns at everything. Exit status
0: no error in any page, console or log, no wrong number, nothing lost, and memory back to within 300 MB of what it was
when the first page had been served; else 1. Memory is read from /proc, so that this runs on Linux alone.
"""

import argparse
import asyncio
import json
import os
import re
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
from playwright.async_api import async_playwright

from benchmarks.soak import memory
from benchmarks.soak.expected import Expected, prepare
from benchmarks.soak.tab import Tab
from benchmarks.soak.work import Session
from gad_core.data.demo import write_demo
from gad_core.workspace.store import Store
from tests.pages.conftest import QUIET, chromium_program, running

ALLOWED = 300  # MB above the start after the last tab has been closed
_PATIENCE = 180.0  # seconds for a page on a machine with more to do than it can
_CALM = 5.0  # seconds after the first page until it counts as served
_COMPLAINT = re.compile(r"traceback|error|exception|warning|failed", re.IGNORECASE)


def options() -> argparse.Namespace:
    """What is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", help="a data set, by default the demo's washer")
    parser.add_argument("--sessions", type=int, default=8, help="tabs at once")
    parser.add_argument("--seconds", type=float, default=300, help="for how long they work")
    parser.add_argument(
        "--after", type=float, default=150, help="seconds that memory has to come back; 0: it is not judged"
    )
    parser.add_argument("--images", type=int, default=8, help="different images to explain")
    parser.add_argument("--seeds", type=int, default=4, help="different fits")
    parser.add_argument("--json", type=Path, help="a file for all figures")
    return parser.parse_args()


def main() -> int:
    """Run, report, and say whether it passed."""
    chosen = options()
    with tempfile.TemporaryDirectory(prefix="gad-soak-") as scratch:
        home = Path(scratch, "home")
        began = time.monotonic()
        folder = chosen.folder or write_demo(Path(scratch, "demo"), categories=("washer",))[0]
        expected = prepare(home, folder, n_images=chosen.images, n_references=(5, 10), n_seeds=chosen.seeds)
        print(f"worked out beforehand in {time.monotonic() - began:.0f} s", flush=True)
        with running(home, GAD_ROOTS=str(folder.resolve())) as (url, pid):
            watch = memory.Watch(pid)
            try:
                marks, sessions = asyncio.run(soak(url, pid, watch, expected, chosen))
            finally:
                watch.close()
        lines = (home / "server.log").read_text().splitlines()
        first = next((place for place, line in enumerate(lines) if _COMPLAINT.search(line)), len(lines))
        log = lines[max(0, first - 10) :] if first < len(lines) else []
        lost = not_on_record(home, expected, sessions)
    return report(chosen, watch, marks, sessions, log, lost)


async def soak(
    url: str, pid: int, watch: memory.Watch, expected: Expected, chosen: argparse.Namespace
) -> tuple[dict[str, memory.Sample], list[Session]]:
    """Let the sessions work; what memory was at each mark, and what they have done."""
    marks = {"server up": memory.sample(pid)}
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_program(), args=list(QUIET))
        first = await Tab.open(browser, "first", url, _PATIENCE)
        await first.go("", lambda shown: bool(shown.title))
        await asyncio.sleep(_CALM)
        marks["first page served"] = memory.sample(pid)
        await first.close()
        tabs = [await Tab.open(browser, f"tab {n}", url, _PATIENCE) for n in range(1, chosen.sessions + 1)]
        sessions = [Session(tab, expected, number) for number, tab in enumerate(tabs, start=1)]
        end = time.monotonic() + chosen.seconds
        await asyncio.gather(*(one.work(lambda: time.monotonic() < end) for one in sessions))
        marks["before the tabs close"] = memory.sample(pid)
        for tab in tabs:
            await tab.close()
        await browser.close()
    sessions[0].tab.trouble[:0] = first.trouble
    closed = time.monotonic()
    marks["peak"] = watch.peak(marks["first page served"].at, closed)
    for seconds in sorted({min(60.0, chosen.after), chosen.after}):
        await asyncio.sleep(max(0.0, closed + seconds - time.monotonic()))
        marks[f"{seconds:.0f} s after the last tab"] = memory.sample(pid)
    return marks, sessions


def not_on_record(home: Path, expected: Expected, sessions: list[Session]) -> list[str]:
    """Parts that were brought and are not on record exactly once with the score they should have; jobs that failed."""
    found: list[str] = []
    with Store(home) as store:
        rows = store.inspections.of([expected.detector])
        counts = Counter(row.name for row in rows)
        scores = {row.name: row.score for row in rows}
        for path, name in (one for session in sessions for one in session.brought):
            if counts[name] != 1:
                found.append(f"{name} is on record {counts[name]} times")
            elif not np.isclose(scores[name], expected.scores[path], rtol=1e-6):
                found.append(f"{name} is on record with the score {scores[name]}, not {expected.scores[path]}")
        found += [f"{job.title}: {job.state}, {job.error}" for job in store.jobs.recent(10_000) if job.state != "done"]
    return found


def report(
    chosen: argparse.Namespace,
    watch: memory.Watch,
    marks: dict[str, memory.Sample],
    sessions: list[Session],
    log: list[str],
    lost: list[str],
) -> int:
    """Print what was done, what went wrong, and memory over time; return the exit status."""
    done = sum((one.done for one in sessions), Counter())
    waited = sorted(seconds for one in sessions for seconds in one.tab.waited)
    print(f"\n{chosen.sessions} sessions for {chosen.seconds:.0f} s, load {os.getloadavg()[1]:.1f} over five minutes")
    for name, number in sorted(done.items()):
        print(f"  {name:26} {number:4} times")
    if waited:
        print(f"  a page's answer: median {np.median(waited):.1f} s, 95th percentile {np.quantile(waited, 0.95):.1f} s")
    trouble = [words for one in sessions for words in one.tab.trouble]
    wrong = [words for one in sessions for words in one.wrong]
    print(f"  numbers checked {sum(one.checked for one in sessions)}")
    for title, words in (
        ("wrong numbers", wrong),
        ("errors in pages and consoles", trouble),
        ("complaints in the server's log", log),
        ("lost or failed", lost),
    ):
        print(f"{title}: {len(words)}")
        for one in words[:40]:
            print(f"  {one[:400]}")
    start = marks["first page served"]
    print(f"{'memory, MB':28}   RSS   USS  threads")
    for name, one in sorted(marks.items(), key=lambda pair: pair[1].at):
        print(f"  {name:26} {one.rss:5.0f} {one.uss:5.0f} {one.threads:5}   {one.rss - start.rss:+5.0f}")
    last = max(marks.values(), key=lambda one: one.at)
    stays = last.rss - start.rss
    small = stays <= ALLOWED or not chosen.after
    print(f"stays: {stays:.0f} MB of {ALLOWED} allowed")
    if chosen.json:
        values = {
            "marks": {name: vars(one) for name, one in marks.items()},
            "samples": [vars(one) for one in watch.samples],
            "done": done,
            "checked": sum(one.checked for one in sessions),
            "wrong": wrong,
            "trouble": trouble,
            "log": log,
            "lost": lost,
        }
        chosen.json.write_text(json.dumps(values))
    passed = not (wrong or trouble or log or lost) and small and bool(done)
    print("passed" if passed else "FAILED")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
