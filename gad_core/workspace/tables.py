"""The tables of the store, as SQLAlchemy sees them; what leaves the store are the frozen rows of `rows`."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, composite, mapped_column

from gad_core.errors import GadError
from gad_core.workspace.columns import FreeText, Json, Utc, Word, unfit
from gad_core.workspace.rows import Counts, DatasetKind, JobState

#: Programs from before the revisions compare this number with their own, which is 1.
SCHEMA = 2

_LARGEST = 2**31  # of PostgreSQL's whole numbers

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Row = TypeVar("Row", bound="DataclassInstance")
Record = TypeVar("Record", bound="Table")
Made = TypeVar("Made")


class DamagedRow(GadError):
    """A record of which no row can be made; all others are as good as before."""


class Table(DeclarativeBase):
    """Base of all tables; what is no id or keyword is free text."""

    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads a plain class attribute
        str: FreeText,
        datetime: Utc,
        dict[str, Any]: Json(dict),
        dict[str, Any] | None: Json(dict),
        list[dict[str, str]]: Json(list),
        DatasetKind: Word(16, get_args(DatasetKind)),
        JobState: Word(16, get_args(JobState)),
    }


class SchemaRecord(Table):
    """Programs from before the migrations read this number, and refuse a workspace that it is too high for."""

    __tablename__ = "gad_schema"
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class DatasetRecord(Table):
    __tablename__ = "gad_datasets"
    id: Mapped[str] = mapped_column(Word(16), primary_key=True)
    name: Mapped[str]
    kind: Mapped[DatasetKind]
    root: Mapped[str]  # relative where it lies in the workspace, which may be moved
    counts: Mapped[Counts] = composite(
        mapped_column("n_train"), mapped_column("n_test_normal"), mapped_column("n_test_defective")
    )
    refused: Mapped[list[dict[str, str]]]
    created: Mapped[datetime] = mapped_column(index=True)
    modified: Mapped[datetime]
    description: Mapped[str] = mapped_column(default="")
    used: Mapped[datetime | None]
    archived: Mapped[datetime | None]
    deleted: Mapped[datetime | None]


class DetectorRecord(Table):
    __tablename__ = "gad_detectors"
    id: Mapped[str] = mapped_column(Word(16), primary_key=True)
    name: Mapped[str]
    dataset_id: Mapped[str | None] = mapped_column(ForeignKey(DatasetRecord.id, ondelete="SET NULL"), index=True)
    path: Mapped[str]
    backbone: Mapped[str]
    settings: Mapped[dict[str, Any]]
    n_train: Mapped[int]
    created: Mapped[datetime] = mapped_column(index=True)
    auroc: Mapped[float | None]
    auroc_state: Mapped[str | None]
    follows: Mapped[str | None] = mapped_column(Word(16))
    description: Mapped[str] = mapped_column(default="")
    used: Mapped[datetime | None]
    archived: Mapped[datetime | None]
    deleted: Mapped[datetime | None]


class DecisionRecord(Table):
    __tablename__ = "gad_decisions"
    id: Mapped[str] = mapped_column(Word(16), primary_key=True)
    detector_id: Mapped[str] = mapped_column(ForeignKey(DetectorRecord.id, ondelete="CASCADE"), index=True)
    method: Mapped[str]
    level: Mapped[str]
    target_fpr: Mapped[float]
    threshold: Mapped[float]
    n: Mapped[int]
    how: Mapped[str]
    reject_above: Mapped[float | None]
    reject_fpr: Mapped[float | None]
    settings: Mapped[dict[str, Any]]
    created: Mapped[datetime]
    who: Mapped[str] = mapped_column(default="")
    note: Mapped[str] = mapped_column(default="")
    version: Mapped[str] = mapped_column(default="")
    rates: Mapped[dict[str, Any] | None]
    restores: Mapped[str | None] = mapped_column(Word(16))
    withdrawn: Mapped[bool] = mapped_column(default=False)


class WatchRecord(Table):
    __tablename__ = "gad_watches"
    id: Mapped[str] = mapped_column(Word(16), primary_key=True)
    detector_id: Mapped[str] = mapped_column(ForeignKey(DetectorRecord.id, ondelete="CASCADE"), index=True)
    folder: Mapped[str]
    sink: Mapped[str | None]
    sent: Mapped[int] = mapped_column(default=0)
    active: Mapped[bool]
    owner: Mapped[str | None]
    created: Mapped[datetime]


class InspectionRecord(Table):
    __tablename__ = "gad_inspections"
    __table_args__ = (
        UniqueConstraint("source", "name", "digest"),
        Index("ix_gad_inspections_source_id", "source", "id"),  # the newest of a source
        Index("ix_gad_inspections_detector_id_created", "detector_id", "created"),  # whether any have come
    )
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    detector_id: Mapped[str] = mapped_column(ForeignKey(DetectorRecord.id, ondelete="CASCADE"), index=True)
    source: Mapped[str] = mapped_column(Word(16))
    name: Mapped[str] = mapped_column(Word(1000))
    path: Mapped[str]
    digest: Mapped[str] = mapped_column(Word(64), index=True)
    lot: Mapped[str | None]
    score: Mapped[float]
    p_value: Mapped[float]
    threshold: Mapped[float]
    reject_above: Mapped[float | None]
    version: Mapped[str]
    decision_id: Mapped[str | None] = mapped_column(Word(16))
    created: Mapped[datetime]


class HumanVerdictRecord(Table):
    __tablename__ = "gad_human_verdicts"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    inspection_id: Mapped[int] = mapped_column(ForeignKey(InspectionRecord.id, ondelete="CASCADE"), index=True)
    defective: Mapped[bool | None]
    who: Mapped[str]
    created: Mapped[datetime]


class JobRecord(Table):
    __tablename__ = "gad_jobs"
    id: Mapped[str] = mapped_column(Word(16), primary_key=True)
    kind: Mapped[str]
    title: Mapped[str]
    owner: Mapped[str]
    created: Mapped[datetime] = mapped_column(index=True)
    state: Mapped[JobState] = mapped_column(index=True)
    done: Mapped[int]
    total: Mapped[int]
    rate: Mapped[float | None]
    started: Mapped[datetime | None]
    finished: Mapped[datetime | None]
    error: Mapped[str | None]
    result_id: Mapped[str | None]
    request: Mapped[dict[str, Any] | None]
    again: Mapped[str | None] = mapped_column(Word(16))  # id of the job that does it once more


class ServerRecord(Table):
    __tablename__ = "gad_servers"
    token: Mapped[str] = mapped_column(Word(16), primary_key=True)
    machine: Mapped[str]
    seen: Mapped[datetime]


def frozen(kind: type[Row], record: Table, **changed: object) -> Row:
    """The record as a frozen row of that kind; `changed` gives the fields that a table keeps in another form."""
    with sound(record):
        names = {field.name for field in fields(kind)} - changed.keys()
        return kind(**{name: getattr(record, name) for name in names}, **changed)


@contextmanager
def sound(record: Table) -> Iterator[None]:
    """Make something of a record; raises `DamagedRow` where a column, or what stands in it, is not as it must be."""
    columns = {attribute.key: attribute.columns[0] for attribute in type(record).__mapper__.column_attrs}
    for key, column in columns.items():
        value = getattr(record, key)
        if value is None and not column.nullable:
            raise _damaged(record, f"{column.name} is empty")
        if value is not None and (wrong := unfit(column.type, value)):
            raise _damaged(record, f"{column.name} holds {wrong.text}")
    try:
        yield
    except DamagedRow:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, GadError) as error:
        raise _damaged(record, f"{type(error).__name__}: {error}") from error


def readable(records: Iterable[Record], make: Callable[[Record], Made]) -> tuple[Made, ...]:
    """What can be made of some records; one that is damaged costs no other, and `Store.damaged` names it."""
    made = []
    for record in records:
        with suppress(DamagedRow):
            made.append(make(record))
    return tuple(made)


def damaged(records: Iterable[Record], make: Callable[[Record], object]) -> tuple[str, ...]:
    """What is wrong with those of some records of which nothing can be made."""
    found = []
    for record in records:
        try:
            make(record)
        except DamagedRow as error:
            found.append(str(error))
    return tuple(found)


def _damaged(record: Table, reason: str) -> DamagedRow:
    return DamagedRow(
        f"the {_thing(type(record))} {record.__mapper__.primary_key_from_instance(record)[0]!r} is damaged in the "
        f"database ({reason}); restore a copy of the database, or do without it: everything else works"
    )


def _thing(table: type[Table]) -> str:
    return table.__name__.removesuffix("Record").lower().replace("dataset", "data set")


def fetch(session: Session, table: type[Record], key: str | int, *, lock: bool = False, binned: bool = False) -> Record:
    """The record of that id, held against other writers if `lock`; raise `GadError` if there is none.

    What lies in the bin counts only if `binned`.
    """
    # A link may ask for anything; a key names files, too, and must not lead elsewhere, whoever wrote it into a table.
    sensible = re.fullmatch(r"[\w-]+", key) if isinstance(key, str) else abs(key) < _LARGEST
    record, thing = session.get(table, key, with_for_update=lock) if sensible else None, _thing(table)
    if record is not None and (binned or not getattr(record, "deleted", None)):
        return record
    if record is None:
        raise GadError(f"there is no {thing} {key!r} in this workspace; choose one from the list")
    raise GadError(f"the {thing} {key!r} was deleted; bring it back on Home, or choose another one")


def now() -> datetime:
    """This moment in UTC."""
    return datetime.now(UTC)
