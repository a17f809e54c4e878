"""What a database refuses, in words: what is wrong, what to do, and what still works."""

import re
import sqlite3

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, OperationalError

from gad_core.workspace.engines import PATIENCE

_DAMAGED = (
    "is damaged or no database at all; move it away or restore a copy and start again: image files stay as they are"
)
_CLOSED = "cannot be opened or written; give this user the right to, or choose another folder with GAD_HOME"
_SQLITE = {
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_CANTOPEN: _CLOSED,
    sqlite3.SQLITE_READONLY: _CLOSED,
    sqlite3.SQLITE_PERM: _CLOSED,
    sqlite3.SQLITE_AUTH: _CLOSED,
    sqlite3.SQLITE_FULL: "cannot grow because the disk is full; free some space and try again",
    sqlite3.SQLITE_IOERR: "cannot be read or written; see whether its disk is full or failing, then try again",
    sqlite3.SQLITE_BUSY: f"has been held by another program for {PATIENCE} s; close that program or try again",
    sqlite3.SQLITE_LOCKED: f"has been held by another program for {PATIENCE} s; close that program or try again",
    sqlite3.SQLITE_TOOBIG: "takes no text of that length; shorten it",
}
_FOREIGN = (
    "has not the tables of this version ({}): another program changed it; restore a copy or name an empty database "
    "with GAD_DATABASE: image files stay as they are"
)
# By the first two characters of PostgreSQL's codes, or by a whole one.
_POSTGRESQL = {
    "28": "does not let this user in; see user and password in GAD_DATABASE",
    "3D": "is not there; create it (createdb), or see GAD_DATABASE",
    "42501": "is closed to this user; grant the right to create and write tables, or see GAD_DATABASE",
    "25006": "can only be read at present; name the server that takes writes in GAD_DATABASE",
    "53100": "cannot grow because the server's disk is full; free some space there and try again",
    "53300": "has no connection left; close some of its programs or raise max_connections, and try again",
    "55P03": f"has been held by another program for {PATIENCE} s; close that program or try again",
    "XX": "is damaged; restore a copy and start again: image files stay as they are",
}
_AWAY = (
    "cannot be reached ({}); see whether its server runs, and GAD_DATABASE, then try again: what was not confirmed was "
    "not done"
)
_OTHER_TABLES = re.compile("^no such (table|column)|^table .* already exists|has no column|^duplicate column")
# Who is not let in gets no code from the driver, and words that may be in another language: those are then shown.
_AT_THE_DOOR = {
    "authentication failed|no password supplied|no pg_hba.conf entry|role .* does not exist": "28",
    "database .* does not exist": "3D",
    "too many clients|remaining connection slots": "53300",
}
_SCHEMA_CODES = ("42703", "42P01", "42P07", "42701", "42804", "42883", "3F000")


def in_words(error: DBAPIError, engine: Engine) -> str | None:
    """A sentence for what is no mistake of ours, else None."""
    remedy = _of_sqlite(error.orig) if isinstance(error.orig, sqlite3.Error) else _of_postgresql(error)
    return f"the database {name_of(engine)} {remedy.format(_first_line(error))}" if remedy else None


def _of_sqlite(error: sqlite3.Error) -> str | None:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte is the primary code
    if code == sqlite3.SQLITE_ERROR and _OTHER_TABLES.search(str(error)):
        return _FOREIGN
    return _SQLITE.get(code)


def _of_postgresql(error: DBAPIError) -> str | None:
    code = getattr(error.orig, "sqlstate", None) or ""
    if code in _SCHEMA_CODES:
        return _FOREIGN
    code = code or next((known for words, known in _AT_THE_DOOR.items() if re.search(words, str(error.orig))), "")
    if remedy := _POSTGRESQL.get(code) or _POSTGRESQL.get(code[:2]):
        return remedy
    lost = error.connection_invalidated or code[:2] in ("08", "57", "25")
    return _AWAY if lost or (not code and isinstance(error, OperationalError)) else None


def name_of(engine: Engine) -> str:
    """What a person knows a database by: its file, or its URL without the password."""
    if engine.dialect.name == "sqlite":
        return str(engine.url.database)
    shown = engine.url.set(drivername="postgresql", password=None, query={})
    return shown.render_as_string(hide_password=True)


def _first_line(error: DBAPIError) -> str:
    """The driver's own words, of which the first line says it."""
    return (str(error.orig).strip().splitlines() or ["no reason given"])[0].rstrip(" .:")
