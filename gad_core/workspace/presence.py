"""Which processes are at work in a workspace, told by locks that the system drops when a process dies."""

import secrets
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from gad_core.data.holding import lock

_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # nothing that could be mistaken for another letter


def new_id() -> str:
    """Ten random characters that are safe in links, file names and on the telephone."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(10))


@dataclass(frozen=True)
class Presence:
    """A process at work, known by its token for as long as it holds the lock."""

    token: str
    _file: BinaryIO

    def leave(self) -> None:
        """Say goodbye: the token counts as departed from now on."""
        self._file.close()
        Path(self._file.name).unlink(missing_ok=True)


def arrive(folder: Path, announce: Callable[[str], None]) -> Presence:
    """Announce this process in `folder` under a fresh token; other machines have to hear of it before."""
    while True:
        path = folder / new_id()
        announce(path.name)
        file = path.open("xb")
        # Between creation and lock another process may have taken us for dead and removed the file.
        if lock(file.fileno()) and path.exists():
            return Presence(path.name, file)
        file.close()


def is_present(folder: Path, token: str) -> bool:
    """Whether the process with this token is at work, as far as `departed` has not seen otherwise."""
    return (folder / token).exists()


def departed(folder: Path, elsewhere: Collection[str] = ()) -> Iterator[str]:
    """Tokens of processes that died; each is ours alone while the loop's body cleans up after it.

    Those `elsewhere`, on other machines, are at work, whether their locks are seen here or not.
    """
    for path in sorted(folder.iterdir()):
        if path.name in elsewhere:
            continue
        try:
            with path.open("rb+") as file:
                if not (lock(file.fileno()) and path.exists()):
                    continue
                yield path.name
            path.unlink(missing_ok=True)
        except (FileNotFoundError, PermissionError):  # another process cleaned up first, or another user works here
            continue
