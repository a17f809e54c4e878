"""The shelf of detectors, each one file, and the thresholds that people adopted for them."""

import re
from collections.abc import Callable, Collection
from dataclasses import fields
from pathlib import Path

from sqlalchemy import select

from gad_core.errors import GadError
from gad_core.gaussian.settings import FitSettings
from gad_core.gaussian.tuning import Tuning, WorkingPoint
from gad_core.workspace.place import Place
from gad_core.workspace.presence import new_id
from gad_core.workspace.rows import DecisionRow, DetectorRow, DetectorState, detector_state
from gad_core.workspace.staging import clear_up, deleting, making, workshop, writing_in
from gad_core.workspace.tables import DatasetRecord, DecisionRecord, DetectorRecord, fetch, frozen, now

_LONGEST_NAME = 60  # characters


class DetectorShelf:
    """Detectors of a workspace: `detectors/<id>.gad`."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._folder = place.home / "detectors"
        self._folder.mkdir(exist_ok=True)

    def all(self) -> tuple[DetectorRow, ...]:
        """All detectors, the newest first."""
        with self._place.database.reading() as session:
            records = session.scalars(select(DetectorRecord).order_by(DetectorRecord.created.desc()))
            return tuple(self._row(record) for record in records)

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

    def rename(self, detector_id: str, name: str) -> DetectorRow:
        """Give a detector another name, of 1 to 60 characters."""
        name = " ".join(name.split())
        if not 1 <= len(name) <= _LONGEST_NAME:
            raise GadError(f"a name has 1 to {_LONGEST_NAME} characters, got {len(name)}; write another one")
        with self._place.database.writing() as session:
            record = fetch(session, DetectorRecord, detector_id, lock=True)
            record.name = name
            return self._row(record)

    def note_auroc(self, detector_id: str, auroc: float | None, state: DetectorState) -> None:
        """Remember the AUROC (in [0, 1]) of the tuning in a detector's file as it was in that state."""
        with self._place.database.writing() as session:
            record = fetch(session, DetectorRecord, detector_id, lock=True)
            record.auroc, record.auroc_state = auroc, str(state)

    def rewrite(
        self, row: DetectorRow, save: Callable[[Path], object], *, state: DetectorState, auroc: float | None
    ) -> DetectorState:
        """Replace a detector's file by what `save` writes, and its AUROC with it; return the state that it has then.

        Writers take turns. Raises `GadError` where the file is no longer in `state`.
        """
        with writing_in(self._place.home), workshop(self._folder, self._place.owner) as place:
            save(new := place / row.path.name)
            with self._place.database.writing() as session:
                record = fetch(session, DetectorRecord, row.id, lock=True)
                if detector_state(row) != state:
                    raise GadError(
                        f"{row.name} was fitted again or given another threshold meanwhile; see its numbers now, then "
                        "adopt"
                    )
                new.replace(row.path)
                now_in = detector_state(row)
                record.auroc, record.auroc_state = auroc, str(now_in)
        return now_in

    def delete(self, detector_id: str) -> None:
        """Delete a detector with its file and its adopted thresholds."""
        final = self._folder / f"{self.get(detector_id).id}.gad"
        with (
            writing_in(self._place.home),
            deleting(final, self._place.owner),
            self._place.database.writing() as session,
        ):
            session.delete(fetch(session, DetectorRecord, detector_id))

    def adopt(self, detector_id: str, tuning: Tuning, point: WorkingPoint) -> DecisionRow:
        """Adopt a threshold for a detector; earlier ones stay on record."""
        with self._place.database.writing() as session:
            fetch(session, DetectorRecord, detector_id)
            record = DecisionRecord(
                id=new_id(), detector_id=detector_id, settings=tuning.to_json(), created=now(), **point.to_json()
            )
            session.add(record)
            session.flush()
            return _decision(record)

    def decisions(self, detector_id: str) -> tuple[DecisionRow, ...]:
        """The thresholds adopted for a detector, the newest first; what holds now stands in its file."""
        with self._place.database.reading() as session:
            adopted = select(DecisionRecord).where(DecisionRecord.detector_id == detector_id)
            records = session.scalars(adopted.order_by(DecisionRecord.created.desc()))
            return tuple(_decision(record) for record in records)

    def clear_up(self, token: str) -> None:
        """Settle what a dead process was making or deleting."""

        def exists(detector_id: str) -> bool:
            with self._place.database.reading() as session:
                return session.get(DetectorRecord, detector_id) is not None

        clear_up(self._folder, token, exists=exists)

    def _row(self, record: DetectorRecord) -> DetectorRow:
        settings = FitSettings.from_json(record.settings)
        return frozen(DetectorRow, record, path=self._place.outside(record.path), settings=settings)


def _decision(record: DecisionRecord) -> DecisionRow:
    point = WorkingPoint(**{one.name: getattr(record, one.name) for one in fields(WorkingPoint)})
    return frozen(DecisionRow, record, tuning=Tuning.from_json(record.settings), point=point)


def _free_name(name: str, taken: Collection[str]) -> str:
    """The name itself, or with the next number behind it that is free."""
    numbered = re.fullmatch(r"(.+) (\d{1,6})", name)
    family, number = (numbered[1], int(numbered[2])) if numbered else (name, 1)
    while name in taken:
        number += 1
        name = f"{family} {number}"
    return name
