"""A server killed at random moments: what it had confirmed is there, whole, and it goes on."""

import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gad_core.gaussian.detector_file import read_summary
from gad_core.workspace.adoption import in_force
from gad_core.workspace.layout import count
from gad_core.workspace.requests import ask_again
from gad_core.workspace.store import Store

pytest.importorskip("resource", reason="kills with SIGKILL")

#: The objects of the server, worked with as its pages do; a line is printed for everything that a person is shown.
_SERVER = """
import random, sys
from pathlib import Path
sys.path[:0] = [sys.argv[2]]
from operations import BACKBONE, mask, picture, point, settings
from gad_core.features import engines
from gad_core.features.torch_engine import TorchEngine
engines.OpenVinoEngine = lambda network, _: TorchEngine(network, "cpu")
from gad_core.workspace.adoption import adopt
from gad_core.workspace.imports import add_upload, extend_upload, relabel
from gad_core.workspace.requests import Fit
from gad_core.workspace.rows import detector_state
from gad_core.gaussian.detector_file import load_detector
from pages.shared import resources

chance = random.Random(sys.argv[1])
store, jobs, _ = resources.store(), resources.jobs(), resources.watcher()

def told(*words):
    print(*words, flush=True)

def bring():
    files = [(f"{n}.png", picture(chance.randrange(10**6))) for n in range(8)]
    work = lambda progress: add_upload(store, files, name="parts", progress=progress).id
    told("data", jobs.wait(jobs.submit("data", "parts", work)).result_id)

def fit():
    request = Fit(chance.choice(uploads()).id, settings())
    work = lambda progress: request.run(store, cache=resources.feature_cache(), progress=progress).id
    told("detector", jobs.wait(jobs.submit("fit", "fit", work, request=request.to_json())).result_id)

def decide():
    row = chance.choice(store.detectors.all())
    state, detector = detector_state(row), load_detector(row.path)
    told("decision", row.id, adopt(store, row, detector, detector.tuning, point(chance.random()), state=state).id)

def label():
    row = chance.choice(uploads())
    file = chance.choice(store.read(row).train.files)
    relabel(store, row.id, file, split="test", defect="bent", mask=mask(2))
    told("bent", row.id, file.digest)

def add():
    row = chance.choice(uploads())
    files = [(f"{n}.png", picture(chance.randrange(10**6))) for n in range(3)]
    told("size", row.id, extend_upload(store, row.id, files).counts.train)

def uploads():
    return [row for row in store.datasets.all() if row.counts.train > 5]

bring()
while True:
    chance.choice([bring, fit, add, label, *([decide] * 3 if store.detectors.all() else [])])()
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace for servers to come, with the tiny network of the attacks and a folder that a detector watches."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    prepare = (
        "import sys; sys.path[:0] = sys.argv[2:]; import operations; from pathlib import Path; "
        "place = Path(sys.argv[1]); operations.warm_up(place); operations.watching(place / 'home')"
    )
    repository = Path(__file__).parents[2]
    command = [sys.executable, "-c", prepare, str(tmp_path), str(Path(__file__).parent)]
    subprocess.run(command, check=True, cwd=repository)  # noqa: S603 - our own code
    monkeypatch.setenv("GAD_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("GAD_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    return tmp_path / "home"


def part(folder: Path, number: int) -> None:
    """An image that comes on the line."""
    pixels = np.random.default_rng(number).integers(0, 256, (9, 10, 3), np.uint8)
    Image.fromarray(pixels).save(path := folder / f"part {number}.png")
    os.utime(path, (then := time.time() - 60, then))


@pytest.mark.timeout(3600)
def test_a_server_killed_at_random_moments_has_lost_nothing_and_left_nothing(home: Path, everything: bool) -> None:
    chance = random.Random(17)  # noqa: S311 - moments, no secrets
    line, told = home.parent / "line", list[list[str]]()
    arrived = 0
    for turn in range(20 if everything else 2):
        server = subprocess.Popen(  # noqa: S603 - our own code
            [sys.executable, "-c", _SERVER, str(turn), str(Path(__file__).parent)],
            cwd=Path(__file__).parents[2],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert server.stdout is not None
        first = server.stdout.readline()
        assert first, server.stderr and server.stderr.read()
        until = time.monotonic() + chance.uniform(0.05, 4)
        while time.monotonic() < until:
            part(line, arrived)
            arrived += 1
            time.sleep(chance.uniform(0, 0.3))
        server.kill()
        out, _ = server.communicate()
        told += [words.split() for words in (first + out).splitlines()]
        with Store(home) as store:
            check(store, told)
            for job in store.jobs.recent(1):
                if job.state == "interrupted" and job.request:
                    ask_again(job).run(store, cache=store.feature_cache(), progress=lambda *_: None)
        assert not [path for path in home.rglob(".*") if path.name.startswith((".gad-", ".token"))]
    watched(home, arrived)


def check(store: Store, told: list[list[str]]) -> None:
    """Everything that was told is there, and what is there is whole."""
    rows = {row.id: row for row in store.datasets.all()}
    detectors = {row.id: row for row in store.detectors.all()}
    for what, key, *more in told:
        if what in {"data", "size", "bent"}:
            assert key in rows, (what, key)
        if what == "size":
            assert rows[key].counts.total >= int(more[0])
        if what == "detector":
            assert key in detectors
        if what == "decision":
            assert more[0] in {one.id for one in store.detectors.decisions(key)}
        if what == "bent":
            (file,) = [one for one in store.read(rows[key]).test if one.digest == more[0]]
            assert (file.defect, file.mask is not None) == ("bent", True)
    for row in rows.values():
        assert count(row.root) == row.counts
        digests = Counter((*store.read(row).train.digests, *store.read(row).test.digests))
        assert set(digests.values()) == {1}  # no image under two labels
    for one in detectors.values():
        summary, decisions = read_summary(one.path), store.detectors.decisions(one.id)
        assert bool(summary.working_point) == bool(in_force(decisions, summary.tuning, summary.working_point))
        if decisions:
            assert summary.working_point == decisions[0].point
    assert {path.name for path in (store.home / "datasets").iterdir()} == rows.keys()
    assert {path.stem for path in (store.home / "detectors").iterdir()} == detectors.keys()
    assert not store.jobs.active()


def watched(home: Path, arrived: int) -> None:
    """Every image on the line was scored once."""
    from gad_core.workspace.watching import Watcher

    with Store(home) as store:
        Watcher(store, cache=store.feature_cache()).look()
        (detector,) = {watch.detector_id for watch in store.watches.active()}
        names = Counter(row.name for row in store.inspections.of([detector]))
    assert {name: n for name, n in names.items() if name.startswith("part")} == {
        f"part {number}.png": 1 for number in range(arrived)
    }
