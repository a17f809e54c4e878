"""The shelf of data sets: built out of sight, added whole, extended whole, deleted only where they are ours."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from gad_core.data.datasets import Refusal
from gad_core.errors import GadError
from gad_core.workspace.keeping import Keeping
from gad_core.workspace.layout import count, merged, taken_out
from gad_core.workspace.place import Place
from gad_core.workspace.presence import new_id
from gad_core.workspace.rows import Counts, DatasetKind, DatasetRow
from gad_core.workspace.staging import clear_up, deleting, handing_over, making, workshop, writing_in
from gad_core.workspace.tables import DatasetRecord, damaged, fetch, frozen, now, readable, sound


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
            content.rename(final)
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
            if fetch(session, DatasetRecord, dataset_id, lock=True).kind != "upload":
                raise GadError("only an uploaded data set can be changed; upload the images as a new one")
            with ExitStack() as stack:
                ready = stack.enter_context(handing_over(content, final, self._place.owner))
                if replacing is not None:
                    stack.enter_context(taken_out(final, replacing, content.parent / "replaced"))
                return self._merge(session, ready, final, refused)

    def remove(self, dataset_id: str, *, due: datetime | None = None) -> None:
        """Forget a data set for good, with its images if they lie on this shelf; a registered folder stays as it is.

        With `due`, only if it has lain in the bin for a day by then: somebody may have brought it back just now.
        """
        self._place.database.check_open()
        with self._place.database.reading() as session:
            final = self._folder / fetch(session, DatasetRecord, dataset_id, binned=True).id
        with (
            writing_in(self._place.home),
            deleting(final, self._place.owner),
            self._place.database.writing() as session,
        ):
            session.delete(self._to_remove(session, dataset_id, due))

    def clear_up(self, token: str) -> None:
        """Settle what a dead process was making, extending or deleting."""
        self._place.database.check_open()

        def exists(dataset_id: str) -> bool:
            with self._place.database.reading() as session:
                return session.get(DatasetRecord, dataset_id) is not None

        def finish(ready: Path, final: Path) -> None:
            with self._place.database.writing() as session:
                self._merge(session, ready, final, ())

        clear_up(self._folder, token, exists=exists, finish=finish)

    def damaged(self) -> tuple[str, ...]:
        """What is wrong with data sets that cannot be read."""
        with self._place.database.reading() as session:
            return damaged(session.scalars(select(DatasetRecord)), self._row)

    def _merge(self, session: Session, ready: Path, final: Path, refused: tuple[Refusal, ...]) -> DatasetRow:
        record = fetch(session, DatasetRecord, final.name, lock=True, binned=True)  # it may have been deleted since
        with merged(ready, final):
            record.counts, record.modified = _counted(final), now()
            record.refused = [*record.refused, *_plain(refused)]
            row = self._row(record)
            session.commit()  # within the block: if it fails, the images go back
        return row

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
