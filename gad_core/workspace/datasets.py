"""The shelf of data sets: built out of sight, added whole, extended whole, deleted only where they are ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from gad_core.data.datasets import Refusal
from gad_core.data.holding import flush, flush_all
from gad_core.errors import GadError
from gad_core.workspace.keeping import Keeping
from gad_core.workspace.layout import count, moves_into
from gad_core.workspace.moves import Moves, noted
from gad_core.workspace.place import Place
from gad_core.workspace.presence import new_id
from gad_core.workspace.rows import Counts, DatasetKind, DatasetRow
from gad_core.workspace.staging import clear_up, deleting, discard, leave, making, workshop, writing_in
from gad_core.workspace.tables import DatasetRecord, damaged, fetch, frozen, now, readable, sound

_TICK = timedelta(microseconds=1)  # the least by which two moments differ in the database


class DatasetShelf(Keeping):
    """Data sets of a workspace: `datasets/<id>/` in MVTec layout, and folders elsewhere that are only registered."""

    def __init__(self, place: Place) -> None:
        super().__init__(place, DatasetRecord)
        self._folder = place.home / "datasets"
        self._folder.mkdir(exist_ok=True)

    def all(self) -> tuple[DatasetRow, ...]:
        """All data sets, the newest first, without those in the bin."""
        with self._place.database.reading() as session:
            there = select(DatasetRecord).where(DatasetRecord.deleted.is_(None))
            records = session.scalars(there.order_by(DatasetRecord.created.desc()))
            return readable(records, self._row)

    def get(self, dataset_id: str) -> DatasetRow:
        """One data set; raise `GadError` if there is none of that id."""
        with self._place.database.reading() as session:
            return self._row(fetch(session, DatasetRecord, dataset_id))

    @contextmanager
    def workshop(self) -> Iterator[Path]:
        """An empty folder out of sight in which to build what `add` or `extend` then takes; afterwards it is gone."""
        self._place.database.check_open()
        with writing_in(self._place.home), workshop(self._folder, self._place.owner) as place:
            yield place

    def add(self, content: Path, *, name: str, kind: DatasetKind, refused: tuple[Refusal, ...] = ()) -> DatasetRow:
        """Take the folder `content`, in MVTec layout, from the workshop; a demo that is already there is returned."""
        self._place.database.check_open()
        final = self._folder / new_id()
        with (
            writing_in(self._place.home),
            making(final, self._place.owner),
            self._place.database.writing() as session,
        ):
            same = DatasetRecord.kind == "demo", DatasetRecord.name == name, DatasetRecord.deleted.is_(None)
            twin = select(DatasetRecord).where(*same)
            if kind == "demo" and (record := session.scalar(twin)):
                return self._row(record)
            record = self._record(session, final, name=name, kind=kind, counts=_counted(content), refused=refused)
            flush_all(content)
            content.rename(final)
            flush(self._folder)
            return self._row(record)

    def register(self, root: Path, *, name: str, counts: Counts, refused: tuple[Refusal, ...] = ()) -> DatasetRow:
        """Reduction a folder by reference; one that is already registered keeps its id and takes the new counts."""
        with self._place.database.writing() as session:
            where = DatasetRecord.kind == "folder", DatasetRecord.root == self._place.inside(root)
            record = session.scalar(select(DatasetRecord).where(*where))
            if record is None:
                record = self._record(session, root, name=name, kind="folder", counts=counts, refused=refused)
            else:
                record.counts, record.refused, record.modified = counts, _plain(refused), now()
                record.deleted = None  # who registers it again wants it back
            return self._row(record)

    def extend(
        self, dataset_id: str, content: Path, *, refused: tuple[Refusal, ...] = (), replacing: Path | None = None
    ) -> DatasetRow:
        """Add all images of the folder `content` from the workshop to an uploaded data set, or none of them.

        The image `replacing` of the data set goes as they come.
        """
        final = self._folder / dataset_id
        with writing_in(self._place.home), self._place.database.writing() as session:
            record = fetch(session, DatasetRecord, dataset_id, lock=True)
            if record.kind != "upload":
                raise GadError("only an uploaded data set can be changed; upload the images as a new one")
            self._settle(record)
            if replacing is not None and not replacing.exists():
                raise GadError(f"{replacing.name} is gone meanwhile; open the data set again")
            flush_all(content)
            files = moves_into(final, content, out=content.parent / "replaced", replacing=replacing)
            moves = Moves(dataset_id, max(now(), record.modified + _TICK), files)
            with moves.made(content.parent):
                record.counts, record.modified = _counted(final), moves.modified
                record.refused = [*record.refused, *_plain(refused)]
                row = self._row(record)
                session.commit()  # within the block: if it fails, the images go back
            return row

    def remove(self, dataset_id: str, *, due: datetime | None = None) -> None:
        """Forget a data set for good, with its images if they lie on this shelf; a registered folder stays as it is.

        With `due`, only if it has lain in the bin for a day by then: somebody may have brought it back just now.
        """
        self._place.database.check_open()
        with self._place.database.reading() as session:
            final = self._folder / fetch(session, DatasetRecord, dataset_id, binned=True).id
        with (
            writing_in(self._place.home),
            deleting(final, self._place.owner, self._forget),
            self._place.database.writing() as session,
        ):
            session.delete(self._to_remove(session, dataset_id, due))

    def clear_up(self, token: str) -> None:
        """Settle what a dead process was making, extending or deleting."""
        self._place.database.check_open()
        for _, moves in noted(self._folder, token):
            with self._place.database.writing() as session:
                record = session.get(DatasetRecord, moves.dataset_id, with_for_update=True)
                if record is not None:
                    self._settle(record)

        def exists(dataset_id: str) -> bool:
            with self._place.database.reading() as session:
                return session.get(DatasetRecord, dataset_id) is not None

        clear_up(self._folder, token, exists=exists, forget=self._forget)

    def leave(self) -> None:
        """Leave no trace of this process but what it has made."""
        self._place.database.check_open()
        leave(self._folder, self._place.owner)

    def damaged(self) -> tuple[str, ...]:
        """What is wrong with data sets that cannot be read."""
        with self._place.database.reading() as session:
            return damaged(session.scalars(select(DatasetRecord)), self._row)

    def _settle(self, record: DatasetRecord) -> None:
        """Undo the moves of dead processes that are not on record, while the record is locked.

        Nobody alive is moving anything in this data set then, and every change makes `modified` later.
        """
        for note, moves in noted(self._folder, "*"):
            if moves.dataset_id == record.id and moves.modified > record.modified:
                moves.undo()
                note.unlink(missing_ok=True)

    def _forget(self, final: Path) -> None:
        """Discard a data set's images, and what belongs to it alone."""
        discard(final)
        discard(self._place.home / "experiments" / final.name)
        for path in (self._place.home / "comparisons").glob(f"{final.name}-*"):
            discard(path)

    def _record(
        self,
        session: Session,
        root: Path,
        *,
        name: str,
        kind: DatasetKind,
        counts: Counts,
        refused: tuple[Refusal, ...],
    ) -> DatasetRecord:
        record = DatasetRecord(
            id=new_id() if kind == "folder" else root.name,
            name=name,
            kind=kind,
            root=self._place.inside(root),
            counts=counts,
            refused=_plain(refused),
            created=(created := now()),
            modified=created,
        )
        session.add(record)
        session.flush()
        return record

    def _row(self, record: DatasetRecord) -> DatasetRow:
        with sound(record):
            refused = tuple(Refusal(**refusal) for refusal in record.refused)
            return frozen(DatasetRow, record, root=self._place.outside(record.root), refused=refused)


def _counted(root: Path) -> Counts:
    counts = count(root)
    if not counts.train:
        raise GadError("a data set needs good parts to fit; bring or keep some of those first")
    return counts


def _plain(refused: tuple[Refusal, ...]) -> list[dict[str, str]]:
    return [{"path": refusal.path, "reason": refusal.reason} for refusal in refused]
