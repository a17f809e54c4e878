"""Databases that somebody has damaged, or that are none: each with what has to become of it.

A builder gets the folder of a good workspace and spoils it; what it returns is the URL to open it with, None being the
workspace's own. The expectation is a pattern of the sentence with which opening is refused, or how many rows are named
as damaged (with `ANY`, either: what must not come is anything else than a sentence).
"""

import os
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

Builder = Callable[[Path], str | None]
ANY = "any"
SECRET = "s3cret"  # noqa: S105 - stands in URLs as a password, and must never be shown

_NO_URL = "GAD_DATABASE is no database URL.*write sqlite:"
_OTHER_KIND = "another kind of database than SQLite and PostgreSQL"
_MEMORY = "would be lost with the server; name a file"
_OPTION = "(an option in GAD_DATABASE|has an option).*"
_DAMAGED = "is damaged or no database at all; move it away or restore a copy"
_LACKS = "lacks gad_.*restore a copy"
_FOREIGN = "has not the tables of this version .*restore a copy"
_NEWER = "was written by a newer GAD .*update GAD"
_LEFT = "left as it is|restore a copy"

_URLS = (
    ("port that is no number", f"postgresql://u:{SECRET}@h:port/x", _NO_URL),
    ("password with a slash", f"postgresql://u:{SECRET}/{SECRET}@h/x", f"{_NO_URL}|cannot be reached"),
    ("nonsense", f"nonsense {SECRET}", _NO_URL),
    ("no scheme", f"//u:{SECRET}@h/x", _NO_URL),
    ("mysql", f"mysql://u:{SECRET}@h/x", _OTHER_KIND),
    ("mysql with a driver", f"mysql+pymysql://u:{SECRET}@h/x", _OTHER_KIND),
    ("oracle", f"oracle://u:{SECRET}@h/x", _OTHER_KIND),
    ("unknown dialect", f"nosuchbase://u:{SECRET}@h/x", _OTHER_KIND),
    ("unknown driver", f"postgresql+nosuch://u:{SECRET}@h/x", _OTHER_KIND),
    ("another driver", f"postgresql+psycopg2://u:{SECRET}@h/x", _OTHER_KIND),
    ("driver of SQLite's for asyncio", "sqlite+aiosqlite:///x.db", _OTHER_KIND),
    ("memory without a name", "sqlite://", _MEMORY),
    ("memory", "sqlite:///:memory:", _MEMORY),
    ("memory by mode", "sqlite:///file:x?mode=memory&uri=true", _MEMORY),
    ("memory with a password", f"sqlite://user:{SECRET}@host/:memory:", _MEMORY),
    ("option of SQLite that is none", "sqlite:///{home}/gad.db?nonsense=1", _OPTION),
    ("option of SQLite that is no number", "sqlite:///{home}/gad.db?timeout=soon", _OPTION),
    ("option of PostgreSQL that is none", f"postgresql://u:{SECRET}@127.0.0.1:1/x?nonsense=1", _OPTION),
    ("option of PostgreSQL without a sense", f"postgresql://u:{SECRET}@127.0.0.1:1/x?sslmode=maybe", "GAD_DATABASE"),
    ("nobody listens", f"postgresql://u:{SECRET}@127.0.0.1:1/x", "cannot be reached.*see whether its server runs"),
    ("socket that is not there", f"postgresql://u:{SECRET}@/x?host=/nowhere", "cannot be reached"),
    ("NUL in the name", "sqlite:///{home}/a\0b.db", "cannot be a file there"),
    ("name of 5,000 letters", "sqlite:///{home}/" + 5000 * "x", "cannot be a file there"),
    ("folder that is missing", "sqlite:///{home}/missing/x.db", "cannot be opened or written"),
    ("file for a folder", "sqlite:///{home}/gad.db/x.db", "cannot be a file there"),
    ("only to be read", "sqlite:///file:{home}/gad.db?mode=ro&uri=true", "cannot be opened or written|cannot write"),
    ("a folder", "sqlite:///{home}/datasets", "is a folder; name a file"),
    ("a device", "sqlite:////dev/zero", "is no regular file"),
)


def _url(text: str) -> Builder:
    return lambda home: text.replace("{home}", str(home))


def _sql(*statements: str) -> Builder:
    def build(home: Path) -> None:
        with closing(sqlite3.connect(home / "gad.db")) as connection, connection:
            for statement in statements:
                connection.execute(statement)

    return build


def _file(change: Callable[[Path], object]) -> Builder:
    """Changes the file itself, into which its log was written back before."""

    def build(home: Path) -> None:
        with closing(sqlite3.connect(home / "gad.db")) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
        change(home / "gad.db")

    return build


def _replaced(make: Callable[[Path], object]) -> Builder:
    def change(path: Path) -> None:
        path.unlink()
        make(path)

    return _file(change)


def _truncated(share: float) -> Builder:
    return _file(lambda path: path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)]))


def _flipped(seed: int, n: int) -> Builder:
    def change(path: Path) -> None:
        content, chance = bytearray(path.read_bytes()), random.Random(seed)  # noqa: S311 - damage, no secret
        for _ in range(n):
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        path.write_bytes(content)

    return _file(change)


def _foreign_only(statement: str) -> Builder:
    def make(path: Path) -> None:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(statement)

    return _replaced(make)


_TABLES = ("datasets", "detectors", "decisions", "watches", "inspections", "human_verdicts", "jobs", "servers")
_COLUMNS = (
    "datasets.description",
    "detectors.auroc",
    "decisions.who",
    "watches.sink",
    "inspections.lot",
    "jobs.again",
)

_FILES: tuple[tuple[str, Builder, str | int], ...] = (
    ("text", _replaced(lambda path: path.write_text("no database at all, but text " * 100)), _DAMAGED),
    ("zeros", _replaced(lambda path: path.write_bytes(bytes(8192))), _DAMAGED),
    ("a ZIP", _replaced(lambda path: path.write_bytes(b"PK\3\4" + bytes(5000))), _DAMAGED),
    ("empty file", _replaced(Path.touch), 0),
    ("folder in its place", _replaced(Path.mkdir), "is a folder; name a file"),
    ("FIFO", _replaced(os.mkfifo), "is no regular file"),
    ("link to itself", _replaced(lambda path: path.symlink_to(path)), "cannot be a file there"),
    ("link to nothing", _replaced(lambda path: path.symlink_to(path.parent / "missing/x")), "cannot be opened"),
    *((f"cut at {share}", _truncated(share), ANY) for share in (0.02, 0.3, 0.6, 0.95)),
    *((f"{n} flipped bits, {seed}", _flipped(seed, n), ANY) for n in (1, 30, 1000) for seed in range(6)),
    ("flipped header", _file(lambda path: path.write_bytes(b"x" + path.read_bytes()[1:])), _DAMAGED),
)

_SCHEMAS: tuple[tuple[str, Builder, str | int], ...] = (
    ("a later revision", _sql("UPDATE gad_revision SET version_num = '9999'"), _NEWER),
    ("a later schema", _sql("UPDATE gad_schema SET version = 99"), _NEWER),
    ("no revision", _sql("DELETE FROM gad_revision"), f"{_FOREIGN}|{_NEWER}"),
    ("two revisions", _sql("INSERT INTO gad_revision VALUES ('0001')"), _LEFT),
    ("revision that is none", _sql("UPDATE gad_revision SET version_num = 'x'' --'"), _NEWER),
    *((f"without gad_{table}", _sql(f"DROP TABLE gad_{table}"), _LACKS) for table in _TABLES),
    *(
        (f"without gad_{column}", _sql("ALTER TABLE gad_{} DROP COLUMN {}".format(*column.split("."))), _LACKS)
        for column in _COLUMNS
    ),
    ("somebody else's table of that name", _foreign_only("CREATE TABLE gad_jobs (x)"), _FOREIGN),
    ("somebody else's schema", _foreign_only("CREATE TABLE gad_schema (x)"), _FOREIGN),
    ("somebody else's tables", _foreign_only("CREATE TABLE parts (id)"), 0),
    ("another Alembic's revision", _foreign_only("CREATE TABLE gad_revision (x)"), _FOREIGN),
    (
        "a trigger that refuses",
        _sql("CREATE TRIGGER no BEFORE INSERT ON gad_jobs BEGIN SELECT RAISE(ABORT, 'no'); END"),
        0,
    ),
)


def _row(table: str, column: str, value: str) -> tuple[str, Builder, str | int]:
    statement = f"UPDATE gad_{table} SET {column} = {value} WHERE rowid = 1"  # noqa: S608 - our own
    return f"{table}.{column} = {value[:30]}", _sql(statement), 1


_ROWS: tuple[tuple[str, Builder, str | int], ...] = (
    _row("datasets", "refused", "'{'"),
    _row("datasets", "refused", "'{\"a\": 1}'"),
    _row("datasets", "refused", "'[{\"nonsense\": 1}]'"),
    _row("datasets", "created", "'yesterday'"),
    _row("datasets", "modified", "17"),
    _row("datasets", "kind", "'nonsense'"),
    _row("datasets", "n_train", "'many'"),
    _row("datasets", "name", "x'00ff'"),
    _row("detectors", "settings", "'not JSON'"),
    _row("detectors", "settings", "'null'"),
    _row("detectors", "settings", "'[1, 2]'"),
    _row("detectors", "settings", '\'{"backbone": 7, "n_folds": "x"}\''),
    _row("detectors", "settings", f"'{'[' * 20_000}'"),
    _row("detectors", "created", "'2026-13-45 00:00:00'"),
    _row("detectors", "created", "x'ff'"),
    _row("detectors", "used", "'nonsense'"),
    _row("detectors", "auroc", "'good'"),
    _row("detectors", "n_train", "1.5"),
    _row("decisions", "settings", "'{}'"),
    _row("decisions", "threshold", "'high'"),
    _row("decisions", "rates", "'{'"),
    _row("decisions", "created", "''"),
    _row("watches", "folder", "x'00'"),
    _row("watches", "sent", "'x'"),
    _row("watches", "created", "'x'"),
    ("name in another encoding", _sql("UPDATE gad_detectors SET name = CAST(x'fcff' AS TEXT) WHERE rowid = 1"), 0),
    ("name of 5 MB", _sql("UPDATE gad_datasets SET name = replace(hex(zeroblob(2500000)), '0', 'x')"), 0),
    ("name with HTML", _sql("UPDATE gad_datasets SET name = '<script>alert(1)</script>'"), 0),
    ("job without a sense", _sql("UPDATE gad_jobs SET state = 'running ', request = '{', rate = 'x'"), 0),
    ("image without a score", _sql("UPDATE gad_inspections SET score = 'x', created = 'x' WHERE id = 1"), 0),
    (
        "an id that is a way out of the workspace",
        _sql(
            "PRAGMA foreign_keys = OFF",
            "UPDATE gad_datasets SET id = '../../precious', deleted = '2020-01-01 00:00:00.000000' WHERE rowid = 1",
        ),
        0,
    ),
    ("in the bin since no day", _sql("UPDATE gad_detectors SET deleted = '' WHERE rowid = 1"), 1),
    (
        "decisions of nobody",
        _sql("PRAGMA foreign_keys = OFF", "UPDATE gad_decisions SET detector_id = 'gone' WHERE rowid = 1"),
        0,
    ),
)

#: Name, builder, and what has to become of it.
DATABASES: tuple[tuple[str, Builder, str | int], ...] = (
    *((f"URL: {name}", _url(text), expected) for name, text, expected in _URLS),
    *_FILES,
    *_SCHEMAS,
    *_ROWS,
)
