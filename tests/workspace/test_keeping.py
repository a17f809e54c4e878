"""Names, archive and bin: what is deleted comes back for a day, and then is gone with all that was its own."""

import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gad_core.errors import GadError
from gad_core.gaussian.settings import FitSettings
from gad_core.workspace.hanging import hangs_on_dataset, hangs_on_detector
from gad_core.workspace.imports import add_demo, add_folder, add_upload
from gad_core.workspace.inspecting import inspect_files
from gad_core.workspace.rows import DetectorRow
from gad_core.workspace.store import Store
from gad_core.workspace.tables import now
from gad_core.workspace.watching import Watcher

Pictures = Callable[..., bytes]


@pytest.fixture
def detector(store: Store) -> DetectorRow:
    return store.detectors.add(Path.touch, name="d", settings=FitSettings(), n_train=1)


def test_a_description_is_kept_and_one_that_is_too_long_is_refused(store: Store, detector: DetectorRow) -> None:
    store.detectors.describe(detector.id, "  for line 3 ")
    assert store.detectors.get(detector.id).description == "for line 3"
    with pytest.raises(GadError, match=r"at most 500 characters, got 501"):
        store.detectors.describe(detector.id, "x" * 501)


def test_archive_and_use_leave_their_time(store: Store, detector: DetectorRow) -> None:
    before = now()
    store.detectors.archive(detector.id, True)
    store.detectors.use(detector.id)
    row = store.detectors.get(detector.id)
    assert row.archived is not None
    assert row.used is not None
    assert before <= row.archived <= row.used <= now()
    store.detectors.archive(detector.id, False)
    assert store.detectors.all()[0].archived is None


def test_what_is_deleted_is_gone_for_everybody_and_comes_back_whole(store: Store, deciding: DetectorRow) -> None:
    decisions = store.detectors.decisions(deciding.id)
    store.detectors.delete(deciding.id)
    assert store.detectors.all() == ()
    with pytest.raises(GadError, match="was deleted; bring it back on Home"):
        store.detectors.get(deciding.id)
    with pytest.raises(GadError, match="was deleted"):
        store.detectors.rename(deciding.id, "other")
    ((key, name, _),) = store.detectors.binned()
    assert (key, name) == (deciding.id, "six")
    store.detectors.bring_back(key)
    assert store.detectors.get(deciding.id) == deciding
    assert store.detectors.decisions(deciding.id) == decisions
    assert store.detectors.binned() == ()


def test_after_a_day_it_is_gone_with_its_files_and_not_before(
    store: Store, deciding: DetectorRow, picture: Pictures
) -> None:
    inspect_files(store, deciding.id, [("a.png", picture(40))])
    (store.exported / f"{deciding.id}-1-2").mkdir()
    store.detectors.delete(deciding.id)
    store.empty_bins(now() + timedelta(hours=23, minutes=59))
    assert deciding.path.exists()
    store.empty_bins(now() + timedelta(days=1, seconds=1))
    assert not deciding.path.exists()
    assert store.detectors.binned() == ()
    assert store.inspections.of([deciding.id]) == ()
    assert not [path for folder in (store.inspected, store.exported) for path in folder.glob(f"{deciding.id}*")]
    with pytest.raises(GadError, match="there is no detector"):
        store.detectors.bring_back(deciding.id)


def test_a_detector_in_the_bin_keeps_its_features_in_the_cache(store: Store, six: DetectorRow) -> None:
    needed = store.in_use()
    assert needed
    store.detectors.delete(six.id)
    assert store.in_use() == needed


def test_a_folder_of_the_server_is_never_touched(store: Store, category: Callable[..., Path]) -> None:
    root = category()
    before = sorted(root.rglob("*"))
    row = add_folder(store, root)
    store.datasets.delete(row.id)
    store.empty_bins(now() + timedelta(days=2))
    assert sorted(root.rglob("*")) == before
    assert store.datasets.all() == ()


def test_registering_a_deleted_folder_again_brings_it_back(store: Store, category: Callable[..., Path]) -> None:
    root = category()
    row = add_folder(store, root)
    store.datasets.delete(row.id)
    assert add_folder(store, root).id == row.id
    assert [one.id for one in store.datasets.all()] == [row.id]


def test_a_deleted_demo_can_be_had_anew(store: Store, monkeypatch: pytest.MonkeyPatch, picture: Pictures) -> None:
    def write(root: Path, **_: object) -> list[Path]:
        (root / "washer/train/good").mkdir(parents=True)
        (root / "washer/train/good/0.png").write_bytes(picture(1))
        return [root / "washer"]

    monkeypatch.setattr("gad_core.workspace.imports.write_demo", write)
    first = add_demo(store, "washer")
    store.datasets.delete(first.id)
    second = add_demo(store, "washer")
    assert second.id != first.id
    assert [row.id for row in store.datasets.all()] == [second.id]


def test_a_deleted_detector_watches_nothing(
    store: Store, deciding: DetectorRow, picture: Pictures, tmp_path: Path
) -> None:
    (line := tmp_path / "line").mkdir()
    store.watches.start(deciding.id, line)
    store.detectors.delete(deciding.id)
    (line / "a.png").write_bytes(picture(30))
    assert [Watcher(store).look(), Watcher(store).look()] == [0, 0]
    store.detectors.bring_back(deciding.id)
    watcher = Watcher(store)
    watcher.look()
    watcher.look()
    assert [row.name for row in store.inspections.of([deciding.id])] == ["a.png"]


def test_what_hangs_on_a_thing_is_named(store: Store, deciding: DetectorRow, picture: Pictures, tmp_path: Path) -> None:
    inspect_files(store, deciding.id, [("a.png", picture(40)), ("b.png", picture(41))])
    store.watches.start(deciding.id, tmp_path)
    (store.sensitivity / f"{deciding.id}-x.json").write_text("{}")
    (store.shifts / f"{deciding.id}-x-y.json").write_text("{}")
    words = "1 decision, 2 inspected images, 1 watched folder, 1 sensitivity study and 1 shift study"
    assert hangs_on_detector(store, deciding) == words
    assert hangs_on_dataset(store, store.datasets.get(deciding.dataset_id or "")) == "1 detector"
    other = add_upload(store, [("0.png", picture(0))], name="other")
    assert hangs_on_dataset(store, other) == ""


def test_what_comes_back_at_the_last_moment_stays(
    store: Store, detector: DetectorRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.detectors.delete(detector.id)
    due = store.detectors.due

    def due_and_brought_back(moment: datetime) -> tuple[str, ...]:
        found = due(moment)
        store.detectors.bring_back(detector.id)  # as somebody does on another server
        return found

    monkeypatch.setattr(store.detectors, "due", due_and_brought_back)
    store.empty_bins(now() + timedelta(days=2))
    assert store.detectors.get(detector.id).path.exists()


_EXTEND = """
import sys
from pathlib import Path
from gad_core.workspace import datasets
from gad_core.workspace.store import Store
def stop(*_, **__):
    print("in the middle", flush=True)
    sys.stdin.readline()
datasets.count = stop
store = Store(Path(sys.argv[1]))
with store.datasets.workshop() as place:
    (place / "content/train/good").mkdir(parents=True)
    (place / "content/train/good/z.png").write_bytes(Path(sys.argv[3]).read_bytes())
    store.datasets.extend(sys.argv[2], place / "content")
"""


@pytest.mark.sqlite
def test_a_workspace_opens_although_what_was_being_extended_lies_in_the_bin(
    tmp_path: Path, picture: Pictures, spawn: Callable[..., "subprocess.Popen[str]"]
) -> None:
    home = tmp_path / "there"
    with Store(home) as store:
        row = add_upload(store, [(f"{seed}.png", picture(seed)) for seed in range(3)], name="x")
    (tmp_path / "z.png").write_bytes(picture(9))
    extending = spawn(_EXTEND, home, row.id, tmp_path / "z.png")
    assert extending.stdout is not None
    assert extending.stdout.readline() == "in the middle\n"
    extending.kill()
    extending.wait()
    with closing(sqlite3.connect(home / "gad.db")) as connection, connection:  # as another server did meanwhile
        moment = now().replace(tzinfo=None).isoformat(" ")
        connection.execute("UPDATE gad_datasets SET deleted = ?", (moment,))
    with Store(home) as store:
        store.datasets.bring_back(row.id)
        assert store.read(store.datasets.get(row.id)).train.digests == store.read(row).train.digests
        assert store.datasets.get(row.id).counts.train == len(store.read(row).train) == 3
