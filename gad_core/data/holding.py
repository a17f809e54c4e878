"""What is in the making, held by a lock that the system drops at a death: the next process may then sweep it up."""

import os
import secrets
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_MARK = ".gad-"  # begins the names of files in the making, in the folder where they will lie
_SCRATCH = "gad-scratch-"  # and those of folders for what is needed only for a while

#: Seconds after which what nobody holds is swept in a folder that other machines may share, whose locks may not show.
STALE = 3600.0


@contextmanager
def in_the_making(folder: Path, ending: str = "") -> Iterator[Path]:
    """An empty file of a name of its own, ours while the block lasts; what has not been renamed by then is gone."""
    while True:
        path = folder / f"{_MARK}{secrets.token_hex(4)}{ending}"
        with path.open("xb") as file:
            # Between creation and lock another process may have taken it for left behind.
            if not (lock(file.fileno()) and path.exists()):
                continue
            if sys.platform == "win32":  # where nobody else may write what is open here
                file.close()
            try:
                yield path
            finally:
                path.unlink(missing_ok=True)
            return


@contextmanager
def scratch(beside: Path | None = None) -> Iterator[Path]:
    """A temporary folder, of the system or hidden in `beside`, gone when the block ends; those of the dead go first.

    What is built in `beside` can be moved there in one step.
    """
    sweep_scratch(beside)
    while True:
        folder = tempfile.TemporaryDirectory(prefix=_SCRATCH if beside is None else f".{_SCRATCH}", dir=beside)
        with folder as name, _held(Path(name)) as ours:
            if ours:
                yield Path(name)
                return


def sweep(folder: Path, *, older: float = 0) -> None:
    """Remove the files that dead processes had in the making there, last written more than `older` seconds ago.

    Those of living ones stay.
    """
    for path in folder.glob(f"{_MARK}*"):
        with suppress(OSError):  # its process was faster, or it is another user's
            status = path.lstat()
            if stat.S_ISREG(status.st_mode) and time.time() - status.st_mtime >= older:
                with _held(path) as ours:
                    if ours:
                        path.unlink()


def sweep_scratch(beside: Path | None = None) -> None:
    """Remove the temporary folders of dead processes of this user; those in `beside` after an hour."""
    if sys.platform == "win32":
        return
    place, older = (Path(tempfile.gettempdir()), 0.0) if beside is None else (beside, STALE)
    for path in place.glob(f"{_SCRATCH}*" if beside is None else f".{_SCRATCH}*"):
        with suppress(OSError):
            status = path.lstat()
            mine = stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid()
            if mine and time.time() - status.st_mtime >= older:
                with _held(path) as ours:
                    if ours:
                        shutil.rmtree(path)


def flush(path: Path) -> None:
    """Have a file, or a folder's names, on the disk when this returns."""
    if sys.platform == "win32" and path.is_dir():  # which cannot be opened there
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def flush_all(folder: Path) -> None:
    """Have all files below a folder on the disk, and their names."""
    for path in folder.rglob("*"):
        flush(path)
    flush(folder)


if sys.platform == "win32":
    import msvcrt

    def lock(file: int) -> bool:
        """Take the lock on an open file if it is free."""
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    @contextmanager
    def _held(_: Path) -> Iterator[bool]:
        yield True  # an open file cannot be removed there

else:
    import fcntl

    def lock(file: int) -> bool:
        """Take the lock on an open file or folder if it is free."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    @contextmanager
    def _held(path: Path) -> Iterator[bool]:
        """Whether nobody else holds what is there now; we do while the block lasts."""
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:  # another process has swept it before we held it
            yield False
            return
        try:
            yield lock(handle) and path.exists()
        finally:
            os.close(handle)
