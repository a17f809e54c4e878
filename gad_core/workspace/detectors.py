"""The shelf of detectors, each one file, and the thresholds that people adopted for them."""

import re
import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import select

from gad_core.errors import GadError
from gad_core.gaussian.settings import FitSettings
from gad_core.workspace.decisions import from_record, read_intent, to_record, write_intent
from gad_core.workspace.keeping import Keeping
from gad_core.workspace.place import Place
from gad_core.workspace.presence import new_id
from gad_core.workspace.rows import DecisionRow, DetectorRow, DetectorState, detector_state
from gad_core.workspace.staging import clear_up, deleting, making, workshop, writing_in
from gad_core.workspace.tables import (
    DatasetRecord,
    DecisionRecord,
    DetectorRecord,
    damaged,
    fetch,
    frozen,
    now,
    readable,
    sound,
)

_INTENT = "decision.json"  # beside a new file, what it is put in place for
_FORMER = "former"  # the file that it takes the place of, until that is on record


class DetectorShelf(Keeping):
    """Detectors of a workspace: `detectors/<id>.gad`."""

    def __init__(self, place: Place) -> None:
        super().__init__(place, DetectorRecord)
        self._folder = place.home / "detectors"
        self._folder.mkdir(exist_ok=True)

    def all(self, *, binned: bool = False) -> tuple[DetectorRow, ...]:
        """All detectors, the newest first; those in the bin only if asked for."""
        chosen = select(DetectorRecord) if binned else select(DetectorRecord).where(DetectorRecord.deleted.is_(None))
        with self._place.database.reading() as session:
            records = session.scalars(chosen.order_by(DetectorRecord.created.desc()))
            return readable(records, self._row)

    def get(self, detector_id: str) -> DetectorRow:
        """One detector; raise `GadError` if there is none of that id."""
        with self._place.database.reading() as session:
            return self._row(fetch(session, DetectorRecord, detector_id))

    def add(
        self,
        save: Callable[[Path], object],
        *,
        name: str,
        settings: FitSettings,
        n_train: int,
        dataset_id: str | None = None,
        auroc: float | None = None,
        follows: str | None = None,
    ) -> DetectorRow:
        """Keep a fitted detector; `save` is called with the path of the file that it has to write.

        Where the name is taken, a number behind it tells the two apart. `follows` names the detector of which this is a
        newer version.
        """
        self._place.database.check_open()
        final = self._folder / f"{new_id()}.gad"
        with writing_in(self._place.home), making(final, self._place.owner):
            save(final)
            with self._place.database.writing() as session:
                # A data set that was deleted during the fit is no reason to lose the fit.
                known = dataset_id is not None and session.get(DatasetRecord, dataset_id) is not None
                record = DetectorRecord(
                    id=final.stem,
                    name=_free_name(name, set(session.scalars(select(DetectorRecord.name)))),
                    dataset_id=dataset_id if known else None,
                    path=self._place.inside(final),
                    backbone=settings.backbone,
                    settings=settings.to_json(),
                    n_train=n_train,
                    created=now(),
                    follows=follows,
                )
                session.add(record)
                session.flush()
                if auroc is not None:
                    record.auroc, record.auroc_state = auroc, str(detector_state(self._row(record)))
                return self._row(record)

    def note_auroc(self, detector_id: str, auroc: float | None, state: DetectorState) -> None:
        """Remember the AUROC (in [0, 1]) of the tuning in a detector's file as it was in that state."""
        with self._place.database.writing() as session:
            record = fetch(session, DetectorRecord, detector_id, lock=True)
            record.auroc, record.auroc_state = auroc, str(state)

    def rewrite(
        self,
        row: DetectorRow,
        save: Callable[[Path], object],
        *,
        decision: DecisionRow,
        state: DetectorState,
        auroc: float | None,
    ) -> DetectorState:
        """Replace a detector's file by what `save` writes, put the decision behind it on record, and its AUROC with it.

        Returns the state that the file has then. A process that dies in between leaves either both or neither, as soon
        as another one clears up. Writers take turns. Raises `GadError` where the file is no longer in `state`.
        """
        self._place.database.check_open()
        with writing_in(self._place.home), workshop(self._folder, self._place.owner) as place:
            save(new := place / row.path.name)
            write_intent(decision, place / _INTENT)
            with self._place.database.writing() as session:
                record = fetch(session, DetectorRecord, row.id, lock=True)
                if detector_state(row) != state:
                    raise GadError(
                        f"{row.name} was fitted again or given another threshold meanwhile; see its numbers now, then "
                        "adopt"
                    )
                session.add(to_record(decision))
                session.flush()  # what the database refuses is refused before the file is replaced
                with _replaced(row.path, new, place / _FORMER):
                    now_in = detector_state(row)
                    record.auroc, record.auroc_state = auroc, str(now_in)
                    session.commit()  # within the block: if it fails, the former file comes back
        return now_in

    def remove(self, detector_id: str, *, due: datetime | None = None) -> None:
        """Delete a detector for good, with its file and all that hangs on it in the database.

        With `due`, only if it has lain in the bin for a day by then: somebody may have brought it back just now.
        """
        self._place.database.check_open()
        with self._place.database.reading() as session:
            final = self._folder / f"{fetch(session, DetectorRecord, detector_id, binned=True).id}.gad"
        with (
            writing_in(self._place.home),
            deleting(final, self._place.owner),
            self._place.database.writing() as session,
        ):
            session.delete(self._to_remove(session, detector_id, due))

    def decisions(self, detector_id: str) -> tuple[DecisionRow, ...]:
        """The decisions on a detector's threshold, the newest first; what holds now stands in its file."""
        with self._place.database.reading() as session:
            adopted = select(DecisionRecord).where(DecisionRecord.detector_id == detector_id)
            records = session.scalars(adopted.order_by(DecisionRecord.created.desc()))
            return readable(records, from_record)

    def damaged(self) -> tuple[str, ...]:
        """What is wrong with detectors and decisions that cannot be read."""
        with self._place.database.reading() as session:
            detectors = damaged(session.scalars(select(DetectorRecord)), self._row)
            return detectors + damaged(session.scalars(select(DecisionRecord)), from_record)

    def clear_up(self, token: str) -> None:
        """Settle what a dead process was making, deciding or deleting."""
        self._place.database.check_open()
        for intent in (self._folder / f".{token}").glob(f"*/{_INTENT}"):
            self._settle(intent)

        def exists(detector_id: str) -> bool:
            with self._place.database.reading() as session:
                return session.get(DetectorRecord, detector_id) is not None

        clear_up(self._folder, token, exists=exists)

    def _settle(self, intent: Path) -> None:
        """Put a decision on record whose file is in place already."""
        replaced = (intent.parent / _FORMER).exists() and not any(intent.parent.glob("*.gad"))
        if not replaced or (record := read_intent(intent)) is None:
            return  # the file was not replaced, or the former one was put back
        with self._place.database.writing() as session:
            known = session.get(DecisionRecord, record.id) is not None
            if not known and session.get(DetectorRecord, record.detector_id) is not None:
                session.add(record)

    def _row(self, record: DetectorRecord) -> DetectorRow:
        with sound(record):
            settings = FitSettings.from_json(record.settings)
            return frozen(DetectorRow, record, path=self._place.outside(record.path), settings=settings)


@contextmanager
def _replaced(path: Path, new: Path, former: Path) -> Iterator[None]:
    """Put `new` in the place of `path` while the block commits that; if it fails, the former file is put back."""
    shutil.copyfile(path, former)
    new.replace(path)
    try:
        yield
    except BaseException:
        former.replace(path)
        raise


def _free_name(name: str, taken: Collection[str]) -> str:
    """The name itself, or with the next number behind it that is free."""
    numbered = re.fullmatch(r"(.+) (\d{1,6})", name)
    family, number = (numbered[1], int(numbered[2])) if numbered else (name, 1)
    while name in taken:
        number += 1
        name = f"{family} {number}"
    return name
