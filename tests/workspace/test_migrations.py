"""A workspace of the first version (`earlier.zip`) opens with nothing lost, and one that is too new not at all."""

import json
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from gad_core.attribution.explanation import Undefined
from gad_core.errors import GadError
from gad_core.gaussian.detector_file import load_detector
from gad_core.gaussian.reduction import Reduction
from gad_core.gaussian.settings import FitSettings
from gad_core.gaussian.tuning import Tuning
from gad_core.workspace import migrations
from gad_core.workspace.explanations import runs_on
from gad_core.workspace.rows import Counts
from gad_core.workspace.steps import settings_without
from gad_core.workspace.store import Store


@pytest.fixture
def home(tmp_path: Path) -> Path:
    with zipfile.ZipFile(Path(__file__).parent / "earlier.zip") as archive:
        archive.extractall(tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def expected(home: Path) -> dict:
    return json.loads((home / "expected.json").read_text())


def tables(path: Path) -> dict[str, list[tuple]]:
    with closing(sqlite3.connect(path)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in names}  # noqa: S608 - our own


def test_data_sets_jobs_and_runs_are_there(home, expected):
    with Store(home) as store:
        (dataset,) = store.datasets.all()
        assert (dataset.id, dataset.name, dataset.counts) == (expected["data"], "my parts", Counts(7, 2, 2))
        assert [refusal.path for refusal in dataset.refused] == ["bad.png"]
        assert store.jobs.get(expected["job"]).result_id == expected["detector"]
        (run,) = runs_on(store.explanations, dataset.id)
        assert (run.auroc, run.key.tuning) == (0.75, Tuning((6, 7), Reduction("npca", 0.2)))
        assert isinstance(run.category.images[1].explanation, Undefined)
        assert not list((home / "cache").rglob("*.json"))


def test_a_detector_keeps_its_settings_and_both_its_thresholds(home, expected):
    with Store(home) as store:
        (row,) = store.detectors.all()
        assert row.settings == FitSettings(
            n_folds=3, seed=5, without=(expected["without"],), calibration_share=1 / 3, regions=None
        )
        assert settings_without(row, row.settings.without) == row.settings
        decisions = store.detectors.decisions(row.id)
        assert [decision.point.target_fpr for decision in decisions] == [0.3, 0.4]
        assert {decision.point.n for decision in decisions} == {4}
        assert {decision.tuning for decision in decisions} == {Tuning((6, 7), Reduction("npca", 0.2))}


def test_its_file_scores_as_before_and_knows_the_threshold_with_its_n(home, expected):
    with Store(home) as store:
        detector = load_detector(store.detectors.get(expected["detector"]).path)
    assert detector.settings == FitSettings(n_folds=3, seed=5, calibration_share=1 / 3, regions=None)
    point = detector.working_point
    assert point is not None
    assert (point.threshold, point.level, point.n) == (expected["threshold"], "7", 4)
    left_out = detector.left_out_distances(Reduction("npca", 0.2)).sum(1)
    for found, written in ((detector.scores(detector.training.features), "scores"), (left_out, "left_out")):
        np.testing.assert_allclose(found, expected[written], rtol=1e-14)  # another processor rounds otherwise


def test_the_database_as_it_was_is_kept_beside_it(home):
    before = tables(home / "gad.db")
    Store(home).close()
    assert tables(home / f"gad.db.before-{migrations.head()}") == before
    Store(home).close()  # and opens again without another migration
    assert len(list(home.glob("gad.db.before-*"))) == 1


def test_a_migration_that_breaks_off_leaves_everything_as_it_was(home, monkeypatch):
    before = tables(home / "gad.db")

    def fail(connection):
        migrations.stamp(connection, migrations.head())
        raise RuntimeError("no more power")

    monkeypatch.setattr(migrations, "upgrade", fail)
    with pytest.raises(RuntimeError, match="no more power"):
        Store(home)
    assert tables(home / "gad.db") == before
    monkeypatch.undo()
    with Store(home) as store:
        assert store.detectors.all()[0].settings.n_folds == 3


def test_a_schema_that_is_newer_than_this_program_is_refused(home):
    with closing(sqlite3.connect(home / "gad.db")) as connection, connection:
        connection.execute("UPDATE gad_schema SET version = 3")
    with pytest.raises(GadError, match=r"schema 3.*update GAD"):
        Store(home)


def test_a_program_from_before_the_migrations_refuses_this_workspace(home):
    Store(home).close()
    assert tables(home / "gad.db")["gad_schema"] == [(2,)]


def test_a_new_database_has_the_tables_of_a_migrated_one(home, tmp_path):
    Store(home).close()
    Store(tmp_path / "new").close()
    columns = []
    for path in (home / "gad.db", tmp_path / "new" / "gad.db"):
        with closing(sqlite3.connect(path)) as connection:
            columns.append(
                {
                    name: sorted(row[1] for row in connection.execute(f"PRAGMA table_info({name})"))
                    for name in tables(path)
                }
            )
    assert columns[0] == columns[1]


def test_the_names_of_the_files_say_what_alembic_knows(tmp_path: Path) -> None:
    script = migrations._script()
    assert migrations.head() == script.get_current_head()
    assert {revision.revision for revision in script.walk_revisions()} == migrations._KNOWN
    engine = create_engine(f"sqlite:///{tmp_path / 'one.db'}")
    with engine.begin() as connection:
        assert migrations.current(connection) is None
        migrations.upgrade(connection)
        theirs = MigrationContext.configure(connection, opts={"version_table": "gad_revision"})
        assert migrations.current(connection) == theirs.get_current_revision() == migrations.head()
    engine.dispose()
