"""SQLite finds what pages ask for by its indexes: no query reads a table from end to end, or sorts what it found."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from gad_core.workspace.store import Store

pytestmark = pytest.mark.sqlite

ASKED: dict[str, Callable[[Store], Any]] = {
    "the newest of a source": lambda store: store.inspections.newest("w", 50),
    "further ones of a source": lambda store: store.inspections.of_source("w", after=100, limit=50),
    "further ones of a detector": lambda store: store.inspections.of(["d"], after=100, limit=50),
    "one by its content": lambda store: store.inspections.find("d", "0" * 64),
    "how many there are": lambda store: store.inspections.count("d"),
    "whether any have come": lambda store: store.inspections.latest("d"),
    "decisions": lambda store: store.detectors.decisions("d"),
    "watches": lambda store: store.watches.of("d"),
    "jobs at work": lambda store: store.jobs.active(),
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store(tmp_path_factory.mktemp("home")) as store:
        yield store


@pytest.mark.parametrize("asked", ASKED)
def test_what_pages_ask_for_is_found_by_an_index(asked: str, store: Store, monkeypatch: pytest.MonkeyPatch):
    engine, said = store._place.database._engine, []

    def note(connection, cursor, statement, parameters, context, many):
        if statement.startswith("SELECT"):
            said.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    ASKED[asked](store)
    event.remove(engine, "before_cursor_execute", note)
    assert said
    with engine.connect() as connection:
        for statement, parameters in said:
            cursor = connection.connection.cursor()
            steps = [row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            assert not [step for step in steps if step.startswith("SCAN") or "MATERIALIZE" in step], steps
            large = "gad_inspections" in statement
            assert not (large and any("TEMP B-TREE" in step for step in steps)), steps


def test_a_migrated_database_has_the_indexes_of_a_new_one(store: Store, tmp_path: Path):
    import zipfile

    with zipfile.ZipFile(Path(__file__).parent / "earlier.zip") as archive:
        archive.extractall(tmp_path / "home")
    names = []
    with Store(tmp_path / "home") as migrated:
        for one in (store, migrated):
            with one._place.database._engine.connect() as connection:
                found = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'index'"))
                names.append({name for (name,) in found if not name.startswith("sqlite_")})
    assert names[0] == names[1]
