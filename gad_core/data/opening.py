"""Files from anywhere, opened only if they are regular ones: a pipe would keep its reader waiting for ever."""

import os
import stat
from errno import EINVAL
from io import BufferedReader
from pathlib import Path

_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}


class NotRegular(OSError):
    """What is there is no regular file; it was not opened."""


def open_regular(path: Path) -> BufferedReader:
    """Open a regular file, or a link to one, to read its bytes; raises `OSError`, `NotRegular` for anything else."""
    try:
        _check(path.stat(), path)  # before it is opened: some devices act on that
        # Not blocking, for the case that a pipe has taken the file's place meanwhile; of a file nothing changes.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except ValueError as error:  # a NUL, or a character that the system cannot write
        raise OSError(EINVAL, "no file can have such a name", str(path)) from error
    try:
        _check(os.fstat(handle), path)
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def read_regular(path: Path) -> bytes:
    """All bytes of a regular file; raises as `open_regular` does."""
    with open_regular(path) as stream:
        return stream.read()


def refuse_special(path: Path) -> None:
    """Raise `NotRegular` where something other than a file lies at a path that a file is to be put at.

    A rename would put the file in the place of a device, for everybody on the machine.
    """
    try:
        status = path.stat()
    except (OSError, ValueError):  # nothing there; what else is wrong shows when it is written
        return
    _check(status, path)


def _check(status: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = _KINDS.get(stat.S_IFMT(status.st_mode), "of a rare kind")
        raise NotRegular(EINVAL, f"it is {kind}, not a file", str(path))
