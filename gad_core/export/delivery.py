"""Results on their way to sinks, in a thread of its own: a sink that is slow or down holds nobody up."""

import logging
import queue
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from gad_core.export.sinks import Sink

_WAITING = 10_000  # results that may wait for a sink, some hundred bytes each
_BATCH = 100
_LONGEST_PAUSE = 30.0  # seconds between two attempts
_log = logging.getLogger(__name__)


class Delivery:
    """Hands results to one sink, the oldest first, and tries again until it takes them."""

    def __init__(self, sink: Sink, *, waiting: int = _WAITING) -> None:
        self._sink, self.dropped = sink, 0
        self._taken, self._delivered = 0, 0  # each written by one thread alone
        self.error: str | None = None  # why the sink takes nothing now
        self._queue: queue.Queue[Mapping[str, Any] | None] = queue.Queue(waiting)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gad-delivery", daemon=True)
        self._thread.start()

    def put(self, results: Sequence[Mapping[str, Any]]) -> None:
        """Take results over; where too many wait already, the new ones are dropped and counted."""
        self._taken += len(results)
        for result in results:
            try:
                self._queue.put_nowait(result)
            except queue.Full:
                if not self.dropped:
                    _log.error("a sink takes no results (%s), and %d wait: more are dropped", self.error, _WAITING)
                self.dropped += 1

    def close(self, timeout: float = 10.0) -> None:
        """Hand over what waits, for `timeout` seconds at most; what is left is lost, and the log says how many."""
        self._stopping.set()
        end = time.monotonic() + timeout
        with suppress(queue.Full):
            self._queue.put(None, timeout=timeout)
        self._thread.join(max(end - time.monotonic(), 0))
        if lost := self._taken - self._delivered:
            _log.error("%d results were not handed on (%s)", lost, self.error or "the sink took too long")
        self._sink.close()

    def _run(self) -> None:
        while True:
            first = self._queue.get()
            if first is None:
                return
            batch, ends = [first], False
            while len(batch) < _BATCH and not self._queue.empty():
                result = self._queue.get()
                ends = result is None
                if result is None:
                    break
                batch.append(result)
            self._deliver(batch)
            if ends:
                return

    def _deliver(self, batch: list[Mapping[str, Any]]) -> None:
        pause = 1.0
        while True:
            try:
                self._sink.send(batch)
            except Exception as error:  # whatever it is, the results behind must have their turn
                if self.error is None:
                    _log.warning("%s; trying again", error)
                self.error = str(error)
                if self._stopping.wait(pause):
                    self.dropped += len(batch)
                    return
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                self.error, self._delivered = None, self._delivered + len(batch)
                return
