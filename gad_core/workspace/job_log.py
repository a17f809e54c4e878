"""The log of jobs, which outlives the process that ran them."""

from collections.abc import Callable
from dataclasses import asdict

from sqlalchemy import select

from gad_core.workspace.place import Place
from gad_core.workspace.rows import ACTIVE, JobRow
from gad_core.workspace.tables import JobRecord, fetch, frozen, now


class JobLog:
    """How every job stands, or stood when its process was last heard of."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def save(self, job: JobRow) -> None:
        """Remember how a job stands."""
        with self._place.database.writing() as session:
            session.merge(JobRecord(**asdict(job)))

    def get(self, job_id: str) -> JobRow:
        """One job; raise `GadError` if there is none of that id."""
        with self._place.database.reading() as session:
            return frozen(JobRow, fetch(session, JobRecord, job_id))

    def active(self) -> tuple[JobRow, ...]:
        """The jobs that wait or run, the oldest first."""
        with self._place.database.reading() as session:
            chosen = select(JobRecord).where(JobRecord.state.in_(ACTIVE)).order_by(JobRecord.created)
            return tuple(frozen(JobRow, record) for record in session.scalars(chosen))

    def recent(self, limit: int) -> tuple[JobRow, ...]:
        """The newest jobs, newest first."""
        with self._place.database.reading() as session:
            chosen = select(JobRecord).order_by(JobRecord.created.desc()).limit(limit)
            return tuple(frozen(JobRow, record) for record in session.scalars(chosen))

    def interrupt(self, *, unless: Callable[[str], bool]) -> None:
        """Mark the active jobs whose owner is not alive any more."""
        with self._place.database.writing() as session:
            for job in session.scalars(select(JobRecord).where(JobRecord.state.in_(ACTIVE))):
                if not unless(job.owner):
                    job.state, job.finished = "interrupted", now()
