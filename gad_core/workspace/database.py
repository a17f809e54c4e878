"""One database for the store: sessions that read or write, and tables that are those of this version."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from copy import copy
from pathlib import Path
from typing import NoReturn

from sqlalchemy import Connection, inspect, select
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from gad_core.errors import GadError
from gad_core.workspace import migrations
from gad_core.workspace.database_errors import in_words, name_of
from gad_core.workspace.engines import make_engine, read_url, reading, writing
from gad_core.workspace.people import NotAllowed
from gad_core.workspace.tables import SCHEMA, SchemaRecord, Table


class Database:
    """Sessions that read or write; what goes wrong outside the program comes out as a `GadError`."""

    def __init__(self, url: str) -> None:
        """Connect to SQLite or PostgreSQL and bring the tables up to date; an older SQLite file is kept as a copy.

        Raises `GadError` if it cannot, or if a newer GAD wrote there.
        """
        self._engine = make_engine(read_url(url))
        self.name = name_of(self._engine)
        self._reader, self._writer = reading(self._engine), writing(self._engine)
        self._closed: str | None = None
        try:
            self._connect()
            self._lay_tables()
        except BaseException:
            self.close()
            raise

    @property
    def shared(self) -> bool:
        """Whether servers on other machines may work with it, too."""
        return self._engine.dialect.name != "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session over one consistent state, which no writer disturbs."""
        with self._errors_in_words(), Session(self._reader) as session:
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

    def _connect(self) -> None:
        """Connect for the first time, which shows what of the URL the driver does not take."""
        try:
            with self._engine.connect() as connection:
                if not self.shared and not connection.exec_driver_sql(_MAIN).scalar():
                    raise GadError(f"the database {self.name} would be lost with the server; name a file")
        except DBAPIError as error:
            words = in_words(error, self._engine)
            raise GadError(
                words or f"an option in GAD_DATABASE is not known to {self.name}, or has no such value; leave it out"
            ) from error
        except (SQLAlchemyError, ValueError, TypeError, sqlite3.Error) as error:
            raise GadError(f"an option in GAD_DATABASE is not known to {self.name}; leave it out") from error

    def _lay_tables(self) -> None:
        """Make the tables, or bring those of an earlier version up to date, as one transaction."""
        try:
            with self.writing() as session:
                self._bring_up_to_date(session)
                self._check(session.connection())
        except (SQLAlchemyError, ValueError, TypeError, LookupError, AttributeError) as error:
            raise GadError(
                f"the database {self.name} could not be brought up to date ({type(error).__name__}), so that it was "
                "left as it is; restore a copy, or move it away and start again: image files stay as they are"
            ) from error

    def _bring_up_to_date(self, session: Session) -> None:
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

    def _check(self, connection: Connection) -> None:
        """See that every table and column is there: a missing one would else be met in the middle of some work."""
        there = inspect(connection).get_multi_columns()
        known = {name: {column["name"] for column in columns} for (_, name), columns in there.items()}
        missing = [
            f"{table.name}.{column.name}" if table.name in known else table.name
            for table in Table.metadata.sorted_tables
            for column in table.columns
            if column.name not in known.get(table.name, ())
        ]
        if missing:
            raise GadError(
                f"the database {self.name} lacks {', '.join(dict.fromkeys(missing))}, which it had when it was made; "
                "restore a copy, or move it away and start again: image files stay as they are"
            )

    def _refuse(self, difference: str) -> NoReturn:
        raise GadError(
            f"{self.name} was written by a newer GAD ({difference}); update GAD, or choose another folder with GAD_HOME"
        )

    def _keep_copy(self, connection: Connection) -> None:
        """The database as it is, beside itself; other databases than SQLite have backups of their own."""
        if self.shared:
            return
        path = Path(connection.exec_driver_sql(_MAIN).scalar_one())
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
        except IntegrityError:  # a mistake of ours, which must surface
            raise
        except DBAPIError as error:
            if (words := in_words(error, self._engine)) is None:
                raise
            raise GadError(words) from error


_MAIN = "SELECT file FROM pragma_database_list WHERE name = 'main'"  # a URL may name it in several ways
