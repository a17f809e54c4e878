"""A workspace of one's own, and pictures to put into it."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gad_core.gaussian.settings import FitSettings
from gad_core.workspace.imports import add_upload
from gad_core.workspace.rows import DetectorRow
from gad_core.workspace.store import Store

#: What continuous integration runs on PostgreSQL; with GAD_ATTACKS=all it is everything, on both.
BOTH = ("sqlite", "postgresql")
SAMPLE = {"test_jobs": BOTH, "test_store": BOTH, "test_two_servers": ("postgresql",)}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests on every database that they are about: the marker `sqlite` is for what only its file can show."""
    module = metafunc.module.__name__.rpartition(".")[2]
    if metafunc.definition.get_closest_marker("sqlite") or module == "test_migrations":
        return
    if databases := BOTH if os.environ.get("GAD_ATTACKS") == "all" else SAMPLE.get(module):
        metafunc.parametrize("database", databases, indirect=True)


@pytest.fixture(autouse=True)
def database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str | None:
    """The URL of a database that this test's stores share, or None where each has the SQLite file of its folder."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return None
    url: str = request.getfixturevalue("postgresql").new_database()
    monkeypatch.setattr(Store.__init__, "__defaults__", (url,))
    return url


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "home") as store:
        yield store


@pytest.fixture
def fill_up(store: Store) -> Callable[[], None]:
    """Leaves the store's database no room to grow, as a full disk does."""

    def fill() -> None:
        with store.jobs._place.database.writing() as session:  # the pool hands this very connection out again
            pages = session.connection().exec_driver_sql("PRAGMA page_count").scalar()
            session.connection().exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    return fill


@pytest.fixture
def picture() -> Callable[..., bytes]:
    """Makes the bytes of a small PNG; another seed is another picture."""

    def make(seed: int = 0, kind: str = "PNG", size: int = 9) -> bytes:
        stream = BytesIO()
        pixels = np.random.default_rng(seed).integers(0, 256, (size, size + 1, 3), np.uint8)
        Image.fromarray(pixels).save(stream, kind)
        return stream.getvalue()

    return make


@pytest.fixture
def category(tmp_path: Path, picture: Callable[..., bytes]) -> Callable[..., Path]:
    """Lays a category in MVTec layout: 3 training images, 2 normal and 2 defective ones, the first with a mask."""

    def lay(name: str = "plug") -> Path:
        root = tmp_path / name
        for place, seeds in (("train/good", (0, 1, 2)), ("test/good", (3, 4)), ("test/bent", (5, 6))):
            (root / place).mkdir(parents=True)
            for number, seed in enumerate(seeds):
                (root / place / f"{number:03}.png").write_bytes(picture(seed))
        (root / "ground_truth/bent").mkdir(parents=True)
        (root / "ground_truth/bent/000_mask.png").write_bytes(picture(7))
        return root

    return lay


@pytest.fixture
def six(store: Store, picture: Callable[..., bytes]) -> DetectorRow:
    """A detector fitted to six uploaded images, each left out once."""
    from gad_core.workspace.steps import fit_dataset

    dataset = add_upload(store, [(f"{seed}.png", picture(seed)) for seed in range(6)], name="six")
    return fit_dataset(store, dataset.id, FitSettings(n_folds=6, n_references=2), cache=store.feature_cache())


@pytest.fixture
def deciding(store: Store, six: DetectorRow) -> DetectorRow:
    """The same with a threshold that somebody adopted, between the scores of new pictures."""
    from gad_core.gaussian.detector_file import load_detector
    from gad_core.gaussian.tuning import WorkingPoint
    from gad_core.workspace.adoption import adopt
    from gad_core.workspace.rows import detector_state

    detector, state = load_detector(six.path), detector_state(six)
    point = WorkingPoint("cross-conformal", 0.2, 3.3, 6, "from 6 images")
    adopt(store, six, detector, detector.tuning, point, state=state)
    return store.detectors.get(six.id)


@pytest.fixture
def spawn(database: str | None) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts Python code in a process of its own; a process that is still there at the end is killed."""
    started: list[subprocess.Popen[str]] = []
    if database:
        there = f"from gad_core.workspace.store import Store\nStore.__init__.__defaults__ = ({database!r},)\n"
    else:
        there = ""

    def start(code: str, *arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-W", "error", "-c", there + code, *map(str, arguments)]
        process = subprocess.Popen(  # noqa: S603 - our own code
            command, cwd=Path(__file__).parents[2], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
