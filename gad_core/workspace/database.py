"""One database for the store: SQLite made safe for threads and processes, and its errors in words."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from copy import copy
from pathlib import Path
from typing import Any, NoReturn

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.orm import Session

from gad_core.errors import GadError
from gad_core.workspace import migrations
from gad_core.workspace.people import NotAllowed
from gad_core.workspace.tables import SCHEMA, SchemaRecord

#: How long one writer waits for another (seconds); each holds the file for milliseconds.
PATIENCE = 30

_DAMAGED = (
    "is damaged or no database at all; move it away or restore a copy and start again: image files stay as they are"
)
_CLOSED = "cannot be opened or written; give this user the right to, or choose another folder with GAD_HOME"
_REMEDIES = {
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_CANTOPEN: _CLOSED,
    sqlite3.SQLITE_READONLY: _CLOSED,
    sqlite3.SQLITE_PERM: _CLOSED,
    sqlite3.SQLITE_FULL: "cannot grow because the disk is full; free some space and try again",
    sqlite3.SQLITE_IOERR: "cannot be read or written; see whether its disk is full or failing, then try again",
    sqlite3.SQLITE_BUSY: f"has been held by another program for {PATIENCE} s; close that program or try again",
}


class Database:
    """Sessions that read or write; what goes wrong outside the program comes out as a `GadError`."""

    def __init__(self, url: str) -> None:
        """Connect to any SQLAlchemy URL and bring its tables up to date; an older SQLite file is kept as a copy.

        Raises `GadError` if it cannot, or if a newer GAD wrote there.
        """
        try:
            self.name = make_url(url).render_as_string(hide_password=True)
            self._engine = create_engine(url)
        except (ArgumentError, ImportError) as error:
            raise GadError(f"GAD_DATABASE does not name a database that can be used here: {error}") from error
        if self._engine.dialect.name == "sqlite":
            if self._engine.url.database in (None, "", ":memory:"):
                raise GadError(f"the database {self.name} would be lost with the server; name a file in GAD_DATABASE")
            _tame_sqlite(self._engine)
        self._writer = self._engine.execution_options(immediate=True)
        self._closed: str | None = None
        try:
            self._lay_tables()
        except BaseException:
            self.close()
            raise

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session over one consistent state, which no writer disturbs."""
        with self._errors_in_words(), Session(self._engine) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session that is committed when the block ends well and otherwise leaves no trace; writers take turns."""
        self.check_open()
        with self._errors_in_words(), Session(self._writer) as session, session.begin():
            yield session

    def closed_to(self, reason: str) -> "Database":
        """The same database for somebody who may not write, for that reason."""
        view = copy(self)
        view._closed = reason
        return view

    def check_open(self) -> None:
        """Raise `NotAllowed` where nothing may be written."""
        if self._closed is not None:
            raise NotAllowed(self._closed)

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()

    def _lay_tables(self) -> None:
        """Make the tables, or bring those of an earlier version up to date, as one transaction."""
        with self.writing() as session:
            connection = session.connection()
            revision, version = migrations.current(connection), None
            if inspect(connection).has_table(SchemaRecord.__tablename__):
                version = session.scalar(select(SchemaRecord.version))
            if version is not None and version > (SCHEMA if revision else 1):
                self._refuse(f"schema {version}, this one knows {SCHEMA}")
            if revision is not None and not migrations.is_known(revision):
                self._refuse(f"revision {revision}, this one knows {migrations.head()}")
            former = revision or (migrations.FIRST if version else None)
            if former == migrations.head():
                return
            if former:
                self._keep_copy(connection)
            if former != revision:
                migrations.stamp(connection, migrations.FIRST)
            migrations.upgrade(connection)

    def _refuse(self, difference: str) -> NoReturn:
        raise GadError(
            f"{self.name} was written by a newer GAD ({difference}); update GAD, or choose another folder with GAD_HOME"
        )

    def _keep_copy(self, connection: Connection) -> None:
        """The database as it is, beside itself; other databases than SQLite have backups of their own."""
        if self._engine.dialect.name != "sqlite":
            return
        main = "SELECT file FROM pragma_database_list WHERE name = 'main'"  # a URL may name it in several ways
        path = Path(connection.exec_driver_sql(main).scalar_one())
        copy = path.with_name(f"{path.name}.before-{migrations.head()}")
        partial = path.with_name(f"{copy.name}.part")
        try:
            # SQLite's own way: what still lies in the write-ahead log comes along.
            with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(partial)) as target:
                source.backup(target)
            partial.replace(copy)
        except (sqlite3.Error, OSError) as error:
            partial.unlink(missing_ok=True)
            raise GadError(
                f"no copy of {path} could be kept before it is brought up to date ({error}); free some space beside "
                "it or allow writing there, then start again"
            ) from error

    @contextmanager
    def _errors_in_words(self) -> Iterator[None]:
        try:
            yield
        except (IntegrityError, ProgrammingError):  # mistakes of ours, which must surface
            raise
        except DBAPIError as error:
            if not isinstance(error.orig, sqlite3.Error):
                raise GadError(f"the database {self.name} cannot be used: {error.orig}; see GAD_DATABASE") from error
            code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF  # the low byte is the primary code
            if code not in _REMEDIES:
                raise
            raise GadError(f"the database {self._engine.url.database} {_REMEDIES[code]}") from error


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch to a write-ahead log; where two ask for it at once, SQLite refuses one without the wait it was told of."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(0.02)
        else:
            return


def _tame_sqlite(engine: Engine) -> None:
    """Readers beside one writer, patience, foreign keys, and transactions that begin when we say."""

    @event.listens_for(engine, "connect")
    def connect(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # the driver's own BEGIN leaves out reads and table definitions
        connection.execute(f"PRAGMA busy_timeout = {PATIENCE * 1000}")
        _write_ahead(connection)
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that reads before it writes fails at once when another wrote in between, unless it is immediate.
        immediate = connection.get_execution_options().get("immediate", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
