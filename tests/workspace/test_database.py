"""A database is brought up to date once, whole, and with a copy that lacks nothing."""

import sqlite3
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from json import dumps
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from gad_core.data.augment_settings import FIG_5
from gad_core.errors import GadError
from gad_core.gaussian.settings import Augmented
from gad_core.workspace import migrations
from gad_core.workspace.database import Database
from gad_core.workspace.store import Store
from gad_core.workspace.tables import Table


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A workspace of the first version."""
    with zipfile.ZipFile(Path(__file__).parent / "earlier.zip") as archive:
        archive.extractall(tmp_path / "home")
    return tmp_path / "home"


def change(path: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement, values)


def everything(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def test_a_new_and_an_upgraded_database_have_the_tables_that_the_program_knows(home: Path, tmp_path: Path) -> None:
    for path in (home / "gad.db", tmp_path / "new.db"):
        database = Database(f"sqlite:///{path}")
        with database.reading() as session:
            context = MigrationContext.configure(session.connection(), opts={"version_table": "gad_revision"})
            assert compare_metadata(context, Table.metadata) == []
        database.close()


def test_the_copy_has_what_the_write_ahead_log_still_holds(home: Path) -> None:
    with closing(sqlite3.connect(home / "gad.db")) as connection:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("UPDATE gad_detectors SET name = 'late'")
        connection.commit()
        assert b"late" not in (home / "gad.db").read_bytes()
        before = list(connection.iterdump())
        Store(home).close()
    assert everything(home / f"gad.db.before-{migrations.head()}") == before


def test_without_a_copy_nothing_is_upgraded(home: Path) -> None:
    before = everything(home / "gad.db")
    (home / f"gad.db.before-{migrations.head()}").mkdir()
    with pytest.raises(GadError, match=r"no copy of .*gad\.db could be kept .* free some space"):
        Store(home)
    assert everything(home / "gad.db") == before
    assert list(home.glob("*.part")) == []


def test_an_upgrade_that_fails_half_way_leaves_the_database_as_it_was(home: Path) -> None:
    change(home / "gad.db", "ALTER TABLE gad_jobs ADD COLUMN request")
    before = everything(home / "gad.db")
    with pytest.raises(GadError, match="has not the tables of this version"):  # by then the other new columns are there
        Store(home)
    assert everything(home / "gad.db") == before
    change(home / "gad.db", "ALTER TABLE gad_jobs DROP COLUMN request")
    with Store(home) as store:
        assert len(store.detectors.all()) == 1


def test_many_who_open_an_earlier_workspace_at_once_upgrade_it_once(home: Path) -> None:
    before = everything(home / "gad.db")
    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(Store, [home] * 4))
    assert [len(store.detectors.all()) for store in stores] == [1] * 4
    for store in stores:
        store.close()
    assert everything(home / f"gad.db.before-{migrations.head()}") == before


def test_workspaces_apart_are_made_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(Store, [tmp_path / str(number) for number in range(8)]))
    for store in stores:
        assert store.detectors.all() == ()
        store.close()


OPENER = """
import sys
from pathlib import Path
from gad_core.workspace.store import Store
print("ready", flush=True)
sys.stdin.readline()
with Store(Path(sys.argv[1])) as store:
    print(len(store.detectors.all()))
"""


def test_processes_upgrade_one_workspace_at_once(home: Path, spawn: Callable) -> None:
    openers = [spawn(OPENER, home) for _ in range(3)]
    assert [opener.stdout.readline() for opener in openers] == ["ready\n"] * 3
    assert [opener.communicate("go\n")[0] for opener in openers] == ["1\n"] * 3


def test_augmented_copies_and_the_number_behind_every_threshold_are_understood(home: Path) -> None:
    augmented = Augmented(FIG_5.without("flip"), 20)
    settings = {"folds": 5, "seed": 7, "without": ["b", "a"], "apart": 10, "augment": augmented.to_json()}
    change(home / "gad.db", "UPDATE gad_detectors SET settings = ?, n_train = 90", dumps(settings))
    sentences = {
        "quantile of the scores of 81 normal images, each from a fit without its fold": 81,
        "quantile of the scores of 10 separate normal images in 3 groups, with a finite-sample guarantee": 10,
        "chi-square with 58 degrees of freedom, as if mean and covariance were known; 77 images gave them": 77,
        "set by hand": 90,
    }
    change(home / "gad.db", "DELETE FROM gad_decisions")
    for number, how in enumerate(sentences):
        change(
            home / "gad.db",
            "INSERT INTO gad_decisions SELECT ?, id, 'chi2', '7', 0.05, 3.5, ?, ?, '2026-01-01 00:00:00' "
            "FROM gad_detectors",
            str(number),
            how,
            dumps({"levels": [7], "keep": "npca:0.05", "score": "sed"}),
        )
    with Store(home) as store:
        (row,) = store.detectors.all()
        assert (row.settings.n_folds, row.settings.seed, row.settings.without) == (5, 7, ("a", "b"))
        assert (row.settings.calibration_share, row.settings.augmented) == (0.1, augmented)
        decisions = store.detectors.decisions(row.id)
    assert {decision.point.how: decision.point.n for decision in decisions} == sentences
    assert {decision.tuning.distance for decision in decisions} == {"sed"}
