"""Explanations beside the page: each in a thread that the page looks at, and that can be told to stop."""

from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from threading import Event, Lock

import streamlit as st

from gad_core.attribution.attribution_map import Attribution
from gad_core.errors import Cancelled
from pages.shared.explaining import Key, Task

_WORKERS = 8  # one works while the others wait for their turn


class Explanation:
    """One that is made, or was."""

    def __init__(self, task: Task, pool: ThreadPoolExecutor) -> None:
        self.done, self.total = 0, task.n_references
        self._stop = Event()
        self._future: Future[Attribution] = pool.submit(task.do, self._tell)

    def _tell(self, done: int, total: int) -> None:
        self.done, self.total = done, total
        if self._stop.is_set():
            raise Cancelled

    @property
    def ended(self) -> bool:
        """Whether it was made, has failed or was cancelled."""
        return self._future.done()

    def cancel(self) -> None:
        """Stop it at its next step; also for callbacks."""
        self._stop.set()

    def wait(self, seconds: float) -> bool:
        """Wait so long at most for its end; whether that has come."""
        return bool(wait_for([self._future], timeout=seconds).done)

    def result(self) -> Attribution:
        """What was made; raises what it failed with, and `Cancelled`."""
        return self._future.result()


class Explanations:
    """Those under way and those of which nobody has heard the end; many threads may use it."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="gad-explanation")
        self._by_key: dict[Key, Explanation] = {}
        self._lock = Lock()

    def of(self, task: Task) -> Explanation:
        """The one under way for this task, or a new one."""
        with self._lock:
            if task.key not in self._by_key:
                self._by_key[task.key] = Explanation(task, self._pool)
            return self._by_key[task.key]

    def heard(self, task: Task) -> None:
        """Its end is known: the next who asks has it made anew, unless its map is kept."""
        with self._lock:
            self._by_key.pop(task.key, None)


@st.cache_resource(show_spinner=False)
def explanations() -> Explanations:
    """Those of this server."""
    return Explanations()
