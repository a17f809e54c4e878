"""What people say of the things on a shelf: name, description, archive; and the bin, which keeps them for a day.

A thing in the bin is gone for everybody but the bin: no list shows it, nobody can open or change it.
"""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from gad_core.errors import GadError
from gad_core.workspace.place import Place
from gad_core.workspace.tables import DatasetRecord, DetectorRecord, Table, fetch, now

#: How long a deleted thing can be brought back.
KEPT = timedelta(days=1)
_LONGEST_NAME = 60  # characters
_LONGEST_DESCRIPTION = 500


class Keeping:
    """Names, archive and bin of one shelf's things."""

    def __init__(self, place: Place, table: type[DatasetRecord] | type[DetectorRecord]) -> None:
        self._place, self._table = place, table

    def rename(self, key: str, name: str) -> None:
        """Give a thing another name, of 1 to 60 characters."""
        name = " ".join(name.split())
        if not 1 <= len(name) <= _LONGEST_NAME:
            raise GadError(f"a name has 1 to {_LONGEST_NAME} characters, got {len(name)}; write another one")
        self._set(key, name=name)

    def describe(self, key: str, description: str) -> None:
        """Say what a thing is for, in up to 500 characters."""
        description = description.strip()
        if len(description) > _LONGEST_DESCRIPTION:
            raise GadError(
                f"a description has at most {_LONGEST_DESCRIPTION} characters, got {len(description)}; shorten it"
            )
        self._set(key, description=description)

    def archive(self, key: str, archived: bool) -> None:
        """Put a thing away from the lists of daily work, or back."""
        self._set(key, archived=now() if archived else None)

    def use(self, key: str) -> None:
        """Remember that somebody opened it just now."""
        self._set(key, used=now())

    def delete(self, key: str) -> None:
        """Put a thing into the bin, where it is kept for a day."""
        self._set(key, deleted=now())

    def bring_back(self, key: str) -> None:
        """Take it out of the bin; raises `GadError` where it is gone for good."""
        self._set(key, binned=True, deleted=None)

    def binned(self) -> tuple[tuple[str, str, datetime], ...]:
        """Id, name and time of what lies in the bin, the latest first."""
        with self._place.database.reading() as session:
            columns = select(self._table.id, self._table.name, self._table.deleted)
            chosen = columns.where(self._table.deleted.is_not(None)).order_by(self._table.deleted.desc())
            found = session.execute(chosen)
            return tuple(
                (key, name, deleted)
                for key, name, deleted in found
                if isinstance(deleted, datetime) and isinstance(name, str)  # as all are but in a damaged database
            )

    def due(self, moment: datetime) -> tuple[str, ...]:
        """Ids of what has lain there for a day by then."""
        with self._place.database.reading() as session:
            return tuple(session.scalars(select(self._table.id).where(self._table.deleted < moment - KEPT)))

    def _to_remove(self, session: Session, key: str, due: datetime | None) -> Table:
        record = fetch(session, self._table, key, lock=True, binned=True)
        # Of a damaged row nobody knows since when it lies in the bin, or whether it does.
        if due is not None and not (isinstance(record.deleted, datetime) and record.deleted < due - KEPT):
            raise GadError(f"{record.name} was brought back meanwhile; delete it again if it should go")
        return record

    def _set(self, key: str, *, binned: bool = False, **values: object) -> None:
        with self._place.database.writing() as session:
            record = fetch(session, self._table, key, lock=True, binned=binned)
            for name, value in values.items():
                setattr(record, name, value)
