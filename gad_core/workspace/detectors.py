"""The shelf of detectors, each one file, and the thresholds that people adopted for them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import select

from gad_core.workspace.place import Place
from gad_core.workspace.presence import new_id
from gad_core.workspace.rows import DecisionRow, DetectorRow
from gad_core.workspace.staging import clear_up, deleting, making, writing_in
from gad_core.workspace.tables import DatasetRecord, DecisionRecord, DetectorRecord, fetch, frozen, now


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
        backbone: str,
        settings: Mapping[str, Any],
        n_train: int,
        dataset_id: str | None = None,
    ) -> DetectorRow:
        """Reduction a fitted detector; `save` is called with the path of the file that it has to write."""
        final = self._folder / f"{new_id()}.gad"
        with writing_in(self._place.home), making(final, self._place.owner):
            save(final)
            with self._place.database.writing() as session:
                # A data set that was deleted during the fit is no reason to lose the fit.
                known = dataset_id is not None and session.get(DatasetRecord, dataset_id) is not None
                record = DetectorRecord(
                    id=final.stem,
                    name=name,
                    dataset_id=dataset_id if known else None,
                    path=self._place.inside(final),
                    backbone=backbone,
                    settings=dict(settings),
                    n_train=n_train,
                    created=now(),
                )
                session.add(record)
                return self._row(record)

    def delete(self, detector_id: str) -> None:
        """Delete a detector with its file and its adopted thresholds."""
        final = self._folder / f"{self.get(detector_id).id}.gad"
        with (
            writing_in(self._place.home),
            deleting(final, self._place.owner),
            self._place.database.writing() as session,
        ):
            session.delete(fetch(session, DetectorRecord, detector_id))

    def adopt(
        self,
        detector_id: str,
        *,
        method: str,
        level: str,
        target_fpr: float,
        threshold: float,
        how: str,
        settings: Mapping[str, Any],
    ) -> DecisionRow:
        """Adopt a threshold for a detector; earlier ones stay on record."""
        with self._place.database.writing() as session:
            fetch(session, DetectorRecord, detector_id)
            record = DecisionRecord(
                id=new_id(),
                detector_id=detector_id,
                method=method,
                level=level,
                target_fpr=target_fpr,
                threshold=threshold,
                how=how,
                settings=dict(settings),
                created=now(),
            )
            session.add(record)
            return frozen(DecisionRow, record)

    def decisions(self, detector_id: str) -> tuple[DecisionRow, ...]:
        """The thresholds adopted for a detector; the first is the one that holds now."""
        with self._place.database.reading() as session:
            adopted = select(DecisionRecord).where(DecisionRecord.detector_id == detector_id)
            records = session.scalars(adopted.order_by(DecisionRecord.created.desc()))
            return tuple(frozen(DecisionRow, record) for record in records)

    def clear_up(self, token: str) -> None:
        """Settle what a dead process was making or deleting."""

        def exists(detector_id: str) -> bool:
            with self._place.database.reading() as session:
                return session.get(DetectorRecord, detector_id) is not None

        clear_up(self._folder, token, exists=exists)

    def _row(self, record: DetectorRecord) -> DetectorRow:
        return frozen(DetectorRow, record, path=self._place.outside(record.path))
