"""The tables of the store, as SQLAlchemy sees them; what leaves the store are the frozen rows of `rows`."""

from dataclasses import fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import JSON, DateTime, Dialect, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, composite, mapped_column
from sqlalchemy.types import TypeDecorator

from gad_core.errors import GadError
from gad_core.workspace.rows import Counts, DatasetKind, JobState

#: Programs from before the revisions compare this number with their own, which is 1.
SCHEMA = 2

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Row = TypeVar("Row", bound="DataclassInstance")
Record = TypeVar("Record", bound="Table")


class Utc(TypeDecorator[datetime]):
    """A moment in UTC; kept without its zone, which SQLite cannot hold."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - its signature
        """Drop the zone on the way in."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - its signature
        """Give the zone back on the way out."""
        return None if value is None else value.replace(tzinfo=UTC)


class FreeText(TypeDecorator[str]):
    """Text of any length; what no encoding knows, as in file names of another age, is written as an escape."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - its signature
        """Escape lone surrogates on the way in."""
        return None if value is None else value.encode(errors="backslashreplace").decode()


class Table(DeclarativeBase):
    """Base of all tables; what is no id or keyword is free text."""

    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads a plain class attribute
        str: FreeText,
        datetime: Utc,
        dict[str, Any]: JSON,
        dict[str, Any] | None: JSON(none_as_null=True),
        list[dict[str, str]]: JSON,
        DatasetKind: String(16),
        JobState: String(16),
    }


class SchemaRecord(Table):
    """Programs from before the migrations read this number, and refuse a workspace that it is too high for."""

    __tablename__ = "gad_schema"
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class DatasetRecord(Table):
    __tablename__ = "gad_datasets"
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
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
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str]
    dataset_id: Mapped[str | None] = mapped_column(ForeignKey(DatasetRecord.id, ondelete="SET NULL"), index=True)
    path: Mapped[str]
    backbone: Mapped[str]
    settings: Mapped[dict[str, Any]]
    n_train: Mapped[int]
    created: Mapped[datetime] = mapped_column(index=True)
    auroc: Mapped[float | None]
    auroc_state: Mapped[str | None]
    follows: Mapped[str | None] = mapped_column(String(16))
    description: Mapped[str] = mapped_column(default="")
    used: Mapped[datetime | None]
    archived: Mapped[datetime | None]
    deleted: Mapped[datetime | None]


class DecisionRecord(Table):
    __tablename__ = "gad_decisions"
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
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
    restores: Mapped[str | None] = mapped_column(String(16))
    withdrawn: Mapped[bool] = mapped_column(default=False)


class WatchRecord(Table):
    __tablename__ = "gad_watches"
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    detector_id: Mapped[str] = mapped_column(ForeignKey(DetectorRecord.id, ondelete="CASCADE"), index=True)
    folder: Mapped[str]
    sink: Mapped[str | None]
    sent: Mapped[int] = mapped_column(default=0)
    active: Mapped[bool]
    owner: Mapped[str | None]
    created: Mapped[datetime]


class InspectionRecord(Table):
    __tablename__ = "gad_inspections"
    __table_args__ = (UniqueConstraint("source", "name", "digest"),)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    detector_id: Mapped[str] = mapped_column(ForeignKey(DetectorRecord.id, ondelete="CASCADE"), index=True)
    source: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(1000))
    path: Mapped[str]
    digest: Mapped[str] = mapped_column(String(64), index=True)
    lot: Mapped[str | None]
    score: Mapped[float]
    p_value: Mapped[float]
    threshold: Mapped[float]
    reject_above: Mapped[float | None]
    version: Mapped[str]
    decision_id: Mapped[str | None] = mapped_column(String(16))
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
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
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


def frozen(kind: type[Row], record: Table, **changed: object) -> Row:
    """The record as a frozen row of that kind; `changed` gives the fields that a table keeps in another form."""
    names = {field.name for field in fields(kind)} - changed.keys()
    return kind(**{name: getattr(record, name) for name in names}, **changed)


def fetch(session: Session, table: type[Record], key: str | int, *, lock: bool = False, binned: bool = False) -> Record:
    """The record of that id, held against other writers if `lock`; raise `GadError` if there is none.

    What lies in the bin counts only if `binned`.
    """
    record = session.get(table, key, with_for_update=lock)
    if record is not None and (binned or not getattr(record, "deleted", None)):
        return record
    thing = table.__name__.removesuffix("Record").lower().replace("dataset", "data set")
    if record is None:
        raise GadError(f"there is no {thing} {key!r} in this workspace; choose one from the list")
    raise GadError(f"the {thing} {key!r} was deleted; bring it back on Home, or choose another one")


def now() -> datetime:
    """This moment in UTC."""
    return datetime.now(UTC)
