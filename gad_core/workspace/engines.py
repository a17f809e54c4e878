"""The databases that a workspace can lie in, each made to keep one promise.

Readers see one consistent state, writers take turns, and who waits too long is told so. SQLite does that with a file
and its locks, PostgreSQL with a lock for each database that every writer takes first: nothing can deadlock, no
transaction has to be done again, and code that looks before it writes is right on both.
"""

import os
import sqlite3
import stat
import time
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from gad_core.errors import GadError

#: How long one writer waits for another (seconds); each holds the database for milliseconds.
PATIENCE = 30

_TURN = 0x6761642D7475726E  # names the writers' lock of PostgreSQL, "gad-turn"
_IDLE = 300  # seconds in which a writer that says nothing is taken for dead: it may be moving images meanwhile
_FORM = (
    "write sqlite:////folder/file.db or postgresql://user:password@host:5432/name, with the special characters of a "
    "password as %-codes"
)
# A server that cannot be reached is noticed in seconds, not in the system's quarter of an hour.
_REACH = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    "application_name": "gad",
}
# The other way round, too: a writer whose machine is gone must not hold up the others.
_SESSION = (
    "SET TIME ZONE 'UTC'; SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; "
    f"SET tcp_keepalives_count = 3; SET idle_in_transaction_session_timeout = '{_IDLE}s'"
)


def read_url(text: str) -> URL:
    """The database that a URL names, with its driver.

    Raises `GadError` for what is no such URL; no word of it stands in the message, as it may be one of a password.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise GadError(f"GAD_DATABASE is no database URL; {_FORM}") from error
    dialect, _, driver = url.drivername.partition("+")
    if dialect == "sqlite" and driver in ("", "pysqlite"):
        return _file(url)
    if dialect in ("postgresql", "postgres") and driver in ("", "psycopg"):
        return url.set(drivername="postgresql+psycopg")
    raise GadError(f"GAD_DATABASE names another kind of database than SQLite and PostgreSQL; {_FORM}")


def make_engine(url: URL) -> Engine:
    """Connections to a database, taken up when first needed; raises `GadError` without the driver."""
    try:
        if url.get_backend_name() == "sqlite":
            engine = create_engine(url)
            _tame_sqlite(engine)
            return engine
        # A connection that broke while nobody used it is replaced; options in the URL go before ours.
        engine = create_engine(url, pool_pre_ping=True, connect_args={**_REACH, **url.query})
    except (ImportError, NoSuchModuleError) as error:
        raise GadError(
            "GAD_DATABASE names a PostgreSQL server, for which psycopg is missing; "
            "pip install --requirement requirements-postgresql.txt"
        ) from error
    except (ArgumentError, ValueError, TypeError) as error:
        raise GadError(f"GAD_DATABASE has an option that this database does not know; {_FORM}") from error
    _tame_postgresql(engine)
    return engine


def writing(engine: Engine) -> Engine:
    """The same connections for writers, which take turns."""
    return engine.execution_options(writing=True)


def reading(engine: Engine) -> Engine:
    """The same connections for readers, each of which sees one state."""
    if engine.dialect.name == "sqlite":
        return engine
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def _file(url: URL) -> URL:
    """A URL of SQLite's, whose file is one or can become one."""
    name = url.database or ""
    if url.query.get("uri") != "true" and (
        unknown := url.query.keys() - {"timeout"}
    ):  # the driver would leave them out
        raise GadError(f"an option in GAD_DATABASE is not known to SQLite ({', '.join(sorted(unknown))}); leave it out")
    if name in ("", ":memory:") or "mode=memory" in name or url.query.get("mode") == "memory":
        raise GadError("GAD_DATABASE names a database in memory, which would be lost with the server; name a file")
    if name.startswith("file:"):
        return url
    try:
        mode = Path(name).stat().st_mode
    except FileNotFoundError:
        return url
    except (OSError, ValueError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else "a character not allowed"
        raise GadError(f"the database {name!r} cannot be a file there ({reason}); name another one") from error
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "no regular file"
        raise GadError(f"the database {name} is {kind}; name a file, or move that away")
    return url


def _tame_postgresql(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def connect(connection: Any, _record: Any) -> None:
        before, connection.autocommit = connection.autocommit, True
        connection.execute(_SESSION)
        connection.autocommit = before

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("writing", False):
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{PATIENCE}s'")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_TURN})")


def _tame_sqlite(engine: Engine) -> None:
    """Readers beside one writer, patience, foreign keys, and transactions that begin when we say."""

    @event.listens_for(engine, "connect")
    def connect(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # the driver's own BEGIN leaves out reads and table definitions
        # A flipped byte in a name must not make its row unreadable.
        connection.text_factory = lambda text: text.decode(errors="backslashreplace")
        connection.execute(f"PRAGMA busy_timeout = {PATIENCE * 1000}")
        _write_ahead(connection)
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that reads before it writes fails at once when another wrote in between, unless it is immediate.
        immediate = connection.get_execution_options().get("writing", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


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
