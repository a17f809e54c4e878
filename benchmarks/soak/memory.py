"""How much memory a server takes, over time: read from Linux, with the processes that it has started."""

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_EVERY = 0.5  # seconds


@dataclass(frozen=True)
class Sample:
    """Memory of a process and its children at one moment, in MB."""

    at: float  # seconds of the monotonic clock
    rss: float  # resident
    uss: float  # what would be free if they ended
    threads: int


def sample(pid: int) -> Sample:
    """Look once."""
    rss = uss = threads = 0
    for process in _family(pid):
        try:
            for line in (process / "smaps_rollup").read_text().splitlines():
                name, _, rest = line.partition(":")
                if name == "Rss":
                    rss += int(rest.split()[0])
                elif name in {"Private_Clean", "Private_Dirty"}:
                    uss += int(rest.split()[0])
            threads += len(list((process / "task").iterdir()))
        except OSError:  # it has ended meanwhile
            continue
    return Sample(time.monotonic(), rss / 1024, uss / 1024, threads)


def _family(pid: int) -> Iterator[Path]:
    """The process and all that it has started."""
    process = Path(f"/proc/{pid}")
    yield process
    with suppress(OSError):
        for task in (process / "task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _family(int(child))


class Watch:
    """Looks at a server all the time, from a thread of its own."""

    def __init__(self, pid: int) -> None:
        self._pid, self._ended = pid, threading.Event()
        self.samples: list[Sample] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._ended.wait(_EVERY):
            self.samples.append(sample(self._pid))

    def close(self) -> None:
        """Look no more."""
        self._ended.set()
        self._thread.join()

    def peak(self, since: float = 0.0, until: float = float("inf")) -> Sample:
        """The moment of the most resident memory in a span of time."""
        return max((one for one in self.samples if since <= one.at <= until), key=lambda one: one.rss)
