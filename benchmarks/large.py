"""Every page of a workspace with 20,000 test and 5,000 training images, in a real headless Chromium.

    python -m benchmarks.large [HOME]

Makes the workspace in HOME, or in a temporary folder, unless it is there: tiny drawn images, whose features are drawn
as well and lie in the cache, so that no network runs. Of every page are printed the seconds until a deep link into a
fresh server has settled, the median of the milliseconds until it has settled when it is opened from the menu, the
bytes of its document, and the server's memory at the end. `--images` and `--training` change the numbers.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from benchmarks.soak.memory import sample
from benchmarks.suite.dashboard import REST, opened, switch_times
from gad_core.features.engines import load_engine
from gad_core.gaussian.settings import FitSettings
from gad_core.workspace.imports import add_folder
from gad_core.workspace.steps import fit_dataset
from gad_core.workspace.store import Store
from tests.pages.conftest import QUIET, chromium_program, running

SIDE = 32  # pixels of an image
ROUNDS = 5
DEFECTS = 0.1  # share of the test images
PAGES = ("data", "fit", "levels", "working_point", "attributions", "compare", "inspect", "")


def draw(folder: Path, n: int, rng: np.random.Generator) -> None:
    """Noise, every image another."""
    folder.mkdir(parents=True)
    for index, pixels in enumerate(rng.integers(96, 160, (n, SIDE, SIDE, 3), dtype=np.uint8)):
        Image.fromarray(pixels).save(folder / f"{index:05}.png", compress_level=1)


def make(home: Path, images: int, training: int) -> None:
    """A data set, features of all its images, and a detector."""
    rng, root = np.random.default_rng(0), home / "many"
    defects = int(DEFECTS * images)
    draw(root / "train" / "good", training, rng)
    draw(root / "test" / "good", images - defects, rng)
    draw(root / "test" / "scratch", defects, rng)
    with Store(home) as store:
        row, cache = add_folder(store, root), store.feature_cache()
        data, engine = store.read(row), load_engine(FitSettings().backbone)
        fingerprint, width = engine.network.fingerprint, engine.network.backbone.n_features
        for file in (*data.train, *data.test):
            vector = rng.standard_normal(width, np.float32) * (1.3 if file.anomalous else 1.0)
            cache.keep_features(fingerprint, file.digest, vector)
        fit_dataset(store, row.id, FitSettings(regions=None), cache=cache)


def first_visit(browser: Browser, home: Path, name: str, query: str, roots: str) -> tuple[float, int, float]:
    """Seconds from a deep link to a settled page of a fresh server, bytes of the page, and MB of the server."""
    with running(home, GAD_ROOTS=roots) as (url, process):
        start = time.perf_counter()
        with opened(browser, f"{url}/{name}?{query}") as page:
            return time.perf_counter() - start - REST / 1000, len(page.content()), sample(process).rss


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("home", nargs="?", type=Path)
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--training", type=int, default=5_000)
    parser.add_argument("--pages", nargs="*", default=PAGES)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        home = asked.home or Path(scratch) / "home"
        if not (home / "many").exists():
            start = time.perf_counter()
            make(home, asked.images, asked.training)
            print(f"made in {time.perf_counter() - start:.0f} s", flush=True)
        with Store(home) as store:
            (fit, *_), (row, *_) = store.detectors.all(), store.datasets.all()
        query, roots = f"data={row.id}&detector={fit.id}", str((home / "many").resolve())
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium_program(), args=list(QUIET))
            for name in asked.pages:
                taken, size, used = first_visit(browser, home, name, query, roots)
                print(
                    f"{name or 'home':16} first {taken:6.1f} s, {size / 1e6:6.2f} MB, server {used:6.0f} MB", flush=True
                )
            with running(home, GAD_ROOTS=roots) as (url, process), opened(browser, f"{url}/?{query}") as page:
                times = switch_times(page, ROUNDS)
                print(f"after {ROUNDS + 1} rounds: server {sample(process).rss:.0f} MB", flush=True)
            browser.close()
        for name, mine in times.items():
            print(f"{name:16} median {statistics.median(mine):6.0f} ms, slowest {max(mine):6.0f} ms")


if __name__ == "__main__":
    main()
