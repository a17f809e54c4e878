"""Watched folders: new images are judged as they come, each once, also after a restart."""

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Self

from gad_core.data.arrivals import Arrival, Arrivals, told
from gad_core.data.datasets import ImageFile, ImageSet, Refusal
from gad_core.data.digests import Digests
from gad_core.errors import Cancelled, GadError, ImageRefused
from gad_core.export.sinks import Sink, open_sink
from gad_core.features.cache import FeatureCache
from gad_core.workspace.inspecting import Inspector
from gad_core.workspace.inspections import result
from gad_core.workspace.jobs import stand_back
from gad_core.workspace.rows import WatchRow, detector_state
from gad_core.workspace.store import Store
from gad_core.workspace.tables import now

_INTERVAL = 1.0  # seconds between two looks
_SHARE = 5  # a look at a large folder may take so many times less than the time until the next
_BATCH = 32  # images that go on record together: what a kill costs is at most their work
_MOST = 8 * _BATCH  # images of one folder in a look
_HANDED_ON = 100  # results that a sink gets together
_NICENESS = 5
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WatchState:
    """How a watch stands: what it cannot read, what goes wrong, how many files wait, and when it last looked."""

    refused: tuple[Refusal, ...] = ()
    error: str | None = None
    waiting: int = 0
    looked: datetime | None = None


@dataclass
class _Folder:
    """What one watch knows of its folder; only its thread touches it."""

    digests: Digests
    known: set[tuple[str, str]]  # name and digest of what is on record
    arrivals: Arrivals
    refused: dict[Path, Refusal] = field(default_factory=dict)


class Watcher:
    """Looks through the active watches of a workspace in a thread of its own, with the store's other processes in turn.

    A watch belongs to one process at a time; that of a dead one is taken over. What a person sees of it comes from
    `state`, which may be called from any thread.
    """

    def __init__(self, store: Store, *, cache: FeatureCache | None = None, interval: float = _INTERVAL) -> None:
        self._store, self._cache, self._interval = store, cache, interval
        self._folders: dict[str, _Folder] = {}
        self._inspectors: dict[str, Inspector] = {}
        self._states: dict[str, WatchState] = {}
        self._sinks: dict[str, Sink] = {}
        self._listing = 0.0  # seconds that the last look took to list its folders
        self._stopped, self._wake = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="gad-watcher", daemon=True)

    def start(self) -> Self:
        """Begin to look."""
        self._thread.start()
        return self

    def wake(self) -> None:
        """Look at once: a watch was begun."""
        self._wake.set()

    def close(self, timeout: float = 10.0) -> None:
        """Stop after the batch at hand."""
        self._stopped.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout)
        for sink in self._sinks.values():
            sink.close()

    def state(self, watch_id: str) -> WatchState:
        """How a watch of this process stands; nothing is known of others'."""
        return self._states.get(watch_id, WatchState())

    def look(self) -> int:
        """Look through all watches once and return how many images were new; for those who do without the thread."""
        self._listing = 0.0
        found, watches = 0, self._ours()
        for watch in watches:
            with self._noting(watch):
                found += self._look_at(watch)
        for watch in watches:  # images first: a sink may take its time
            with self._noting(watch):
                self._hand_on(watch)
        for gone in self._folders.keys() - {watch.id for watch in watches}:
            del self._folders[gone]
        for unused in self._sinks.keys() - {watch.sink for watch in watches}:
            self._sinks.pop(unused).close()
        return found

    def _run(self) -> None:
        stand_back(_NICENESS)
        while not self._stopped.is_set():
            try:
                self.look()
            except Exception:  # whatever it is, the next look may go well
                _log.exception("the watched folders could not be looked through")
            self._wake.wait(max(self._interval, _SHARE * self._listing))
            self._wake.clear()

    def _ours(self) -> tuple[WatchRow, ...]:
        """The active watches of this process, those that nobody holds and those of dead processes included."""
        store, active = self._store, self._store.watches.active()
        if any(watch.owner not in (None, store.owner) for watch in active):
            with suppress(GadError):  # the database is busy or full: the next look says more
                store.recover()
        if any(watch.owner is None or not store.is_at_work(watch.owner) for watch in active):
            active = store.watches.take(unless=store.is_at_work)
        return tuple(watch for watch in active if watch.owner == store.owner)

    def _look_at(self, watch: WatchRow) -> int:
        root = self._store.roots.check(Path(watch.folder))
        folder = self._folders.get(watch.id) or self._open(watch, root)
        began = time.monotonic()
        arrived = folder.arrivals.whole(time.time_ns(), tick=self._unless_stopped)
        self._listing += time.monotonic() - began
        if len(arrived) > _MOST:  # stopping, another detector and the other folders have their turn in between
            self._wake.set()
        there = folder.arrivals.met.keys() | folder.arrivals.handled.keys()
        folder.refused = {path: refusal for path, refusal in folder.refused.items() if path in there}
        found = 0
        now_due = arrived[:_MOST]
        for first in range(0, len(now_due), _BATCH):
            if self._stopped.is_set():
                break
            self._note(watch, waiting=len(arrived) - first)
            found += self._take_in(watch, folder, root, now_due[first : first + _BATCH])
        if arrived:
            folder.digests.add()
        self._note(watch)
        return found

    def _hand_on(self, watch: WatchRow) -> None:
        """Hand the results that are on record on to the sink; what it does not take waits for the next look.

        A process that dies in between has the same results handed on again: none is lost.
        """
        if watch.sink is None:
            return
        sent = watch.sent
        while rows := self._store.inspections.of_source(watch.id, after=sent, limit=_HANDED_ON):
            if watch.sink not in self._sinks:
                self._sinks[watch.sink] = open_sink(watch.sink, patient=False, allowed=self._store.roots.check)
            self._sinks[watch.sink].send([result(row) for row in rows])
            sent = rows[-1].id
            self._store.watches.sent(watch.id, sent)

    def _open(self, watch: WatchRow, root: Path) -> _Folder:
        digests = Digests(self._store.cache / "digests" / f"watch-{watch.id}.json", root)
        return self._folders.setdefault(
            watch.id, _Folder(digests, set(self._store.inspections.names(watch.id)), Arrivals(root))
        )

    def _take_in(self, watch: WatchRow, folder: _Folder, root: Path, batch: Sequence[Arrival]) -> int:
        """Judge those of some images that are new, and put them on record together."""
        files, look = [], self._store.roots.guarded(folder.digests.look)
        for path, _ in batch:
            try:
                name, digest = folder.arrivals.name(path), look(path)
            except ImageRefused as refusal:
                folder.refused[path] = Refusal(told(root, path), str(refusal))
                continue
            folder.refused.pop(path, None)
            if (name, digest) not in folder.known:
                files.append(ImageFile(path, digest))
        added: tuple[int, ...] = ()
        if files:
            inspector = self._inspector(watch.detector_id)
            inspected = inspector.judge(ImageSet(tuple(files)), cache=self._cache)
            for bad in inspected.images.refused:
                folder.refused[Path(bad.path)] = Refusal(told(root, Path(bad.path)), bad.reason)
            judged = inspected.judged(root)
            reading = inspector.reading(inspected.verdict)
            added = self._store.inspections.add(watch.detector_id, watch.id, judged, reading)
            folder.known.update((one.name, one.digest) for one in judged)
        folder.arrivals.done(batch)
        return len(added)

    def _inspector(self, detector_id: str) -> Inspector:
        """The detector as its file is now: a threshold that was adopted meanwhile decides from the next image on."""
        known = self._inspectors.get(detector_id)
        if known is None or detector_state(self._store.detectors.get(detector_id)) != known.state:
            known = Inspector.of(self._store, detector_id, engine=known.engine if known else None)
            self._inspectors = {detector_id: known}  # a workspace rarely watches for two, and a network is large
        return known

    @contextmanager
    def _noting(self, watch: WatchRow) -> Iterator[None]:
        """What goes wrong with a watch is shown beside it, and tried again at the next look."""
        try:
            yield
        except Cancelled:  # the server stops
            return
        except GadError as error:
            self._note(watch, error=str(error))
        except Exception as error:  # the other folders must have their turn
            _log.exception("the folder %s could not be looked through", watch.folder)
            self._note(watch, error=f"unexpected {type(error).__name__}; the server's log has the details")

    def _unless_stopped(self) -> None:
        """A folder may hold more files than can be listed before the server is gone."""
        if self._stopped.is_set():
            raise Cancelled

    def _note(self, watch: WatchRow, *, error: str | None = None, waiting: int = 0) -> None:
        folder = self._folders.get(watch.id)
        refused = tuple(folder.refused.values()) if folder else ()
        self._states[watch.id] = WatchState(refused, error, waiting, now())
