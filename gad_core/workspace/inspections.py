"""The shelf of inspections: every new image as it was judged when it came, and what people said of it since.

A source names an image once: the same name with the same content is one part, however often it is met. What people say
is only ever added to; their last word counts.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session, aliased

from gad_core.data.placing import placed
from gad_core.export.result import Result
from gad_core.workspace.columns import Unreadable
from gad_core.workspace.place import Place
from gad_core.workspace.rows import InspectionRow
from gad_core.workspace.staging import discard, leave
from gad_core.workspace.tables import DetectorRecord, HumanVerdictRecord, InspectionRecord, fetch, now

_NOTE = "arriving.json"  # in a workshop, the files that come to lie in the workspace
_LONGEST_NAME = 1000  # characters: paths of most systems are shorter


@dataclass(frozen=True)
class Judged:
    """A new image with its verdict, as it goes on record."""

    name: str
    path: Path
    digest: str
    lot: str | None
    score: float
    p_value: float


@dataclass(frozen=True)
class Reading:
    """By what images were judged: which fit, which thresholds, and the decision behind them."""

    threshold: float
    reject_above: float | None
    version: str
    decision_id: str | None


class InspectionShelf:
    """New images that a workspace's detectors have judged."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._folder = place.home / "inspected"
        self._folder.mkdir(exist_ok=True)

    def add(self, detector_id: str, source: str, judged: Sequence[Judged], reading: Reading) -> tuple[int, ...]:
        """Put images on record, all or none, and return the ids of those that were not there.

        One that a person brings again by hand, whose source is the detector itself, is judged anew in its place: what
        was said of it stays. One that a watch finds again is left as it is. Raises `GadError` where the detector is
        gone.
        """
        new: list[int] = []
        with self._place.database.writing() as session:
            fetch(session, DetectorRecord, detector_id)
            there = _there(session, source, [one.digest for one in judged])
            for one in judged:
                key = name, digest = one.name[-_LONGEST_NAME:], one.digest
                fresh = key not in there
                if not fresh and source != detector_id:
                    continue
                record = there.setdefault(key, InspectionRecord(source=source, name=name, digest=digest))
                session.add(record)
                record.detector_id, record.path, record.lot = detector_id, self._place.inside(one.path), one.lot
                record.score, record.p_value, record.created = one.score, one.p_value, now()
                record.threshold, record.reject_above = reading.threshold, reading.reject_above
                record.version, record.decision_id = reading.version, reading.decision_id
                session.flush()
                if fresh:
                    new.append(record.id)
        return tuple(new)

    @contextmanager
    def arriving(self, workshop: Path, files: Sequence[Path]) -> Iterator[None]:
        """Let files come to lie in the workspace while the block puts them on record; those that are not then go."""
        self._place.database.check_open()
        new = [self._place.inside(path) for path in files if not path.exists()]
        with placed(note := workshop / _NOTE) as partial:
            partial.write_text(json.dumps(new), encoding="utf-8")
        try:
            yield
        except BaseException:
            self._settle(note)
            raise

    def clear_up(self, token: str) -> None:
        """Settle what a dead process was bringing."""
        self._place.database.check_open()
        for note in (self._folder / f".{token}").glob(f"*/{_NOTE}"):
            self._settle(note)
        discard(self._folder / f".{token}")

    def leave(self) -> None:
        """Leave no trace of this process but what it has made."""
        self._place.database.check_open()
        leave(self._folder, self._place.owner)

    def _settle(self, note: Path) -> None:
        new: list[str] = json.loads(note.read_text(encoding="utf-8"))
        with self._place.database.reading() as session:
            kept = set(session.scalars(select(InspectionRecord.path).where(InspectionRecord.path.in_(new))))
        for path in map(self._place.outside, set(new) - kept):
            discard(path)
            with suppress(OSError):  # others lie there
                path.parent.rmdir()

    def names(self, source: str) -> frozenset[tuple[str, str]]:
        """Name and digest of every image of a source."""
        with self._place.database.reading() as session:
            chosen = select(InspectionRecord.name, InspectionRecord.digest).where(InspectionRecord.source == source)
            return frozenset((name, digest) for name, digest in session.execute(chosen))

    def of(
        self, detector_ids: Collection[str], *, after: int = 0, limit: int | None = None
    ) -> tuple[InspectionRow, ...]:
        """Images that these detectors judged, with an id above `after`, in the order in which they came."""
        chosen = _with_verdicts().where(InspectionRecord.detector_id.in_(detector_ids), InspectionRecord.id > after)
        return self._rows(chosen.order_by(InspectionRecord.id).limit(limit))

    def of_source(self, source: str, *, after: int, limit: int) -> tuple[InspectionRow, ...]:
        """The images of a source with an id above `after`, in the order in which they came."""
        chosen = _with_verdicts().where(InspectionRecord.source == source, InspectionRecord.id > after)
        return self._rows(chosen.order_by(InspectionRecord.id).limit(limit))

    def newest(self, source: str, limit: int) -> tuple[InspectionRow, ...]:
        """The images that a source brought last, newest first."""
        chosen = _with_verdicts().where(InspectionRecord.source == source)
        return self._rows(chosen.order_by(InspectionRecord.id.desc()).limit(limit))

    def get(self, inspection_id: int) -> InspectionRow:
        """One image; raise `GadError` if there is none of that id."""
        with self._place.database.reading() as session:
            fetch(session, InspectionRecord, inspection_id)
        (row,) = self._rows(_with_verdicts().where(InspectionRecord.id == inspection_id))
        return row

    def find(self, detector_id: str, digest: str) -> InspectionRow | None:
        """The newest image of a detector whose digest begins so, or none."""
        chosen = _with_verdicts().where(
            InspectionRecord.detector_id == detector_id, InspectionRecord.digest.startswith(digest, autoescape=True)
        )
        return next(iter(self._rows(chosen.order_by(InspectionRecord.id.desc()).limit(1))), None)

    def count(self, detector_id: str) -> int:
        """How many images a detector has judged."""
        with self._place.database.reading() as session:
            chosen = select(func.count()).where(InspectionRecord.detector_id == detector_id)
            return int(session.scalar(chosen) or 0)

    def latest(self, detector_id: str) -> str:
        """What changes with every image and with every word on any: the key of all that is made of them."""
        of_detector = InspectionRecord.detector_id == detector_id
        with self._place.database.reading() as session:
            images = select(func.count(), func.max(InspectionRecord.created)).where(of_detector)
            words = select(func.max(HumanVerdictRecord.id))  # of all detectors, which takes no time
            return f"{detector_id} {session.execute(images).one()} {session.scalar(words)}"

    def say(self, inspection_ids: Iterable[int], defective: bool | None, *, who: str = "") -> None:
        """Put a person's verdict on images on record, beside earlier ones; None takes the last word back."""
        with self._place.database.writing() as session:
            for inspection_id in inspection_ids:
                fetch(session, InspectionRecord, inspection_id)
                session.add(
                    HumanVerdictRecord(inspection_id=inspection_id, defective=defective, who=who, created=now())
                )

    def _rows(self, chosen: Select[Any]) -> tuple[InspectionRow, ...]:
        with self._place.database.reading() as session:
            found = session.execute(chosen).mappings()
            return tuple(
                InspectionRow(**{**row, "path": self._place.outside(row["path"])}) for row in found if _is_sound(row)
            )


def result(row: InspectionRow) -> dict[str, Any]:
    """What a sink gets of an image."""
    return Result(
        row.name,
        row.digest,
        row.lot,
        row.score,
        row.p_value,
        row.threshold,
        row.reject_above,
        row.outcome,
        row.detector_id,
        row.version,
        row.decision_id,
    ).to_json(row.created)


def _is_sound(row: Mapping[Any, Any]) -> bool:
    """Whether an image can be shown; only a damaged database has one that cannot."""
    numbers = row["score"], row["p_value"], row["threshold"]
    words = row["name"], row["path"], row["digest"], row["version"]
    times = isinstance(row["created"], datetime) and not isinstance(row["judged"], Unreadable)
    return times and all(type(one) is float for one in numbers) and all(type(one) is str for one in words)


def _there(session: Session, source: str, digests: Sequence[str]) -> dict[tuple[str, str], InspectionRecord]:
    chosen = select(InspectionRecord).where(
        InspectionRecord.source == source, InspectionRecord.digest.in_(set(digests))
    )
    return {(record.name, record.digest): record for record in session.scalars(chosen)}


def _with_verdicts() -> Select[Any]:
    """Inspections, each with a person's last word on it, or none; columns, as records would take five times as long."""
    said, other = HumanVerdictRecord, aliased(HumanVerdictRecord)
    # Looked up image by image: grouped, the words on all images were read for the sake of one.
    last = select(func.max(other.id)).where(other.inspection_id == InspectionRecord.id).scalar_subquery()
    return select(
        *InspectionRecord.__table__.columns,
        said.defective,
        case((said.defective.is_not(None), said.created)).label("judged"),
    ).outerjoin(said, said.id == last)
