"""The store: one folder, one database, several threads and processes."""

import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from gad_core.errors import GadError
from gad_core.gaussian.reduction import ALL
from gad_core.gaussian.settings import FitSettings
from gad_core.gaussian.tuning import Tuning, WorkingPoint
from gad_core.workspace import migrations
from gad_core.workspace.database import Database
from gad_core.workspace.presence import new_id
from gad_core.workspace.rows import Counts, DecisionRow, DetectorRow, JobRow, detector_state
from gad_core.workspace.store import Store, open_store

Spawn = Callable[..., "subprocess.Popen[str]"]


def job(store: Store, key: str) -> JobRow:
    return JobRow(id=key, kind="fit", title="t", owner=store.owner, created=datetime.now(UTC))


@pytest.mark.sqlite
def test_the_environment_names_folder_and_database(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/elsewhere.db"
    with open_store({"GAD_HOME": str(tmp_path / "deep/home"), "GAD_DATABASE": url}) as store:
        assert store.home == tmp_path / "deep/home"
    assert (tmp_path / "elsewhere.db").is_file()
    assert not (tmp_path / "deep/home/gad.db").exists()


@pytest.mark.sqlite
def test_without_an_environment_the_workspace_lies_in_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    with open_store({"GAD_HOME": ""}) as store:
        assert store.home == tmp_path / ".gad"


def test_what_was_stored_is_there_after_a_restart_in_another_place(
    tmp_path: Path, category: Callable[..., Path]
) -> None:
    with Store(tmp_path / "home") as store:
        with store.datasets.workshop() as workshop:
            shutil.copytree(category(), workshop / "content")
            dataset = store.datasets.add(workshop / "content", name="plug", kind="upload")
        detector = store.detectors.add(
            lambda path: path.write_bytes(b"gad"),
            name="first",
            settings=FitSettings(backbone="lite0", n_folds=3),
            n_train=3,
            dataset_id=dataset.id,
        )
        decision = decide(store, detector, Tuning((7,), ALL), point(12.5))
    (tmp_path / "home").rename(tmp_path / "moved")
    with Store(tmp_path / "moved") as store:
        assert store.datasets.get(dataset.id).root == tmp_path / "moved/datasets" / dataset.id
        assert store.datasets.get(dataset.id).counts == Counts(3, 2, 2)
        assert store.datasets.all()[0].created == dataset.created
        assert store.detectors.get(detector.id).path.read_bytes() == b"gad"
        assert store.detectors.get(detector.id).settings == FitSettings(backbone="lite0", n_folds=3)
        assert store.detectors.decisions(detector.id) == (decision,)


def decide(store: Store, detector: DetectorRow, tuning: Tuning, point: WorkingPoint) -> DecisionRow:
    """Put a decision on record whose file stays as it is."""
    decision = DecisionRow(new_id(), detector.id, tuning, point, datetime.now(UTC), rates={"tpr": 0.9})
    content, state = detector.path.read_bytes(), detector_state(detector)
    store.detectors.rewrite(
        detector, lambda path: path.write_bytes(content), decision=decision, state=state, auroc=None
    )
    return decision


def point(threshold: float) -> WorkingPoint:
    return WorkingPoint("chi2", 0.05, threshold, 3, "from 3 images", level="7")


def test_times_are_utc(store: Store) -> None:
    moment = datetime(2026, 1, 1, 12, tzinfo=UTC).astimezone(timezone(timedelta(hours=5)))
    store.jobs.save(JobRow(id="a", kind="fit", title="t", owner=store.owner, created=moment))
    assert store.jobs.get("a").created == moment
    assert store.jobs.get("a").created.utcoffset() == timedelta(0)


def test_the_decision_adopted_last_comes_first(store: Store) -> None:
    detector = store.detectors.add(Path.touch, name="d", settings=FitSettings(), n_train=1)
    for threshold in (1.0, 3.0, 2.0):
        decide(store, detector, Tuning((7,)), point(threshold))
    assert [decision.point.threshold for decision in store.detectors.decisions(detector.id)] == [2.0, 3.0, 1.0]


def test_deleting_a_detector_takes_its_file_and_its_decisions(store: Store) -> None:
    detector = store.detectors.add(Path.touch, name="d", settings=FitSettings(), n_train=1)
    decide(store, detector, Tuning((7,)), point(1.0))
    store.detectors.remove(detector.id)
    assert not detector.path.exists()
    assert store.detectors.decisions(detector.id) == ()
    with pytest.raises(GadError, match=f"there is no detector '{detector.id}'"):
        store.detectors.get(detector.id)


def test_a_name_that_is_taken_gets_a_number_and_may_be_changed(store: Store) -> None:
    one, other = (store.detectors.add(Path.touch, name="d", settings=FitSettings(), n_train=1) for _ in range(2))
    assert (one.name, other.name) == ("d", "d 2")
    store.detectors.rename(other.id, "  the  second ")
    assert store.detectors.get(other.id).name == "the second"
    for wrong in ("   ", "x" * 61):
        with pytest.raises(GadError, match="1 to 60 characters"):
            store.detectors.rename(other.id, wrong)


def test_an_auroc_counts_until_the_file_is_written_again(store: Store) -> None:
    row = store.detectors.add(Path.touch, name="d", settings=FitSettings(), n_train=1, auroc=0.9)
    assert store.detectors.get(row.id).current_auroc == 0.9
    row.path.unlink()
    row.path.write_bytes(b"another fit")
    assert store.detectors.get(row.id).current_auroc is None


def test_a_detector_that_cannot_be_saved_leaves_nothing(store: Store) -> None:
    def save(path: Path) -> None:
        path.write_bytes(b"half")
        raise GadError("no")

    with pytest.raises(GadError, match="no"):
        store.detectors.add(save, name="d", settings=FitSettings(), n_train=1)
    assert store.detectors.all() == ()
    assert [path for path in (store.home / "detectors").rglob("*") if path.is_file()] == []


def test_a_fit_outlives_its_data_set(store: Store, category: Callable[..., Path]) -> None:
    with store.datasets.workshop() as workshop:
        shutil.copytree(category(), workshop / "content")
        dataset = store.datasets.add(workshop / "content", name="plug", kind="upload")
    before = store.detectors.add(Path.touch, name="d", settings=FitSettings(), n_train=1, dataset_id=dataset.id)
    store.datasets.remove(dataset.id)
    after = store.detectors.add(Path.touch, name="d", settings=FitSettings(), n_train=1, dataset_id=dataset.id)
    assert not dataset.root.exists()
    assert store.detectors.get(before.id).dataset_id is None
    assert store.detectors.get(after.id).dataset_id is None


def test_deleting_a_registered_folder_leaves_its_files(store: Store, category: Callable[..., Path]) -> None:
    root = category()
    files = sorted(root.rglob("*.png"))
    dataset = store.datasets.register(root, name="plug", counts=Counts(3))
    store.datasets.remove(dataset.id)
    assert store.datasets.all() == ()
    assert sorted(root.rglob("*.png")) == files


@pytest.mark.parametrize("key", ["", "../cache", "/", "nonsense"])
def test_a_link_with_a_foreign_id_deletes_nothing(store: Store, key: str) -> None:
    before = sorted(store.home.rglob("*"))
    with pytest.raises(GadError, match="there is no data set"):
        store.datasets.remove(key)
    with pytest.raises(GadError, match="there is no detector"):
        store.detectors.remove(key)
    assert sorted(store.home.rglob("*")) == before


def test_a_folder_registered_twice_is_one_data_set_with_the_new_counts(store: Store, tmp_path: Path) -> None:
    first = store.datasets.register(tmp_path, name="x", counts=Counts(3))
    second = store.datasets.register(tmp_path, name="x", counts=Counts(4))
    assert second.id == first.id
    assert store.datasets.all() == (second,)
    assert second.counts.train == 4
    assert second.modified > first.modified


def test_threads_write_at_once_and_nothing_is_lost(store: Store) -> None:
    def write(thread: int) -> None:
        for number in range(25):
            store.jobs.save(job(store, f"{thread}-{number}"))
            store.jobs.recent(5)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.jobs.active()) == 100


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from gad_core.workspace.rows import JobRow
from gad_core.workspace.store import Store
print("ready", flush=True)
sys.stdin.readline()
with Store(Path(sys.argv[1])) as store:
    for number in range(25):
        job = JobRow(id=f"{sys.argv[2]}-{number}", kind="fit", title="t", owner="x", created=datetime.now(UTC))
        store.jobs.save(job)
"""


def test_processes_make_and_write_one_new_workspace_at_once(tmp_path: Path, spawn: Spawn) -> None:
    writers = [spawn(WRITER, tmp_path / "home", number) for number in range(3)]
    assert [writer.stdout and writer.stdout.readline() for writer in writers] == ["ready\n"] * 3
    for writer in writers:
        print("go", file=writer.stdin, flush=True)
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    with Store(tmp_path / "home") as store:
        assert len(store.jobs.recent(1000)) == 75


@pytest.mark.sqlite
def test_many_who_open_one_new_database_at_once_all_get_in(tmp_path: Path) -> None:
    failed: list[Exception] = []

    def open_new(path: Path, together: threading.Barrier) -> None:
        together.wait()
        try:
            Database(f"sqlite:///{path}").close()
        except GadError as error:
            failed.append(error)

    for number in range(15):  # each time by chance: without patience about one in twenty was refused
        together = threading.Barrier(4)
        threads = [threading.Thread(target=open_new, args=(tmp_path / f"{number}.db", together)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not failed


@pytest.mark.sqlite
def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    Store(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / "gad.db")) as connection, connection:
        connection.execute("UPDATE gad_revision SET version_num = '9999'")
    with pytest.raises(GadError, match=f"revision 9999, this one knows {migrations.head()}.*update GAD"):
        Store(tmp_path)


@pytest.mark.sqlite
def test_a_damaged_database_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "gad.db").write_bytes(b"no database at all, but text " * 100)
    with pytest.raises(GadError, match=r"gad\.db is damaged.*move it away"):
        Store(tmp_path)
    assert list((tmp_path / "processes").iterdir()) == []


@pytest.mark.sqlite
def test_a_full_disk_is_an_error_in_words_and_loses_nothing(store: Store, fill_up: Callable[[], None]) -> None:
    store.jobs.save(job(store, "before"))
    fill_up()
    with pytest.raises(GadError, match="the disk is full; free some space"):
        store.jobs.save(replace(job(store, "after"), error="much to tell" * 10_000))
    assert [job.id for job in store.jobs.recent(10)] == ["before"]


def test_a_home_that_cannot_be_written_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(GadError, match=r"cannot write in the workspace .*GAD_HOME"):
        Store(tmp_path / "file" / "home")


@pytest.mark.sqlite
def test_a_database_that_cannot_be_opened_is_an_error_in_words(tmp_path: Path) -> None:
    with pytest.raises(GadError, match="cannot be opened or written"):
        Store(tmp_path, f"sqlite:///{tmp_path}/missing/folder/gad.db")


@pytest.mark.parametrize("url", ["nonsense", "nosuchbase://x/y", "postgresql+nosuchdriver://x/y", "sqlite://"])
@pytest.mark.sqlite
def test_a_database_url_that_cannot_serve_is_an_error_in_words(tmp_path: Path, url: str) -> None:
    with pytest.raises(GadError, match="GAD_DATABASE"):
        Store(tmp_path, url)


@pytest.mark.sqlite
def test_a_password_is_never_shown() -> None:
    with pytest.raises(GadError) as caught:
        Database("sqlite://user:secret@host/:memory:")
    assert "secret" not in str(caught.value)


BUILDER = """
import sys
from pathlib import Path
from gad_core.gaussian.settings import FitSettings
from gad_core.workspace.store import Store
store = Store(Path(sys.argv[1]))
def save(path):
    path.write_bytes(b"half a detector")
    print("half", flush=True)
    sys.stdin.readline()
store.detectors.add(save, name="d", settings=FitSettings(), n_train=1)
"""


def test_what_a_killed_process_was_making_is_gone_at_the_next_start(tmp_path: Path, spawn: Spawn) -> None:
    builder = spawn(BUILDER, tmp_path)
    assert builder.stdout is not None
    assert builder.stdout.readline() == "half\n"
    with Store(tmp_path) as store:
        assert len(list((tmp_path / "detectors").glob("*.gad"))) == 1  # its maker lives
        builder.kill()
        builder.wait()
        assert store.detectors.all() == ()
    with Store(tmp_path) as store:
        assert list((tmp_path / "detectors").glob("*.gad")) == []
        assert [path.name for path in (tmp_path / "processes").iterdir()] == [store.owner]
