"""Which servers of other machines are at work with the database.

On one machine the lock on a file says whether a process lives (`presence`). No lock reaches another machine for sure,
so there a server counts as alive for as long as it says so in the database, by the database's own clock.
"""

import logging
import platform
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from gad_core.errors import GadError
from gad_core.workspace.database import Database
from gad_core.workspace.tables import ServerRecord

#: After so much silence a server of another machine counts as dead.
LEASE = timedelta(seconds=120)
_BEAT = 20.0  # seconds between two words; a writer may have to wait its turn for 30
_log = logging.getLogger(__name__)


class ServerLog:
    """The servers of a database; without use where one machine has it to itself."""

    def __init__(self, database: Database, machine: str | None = None) -> None:
        self._database, self._machine = database, machine or this_machine()
        self._stopped = threading.Event()

    def arrive(self, token: str) -> None:
        """Say that this process is at work, now and for as long as it is."""
        if self._database.shared:
            self.beat(token)
            threading.Thread(target=self._keep_saying, args=(token,), name="gad-presence", daemon=True).start()

    def beat(self, token: str) -> None:
        """Say it once more; who was forgotten meanwhile is known again."""
        with self._database.writing() as session:
            session.merge(ServerRecord(token=token, machine=self._machine, seen=_clock(session)))

    def leave(self, token: str) -> None:
        """Say goodbye; a database that cannot be reached hears of it by silence."""
        self._stopped.set()
        with suppress(GadError):
            self.forget(token)

    def forget(self, token: str) -> None:
        """Take a process off the list."""
        if self._database.shared:
            with self._database.writing() as session:
                session.execute(delete(ServerRecord).where(ServerRecord.token == token))

    def elsewhere(self) -> frozenset[str]:
        """Tokens of the processes that are at work on other machines."""
        if not self._database.shared:
            return frozenset()
        with self._database.reading() as session:
            others = select(ServerRecord.token).where(
                ServerRecord.machine != self._machine, ServerRecord.seen > _clock(session) - LEASE
            )
            return frozenset(session.scalars(others))

    def _keep_saying(self, token: str) -> None:
        while not self._stopped.wait(_BEAT):
            try:
                self.beat(token)
            except GadError as error:  # the database is away: its return is waited for
                _log.warning("%s", error)


def this_machine() -> str:
    """What tells this machine, since it was started, from others: locks on its files are seen by all its processes."""
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return platform.node()


def _clock(session: Session) -> datetime:
    """The database's clock: those of several machines differ."""
    moment: datetime | None = session.scalar(select(func.clock_timestamp()))
    assert moment is not None  # noqa: S101 - a function of PostgreSQL's that always answers
    return moment.astimezone(UTC)
