"""What the files of a data set hold, remembered for as long as they stay as they were."""

import json
import time
from contextlib import suppress
from pathlib import Path

from gad_core.data.datasets import look_at
from gad_core.data.placing import placed
from gad_core.errors import GadError

#: Inode, bytes, and time of the last change: what tells without reading it that a file is still the same.
Stamp = tuple[int, int, int]

_COARSE = 2_000_000_000  # nanoseconds: some disks tell times no better, and a second change within them would not show


def stamp(path: Path) -> Stamp:
    """What a file looks like from outside; raises `OSError`."""
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


class Digests:
    """SHA-256 digests of readable images below `root`, kept in one file: losing it costs time and nothing else."""

    def __init__(self, file: Path, root: Path) -> None:
        """Read what is known already; a missing or damaged file knows nothing."""
        self._file, self._root = file, root
        self._before = self._read()
        self._now: dict[str, tuple[Stamp, str]] = {}  # of the files that were asked for since

    def look(self, path: Path) -> str:
        """Digest of a readable image; raises `ImageRefused`. It is opened only where it has changed."""
        try:
            looks = stamp(path)
        except OSError:
            return look_at(path)  # says in words what is wrong
        known = self._before.get(self._name(path))
        same = known is not None and known[0] == looks
        digest = known[1] if known and same else look_at(path)
        self.keep(path, looks, digest, settled=same)
        return digest

    def keep(self, path: Path, looks: Stamp, digest: str, *, settled: bool = False) -> None:
        """Remember a file that looked so before it was read; one that has only just changed only if it is `settled`."""
        if settled or time.time_ns() - looks[2] > _COARSE:
            self._now[self._name(path)] = looks, digest

    def save(self) -> None:
        """Write down the files that were asked for, and no others; a disk that cannot be written to is no error."""
        if self._now == self._before:
            return
        with suppress(GadError), placed(self._file, lasting=False) as partial:
            partial.write_text(json.dumps(self._now), encoding="utf-8")

    def add(self) -> None:
        """Write down the files that were kept beside those that were known before."""
        self._now = self._before | self._now
        self.save()

    def _name(self, path: Path) -> str:
        return path.relative_to(self._root).as_posix()

    def _read(self) -> dict[str, tuple[Stamp, str]]:
        try:
            known = json.loads(self._file.read_text(encoding="utf-8"))
            return {str(name): (_stamp(*looks), str(digest)) for name, (looks, digest) in known.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}


def _stamp(inode: int, size: int, changed: int) -> Stamp:
    return int(inode), int(size), int(changed)
