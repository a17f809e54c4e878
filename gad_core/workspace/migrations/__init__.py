"""How a database becomes one of this version: Alembic's revisions, run when a store is opened.

Alembic takes a quarter of a second to import, and a database that is up to date does without: the revisions are known
by the names of their files, and a database's own is one row of a table.
"""

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Column, Connection, MetaData, String, Table, inspect, select

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

#: The revision whose tables the first versions made, before there were revisions.
FIRST = "0001"
_TABLE = "gad_revision"
_FOLDER = Path(__file__).parent
_KNOWN = frozenset(path.stem[1:5] for path in (_FOLDER / "versions").glob("v*.py"))  # "v0001_tables"
_one_at_a_time = threading.Lock()  # Alembic hands a revision its connection through a global


def head() -> str:
    """The newest revision that this program knows."""
    return max(_KNOWN)


def is_known(revision: str) -> bool:
    """Whether this program knows a revision."""
    return revision in _KNOWN


def current(connection: Connection) -> str | None:
    """The revision of a database; None where it has none."""
    if not inspect(connection).has_table(_TABLE):
        return None
    revision = connection.scalar(select(Table(_TABLE, MetaData(), Column("version_num", String)).c.version_num))
    return None if revision is None else str(revision)


def stamp(connection: Connection, revision: str) -> None:
    """Say which revision a database has, within the transaction of the connection."""
    from alembic.migration import MigrationContext  # noqa: PLC0415 - as above

    context = MigrationContext.configure(connection, opts={"version_table": _TABLE})
    context.stamp(_script(), revision)


def upgrade(connection: Connection) -> None:
    """Bring a database, which may be empty, to the newest revision within the transaction of the connection.

    Raises `ValueError` where Alembic cannot.
    """
    from alembic import command  # noqa: PLC0415 - as above
    from alembic.util import CommandError  # noqa: PLC0415

    config = _config()
    config.attributes |= {"connection": connection, "version_table": _TABLE}
    with _one_at_a_time:
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise ValueError(str(error)) from error


def _config() -> "Config":
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", _FOLDER.as_posix().replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    return config


def _script() -> "ScriptDirectory":
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - as above

    return ScriptDirectory.from_config(_config())
