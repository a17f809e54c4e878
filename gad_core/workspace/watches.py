"""The shelf of watches: folders whose new images a detector scores, each held by one process at a time."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from sqlalchemy import select

from gad_core.export.sinks import open_sink
from gad_core.workspace.place import Place
from gad_core.workspace.presence import new_id
from gad_core.workspace.rows import WatchRow
from gad_core.workspace.tables import DetectorRecord, WatchRecord, damaged, fetch, frozen, now, readable

_GOING_ON = select(WatchRecord).join(DetectorRecord).where(WatchRecord.active, DetectorRecord.deleted.is_(None))


class WatchShelf:
    """Watched folders of a workspace."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def start(self, detector_id: str, folder: Path, *, sink: str | None = None) -> WatchRow:
        """Watch a folder; one that this detector has watched before goes on where it stopped.

        It may be empty yet; with a sink, all results of the watch go there. Raises `GadError` for what is no folder or
        no sink, for folders and files that the store's roots do not hold, and where the detector is gone.
        """
        self._place.database.check_open()
        where = str(self._place.roots.list(folder).folder.path)
        if sink:
            open_sink(sink, allowed=self._place.roots.check).close()
        with self._place.database.writing() as session:
            fetch(session, DetectorRecord, detector_id)
            known = select(WatchRecord).where(WatchRecord.detector_id == detector_id, WatchRecord.folder == where)
            record = session.scalar(known)
            if record is None:
                record = WatchRecord(id=new_id(), detector_id=detector_id, folder=where, sent=0, created=now())
                session.add(record)
            record.active, record.sink = True, sink
            session.flush()
            return frozen(WatchRow, record)

    def stop(self, watch_id: str) -> None:
        """Watch it no more; what it has found stays."""
        with self._place.database.writing() as session:
            record = fetch(session, WatchRecord, watch_id)
            record.active, record.owner = False, None

    def of(self, detector_id: str) -> tuple[WatchRow, ...]:
        """The watches of a detector, the newest first."""
        with self._place.database.reading() as session:
            chosen = select(WatchRecord).where(WatchRecord.detector_id == detector_id)
            records = session.scalars(chosen.order_by(WatchRecord.created.desc()))
            return readable(records, partial(frozen, WatchRow))

    def damaged(self) -> tuple[str, ...]:
        """What is wrong with watches that cannot be read."""
        with self._place.database.reading() as session:
            return damaged(session.scalars(select(WatchRecord)), partial(frozen, WatchRow))

    def active(self) -> tuple[WatchRow, ...]:
        """All watches that go on, whoever holds them."""
        with self._place.database.reading() as session:
            return readable(session.scalars(_GOING_ON), partial(frozen, WatchRow))

    def take(self, *, unless: Callable[[str], bool]) -> tuple[WatchRow, ...]:
        """Take over the active watches that nobody holds, or whose holder is gone, and return all that are ours.

        `unless` says of an owner's token whether it is at work.
        """
        with self._place.database.writing() as session:
            ours = []
            for record in session.scalars(_GOING_ON):
                if record.owner is None or not unless(record.owner):
                    record.owner = self._place.owner
                if record.owner == self._place.owner:
                    ours.append(record)
            return readable(ours, partial(frozen, WatchRow))

    def sent(self, watch_id: str, inspection_id: int) -> None:
        """Remember up to which image the results went to the sink."""
        with self._place.database.writing() as session:
            fetch(session, WatchRecord, watch_id).sent = inspection_id
