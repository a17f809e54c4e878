"""Heavy work outside the page: a lane for each kind of job, with progress, cancel, and errors kept."""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, replace
from functools import partial
from queue import SimpleQueue
from typing import Any, Self

from gad_core.errors import Cancelled, GadError
from gad_core.progress import Progress
from gad_core.workspace.job_log import GivenAway
from gad_core.workspace.pace import Pace
from gad_core.workspace.people import NotAllowed
from gad_core.workspace.presence import new_id
from gad_core.workspace.rows import JobRow, JobState
from gad_core.workspace.store import Store
from gad_core.workspace.tables import now

#: Does the work, reports its progress and returns the id of what it made.
Work = Callable[[Progress], str]

#: How far a kind of job stands back behind the pages and quicker kinds, in steps of Unix niceness.
_NICENESS = dict.fromkeys(("check", "fit"), 5) | dict.fromkeys(("baseline", "sensitivity", "shift"), 10)
_NICENESS |= dict.fromkeys(("explain", "experiment"), 15) | {"data": 2}
_USUAL_NICENESS = 5
_SAVE_INTERVAL = 0.2  # seconds between two writes of one job's progress
_log = logging.getLogger(__name__)


@dataclass
class _Task:
    """A job that this process runs; only to be touched under the queue's lock."""

    row: JobRow
    work: Work
    pace: Pace
    saved: float = 0.0  # when the progress was last written
    unwanted: bool = False


class _Lane:
    """The thread in which the jobs of one kind have their turns."""

    def __init__(self, kind: str, take_turn: Callable[[str], None]) -> None:
        self.turns: SimpleQueue[str | None] = SimpleQueue()
        self._kind, self._take_turn = kind, take_turn
        self.thread = threading.Thread(target=self._run, name=f"gad-{kind}-jobs", daemon=True)
        self.thread.start()

    def _run(self) -> None:
        stand_back(_NICENESS.get(self._kind, _USUAL_NICENESS))
        while (job_id := self.turns.get()) is not None:
            self._take_turn(job_id)  # a function of its own, so that nothing keeps a finished task and its images


def stand_back(niceness: int) -> None:
    """Let pages go before this thread and those that it starts; only Linux has a niceness for each thread."""
    if sys.platform == "linux":
        with suppress(OSError):  # a sandbox may forbid it
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)


class JobQueue:
    """Runs jobs of one kind one after the other and logs them in the store, where they outlive the process.

    Jobs of different kinds run side by side: what takes minutes holds up nobody's import or fit. Progress is exact here
    and lags in the store by up to 0.2 s. Every method may be called from any thread.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._tasks: dict[str, _Task] = {}  # of jobs that wait or run; the log has the others
        self._changed = threading.Condition()
        self._lanes: dict[str, _Lane] = {}  # by kind of job
        self._closed: str | None = None

    def closed_to(self, reason: str) -> Self:
        """The same queue for somebody who may see jobs and neither start nor cancel any, for that reason."""
        view = copy(self)
        view._closed = reason
        return view

    def _check_open(self) -> None:
        if self._closed is not None:
            raise NotAllowed(self._closed)

    def submit(
        self,
        kind: str,
        title: str,
        work: Work,
        *,
        request: Mapping[str, Any] | None = None,
        again: str | None = None,
    ) -> str:
        """Queue some work and return the id of its job; `request` says in plain values what was asked for.

        With `again`, the id of an interrupted job, it is done once, however many ask for that on whichever server: the
        others get the id of the one job.
        """
        self._check_open()
        job = JobRow(id=new_id(), kind=kind, title=title, owner=self._store.owner, created=now(), request=request)
        if (taken := self._store.jobs.add(job, again=again)) != job.id:
            return taken
        with self._changed:
            self._tasks[job.id] = _Task(job, work, Pace())
            if kind not in self._lanes:
                self._lanes[kind] = _Lane(kind, self._take_turn)
            self._lanes[kind].turns.put(job.id)
        return job.id

    def get(self, job_id: str) -> JobRow:
        """How a job stands; raise `GadError` if there is none of that id."""
        with self._changed:
            if task := self._tasks.get(job_id):
                return task.row
        return self._store.jobs.get(job_id)

    def active(self) -> tuple[JobRow, ...]:
        """The jobs that wait or run, the oldest first, those of other processes on the workspace included."""
        return tuple(job for job in self._live(self._store.jobs.active) if job.active)

    def recent(self, limit: int = 20) -> tuple[JobRow, ...]:
        """The newest jobs, newest first."""
        return self._live(lambda: self._store.jobs.recent(limit))

    def cancel(self, job_id: str) -> None:
        """Stop a job: at once while it waits, at its next report of progress while it runs; afterwards nothing happens.

        Raises `GadError` if another process runs it.
        """
        self._check_open()
        with self._changed:
            if task := self._tasks.get(job_id):
                task.unwanted = True
                if task.row.state == "queued":
                    self._finish(task, "cancelled")
                return
        if self._store.jobs.get(job_id).active:
            raise GadError("this job runs in another GAD server on the same workspace; cancel it there")

    def wait(self, job_id: str, timeout: float | None = None) -> JobRow:
        """Wait until a job of this process has ended, or for `timeout` seconds, and say how it stands."""
        with self._changed:
            self._changed.wait_for(lambda: not (task := self._tasks.get(job_id)) or not task.row.active, timeout)
        return self.get(job_id)

    def close(self, timeout: float = 10.0) -> None:
        """Cancel what waits and runs, and wait up to `timeout` seconds for the running jobs to notice."""
        self._check_open()
        for job_id in tuple(self._tasks):
            self.cancel(job_id)
        for lane in self._lanes.values():
            lane.turns.put(None)
        end = time.monotonic() + timeout
        for lane in self._lanes.values():
            lane.thread.join(max(0.0, end - time.monotonic()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _take_turn(self, job_id: str) -> None:
        with self._changed:
            task = self._tasks.get(job_id)
            if task is None or task.unwanted:  # cancelled while it waited
                return
            task.row = replace(task.row, state="running", started=now())
            self._save(task)
        state, result_id, error = self._attempt(task)
        with self._changed:
            self._finish(task, state, result_id=result_id, error=error)

    def _attempt(self, task: _Task) -> tuple[JobState, str | None, str | None]:
        try:
            return "done", task.work(partial(self._report, task)), None
        except Cancelled:
            return "cancelled", None, None
        except GadError as error:
            return "failed", None, str(error)
        except BaseException as error:  # whatever it is, the jobs behind it must have their turn
            _log.exception("job %s (%s) failed", task.row.id, task.row.title)
            return "failed", None, f"unexpected {type(error).__name__}: {error}; the server's log has the details"

    def _report(self, task: _Task, done: int, total: int) -> None:
        moment = time.monotonic()
        with self._changed:
            if task.unwanted or task.row.state != "running":
                raise Cancelled
            task.pace = task.pace.step(moment, done)
            task.row = replace(task.row, done=int(done), total=int(total), rate=task.pace.rate)
            if moment - task.saved >= _SAVE_INTERVAL:
                task.saved = moment
                self._save(task)

    def _finish(self, task: _Task, state: JobState, *, result_id: str | None = None, error: str | None = None) -> None:
        task.row = replace(task.row, state=state, result_id=result_id, error=error, finished=now())
        if self._save(task):
            del self._tasks[task.row.id]
        self._changed.notify_all()

    def _save(self, task: _Task) -> bool:
        """Log how a job stands, or keep that in memory: a log that fails must stop neither the work nor the queue."""
        try:
            self._store.jobs.save(task.row)
        except GivenAway:  # this process was taken for dead
            task.unwanted, task.row = True, replace(task.row, state="interrupted", finished=now())
        except Exception:
            _log.exception("job %s (%s) could not be logged", task.row.id, task.row.title)
            return False
        return True

    def _live(self, read: Callable[[], tuple[JobRow, ...]]) -> tuple[JobRow, ...]:
        """What the log says, with the exact progress of our own jobs and without those of dead processes."""
        with self._changed:  # before the log is read: a job that ends in between is then shown as it was
            own = {job_id: task.row for job_id, task in self._tasks.items()}
        rows = read()
        if any(row.active and row.owner != self._store.owner for row in rows):
            self._store.recover()
            rows = read()
        return tuple(own.get(row.id, row) for row in rows)
