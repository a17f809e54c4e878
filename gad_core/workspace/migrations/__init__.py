"""How a database becomes one of this version: Alembic's revisions, run when a store is opened."""

import threading
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

#: The revision whose tables the first versions made, before there were revisions.
FIRST = "0001"
_TABLE = "gad_revision"
_one_at_a_time = threading.Lock()  # Alembic hands a revision its connection through a global


def head() -> str:
    """The newest revision that this program knows."""
    return str(_script().get_current_head())


def is_known(revision: str) -> bool:
    """Whether this program knows a revision."""
    return any(known.revision == revision for known in _script().walk_revisions())


def current(connection: Connection) -> str | None:
    """The revision of a database; None where it has none."""
    return _context(connection).get_current_revision()


def stamp(connection: Connection, revision: str) -> None:
    """Say which revision a database has, within the transaction of the connection."""
    _context(connection).stamp(_script(), revision)


def upgrade(connection: Connection) -> None:
    """Bring a database, which may be empty, to the newest revision within the transaction of the connection."""
    config = _config()
    config.attributes |= {"connection": connection, "version_table": _TABLE}
    with _one_at_a_time:
        command.upgrade(config, "head")


def _context(connection: Connection) -> MigrationContext:
    return MigrationContext.configure(connection, opts={"version_table": _TABLE})


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", Path(__file__).parent.as_posix().replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    return config


def _script() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())
