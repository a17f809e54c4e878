"""The shelf of detectors, each one file, and the thresholds that people adopted for them."""

import json
import re
import shutil
import stat
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select

from gad_core.data.holding import flush
from gad_core.data.placing import placed
from gad_core.errors import GadError
from gad_core.gaussian.settings import FitSettings
from gad_core.workspace.decisions import from_record, to_record
from gad_core.workspace.keeping import Keeping
from gad_core.workspace.place import Place
from gad_core.workspace.presence import new_id
from gad_core.workspace.rows import DecisionRow, DetectorRow, DetectorState, detector_state, state_of
from gad_core.workspace.staging import clear_up, deleting, discard, leave, making, workshop, writing_in
from gad_core.workspace.tables import (
    DatasetRecord,
    DecisionRecord,
    DetectorRecord,
    WatchRecord,
    damaged,
    fetch,
    frozen,
    now,
    readable,
    sound,
)

_NOTE = "replacement.json"  # beside a new file, what it is put in place for
_FORMER = "former"  # the file that it takes the place of, until that is on record

#: Is told that a detector's file, in one state before, is in another now, and that only its threshold has changed.
Follow = Callable[[DetectorState, DetectorState], object]


@dataclass(frozen=True)
class _Replacement:
    """A file that takes the place of a detector's, for a decision, from one state to another."""

    decision_id: str
    before: DetectorState
    after: DetectorState

    def note(self, path: Path) -> None:
        with placed(path) as partial:
            partial.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> "_Replacement":
        values = json.loads(path.read_text(encoding="utf-8"))
        return cls(values["decision_id"], DetectorState(**values["before"]), DetectorState(**values["after"]))


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
        decided: Callable[[str], DecisionRow] | None = None,
    ) -> DetectorRow:
        """Keep a fitted detector; `save` is called with the path of the file that it has to write.

        Where the name is taken, a number behind it tells the two apart. `follows` names the detector of which this is a
        newer version: its watches go on with the new one. `decided` gives the decision on a detector of that id by
        which the file has its threshold already.
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
                if decided is not None:
                    session.add(to_record(decided(record.id)))
                for watch in session.scalars(select(WatchRecord).where(WatchRecord.detector_id == follows)):
                    watch.detector_id = record.id
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
        follow: Follow = lambda _before, _after: None,
    ) -> None:
        """Replace a detector's file by what `save` writes, put the decision behind it on record, and its AUROC with it.

        `follow` is told of the states of the file before and after. Where the process dies in between, the database
        decides: the next one puts the former file back, or does what is left to do. Writers take turns. Raises
        `GadError` where the file is no longer in `state`.
        """
        self._place.database.check_open()
        with writing_in(self._place.home), workshop(self._folder, self._place.owner) as place:
            save(new := place / row.path.name)
            now_in = state_of(row.id, new)  # which it keeps when it is moved
            _Replacement(decision.id, state, now_in).note(place / _NOTE)
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
                    record.auroc, record.auroc_state = auroc, str(now_in)
                    session.commit()  # within the block: if it fails, the former file comes back
            follow(state, now_in)

    def remove(self, detector_id: str, *, due: datetime | None = None) -> None:
        """Delete a detector for good, with its file and all that hangs on it in the database.

        With `due`, only if it has lain in the bin for a day by then: somebody may have brought it back just now.
        """
        self._place.database.check_open()
        with self._place.database.reading() as session:
            final = self._folder / f"{fetch(session, DetectorRecord, detector_id, binned=True).id}.gad"
        with (
            writing_in(self._place.home),
            deleting(final, self._place.owner, self._forget),
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

    def clear_up(self, token: str, *, follow: Follow) -> None:
        """Settle what a dead process was making, deciding or deleting; `follow` as in `rewrite`."""
        self._place.database.check_open()
        for note in (self._folder / f".{token}").glob(f"*/{_NOTE}"):
            self._settle(note, follow)

        def exists(detector_id: str) -> bool:
            with self._place.database.reading() as session:
                return session.get(DetectorRecord, detector_id) is not None

        clear_up(self._folder, token, exists=exists, forget=self._forget)

    def leave(self) -> None:
        """Leave no trace of this process but what it has made."""
        self._place.database.check_open()
        leave(self._folder, self._place.owner)

    def _settle(self, note: Path, follow: Follow) -> None:
        """Put the former file back where no decision is on record for the one in its place; else finish."""
        replacement, former = _Replacement.read(note), note.with_name(_FORMER)
        before, after = replacement.before, replacement.after
        path = self._folder / f"{after.id}.gad"
        with self._place.database.writing() as session:
            if session.get(DetectorRecord, after.id, with_for_update=True) is None:
                return
            decided = session.get(DecisionRecord, replacement.decision_id) is not None
            if not decided and former.exists() and state_of(after.id, path) == after:
                former.replace(path)
                flush(self._folder)
        if decided:
            follow(before, after)

    def _forget(self, final: Path) -> None:
        """Discard a detector's file, and what belongs to it alone."""
        discard(final)
        home = self._place.home
        discard(home / "inspected" / final.stem)
        for folder in (home / "exported", home / "sensitivity", home / "shifts"):
            for path in folder.glob(f"{final.stem}-*"):
                discard(path)

    def _row(self, record: DetectorRecord) -> DetectorRow:
        with sound(record):
            settings = FitSettings.from_json(record.settings)
            return frozen(DetectorRow, record, path=self._place.outside(record.path), settings=settings)


@contextmanager
def _replaced(path: Path, new: Path, former: Path) -> Iterator[None]:
    """Put `new` in the place of `path` while the block commits that; if it fails, the former file is put back."""
    try:
        former.hardlink_to(path)  # the very file, so that what was computed with it counts again when it comes back
    except OSError:  # not every disk has links
        shutil.copy2(path, former)
    new.chmod(stat.S_IMODE(path.stat().st_mode))
    new.replace(path)
    flush(path.parent)
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
