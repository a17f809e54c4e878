"""The log of jobs, which outlives the process that ran them."""

from collections.abc import Callable
from dataclasses import asdict
from functools import partial

from sqlalchemy import select

from gad_core.errors import GadError
from gad_core.workspace.place import Place
from gad_core.workspace.rows import ACTIVE, JobRow
from gad_core.workspace.tables import JobRecord, fetch, frozen, now, readable


class GivenAway(GadError):
    """A process was silent for so long that its job was given to another."""


class JobLog:
    """How every job stands, or stood when its process was last heard of."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def add(self, job: JobRow, *, again: str | None = None) -> str:
        """Put a new job on record and return its id.

        With `again` it does an interrupted one once more: where another does that already, or has done it, nothing is
        put on record, and that one's id is returned.
        """
        with self._place.database.writing() as session:
            if again is not None:
                former = fetch(session, JobRecord, again, lock=True)
                for other in (former, session.get(JobRecord, former.again) if former.again else None):
                    if other is not None and other.state in (*ACTIVE, "done"):
                        return other.id
                former.again = job.id
            session.add(JobRecord(**asdict(job)))
        return job.id

    def save(self, job: JobRow) -> None:
        """Remember how a job stands; raises `GivenAway` where another does it by now."""
        with self._place.database.writing() as session:
            known = session.get(JobRecord, job.id, with_for_update=True)
            if known is not None and known.again is not None:
                raise GivenAway(f"{job.title} was taken for interrupted and is done again by another job; see that one")
            session.merge(JobRecord(**asdict(job)))

    def get(self, job_id: str) -> JobRow:
        """One job; raise `GadError` if there is none of that id."""
        with self._place.database.reading() as session:
            return frozen(JobRow, fetch(session, JobRecord, job_id))

    def active(self) -> tuple[JobRow, ...]:
        """The jobs that wait or run, the oldest first."""
        with self._place.database.reading() as session:
            chosen = select(JobRecord).where(JobRecord.state.in_(ACTIVE)).order_by(JobRecord.created)
            return readable(session.scalars(chosen), partial(frozen, JobRow))

    def recent(self, limit: int) -> tuple[JobRow, ...]:
        """The newest jobs, newest first."""
        with self._place.database.reading() as session:
            chosen = select(JobRecord).order_by(JobRecord.created.desc()).limit(limit)
            return readable(session.scalars(chosen), partial(frozen, JobRow))

    def interrupt(self, *, unless: Callable[[str], bool]) -> None:
        """Mark the active jobs whose owner is not alive any more."""
        with self._place.database.writing() as session:
            for job in session.scalars(select(JobRecord).where(JobRecord.state.in_(ACTIVE))):
                if not unless(job.owner):
                    job.state, job.finished = "interrupted", now()
