"""All or nothing on disk: things are built out of sight, and what a dead process left behind is cleared up.

A process works in a hidden folder of its own beside the things it makes, `<folder>/.<token>/`. A file in it is a claim:
it bears the name of a thing in `<folder>` which is just being made or deleted. A folder in it is a workshop.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gad_core.errors import GadError
from gad_core.workspace.presence import new_id


@contextmanager
def writing_in(home: Path) -> Iterator[None]:
    """Turn what the file system refuses into a `GadError`."""
    try:
        yield
    except OSError as error:
        raise GadError(
            f"cannot write in the workspace {home} ({error.strerror or error}); free some space or allow "
            "writing there, or choose another folder with GAD_HOME"
        ) from error


@contextmanager
def workshop(folder: Path, token: str) -> Iterator[Path]:
    """An empty folder out of sight, on the same disk as `folder`; it is gone when the block ends."""
    place = folder / f".{token}" / new_id()
    place.mkdir(parents=True)
    try:
        yield place
    finally:
        discard(place)


@contextmanager
def making(final: Path, token: str) -> Iterator[None]:
    """Claim `final` while it is made: if the block fails or the process dies in it, `final` is discarded."""
    claim = _claim(final, token)
    try:
        yield
    except BaseException:
        discard(final)
        raise
    finally:
        discard(claim)


@contextmanager
def deleting(final: Path, token: str, forget: Callable[[Path], None]) -> Iterator[None]:
    """Have `forget` discard `final` when the block has ended well; if the process dies, the next start does."""
    claim = _claim(final, token)
    try:
        yield
    except BaseException:
        discard(claim)
        raise
    forget(final)
    discard(claim)


def clear_up(folder: Path, token: str, *, exists: Callable[[str], bool], forget: Callable[[Path], None]) -> None:
    """Settle the claims of a dead process: what `exists` does not know is discarded by `forget`."""
    claims = folder / f".{token}"
    for claim in sorted(claims.glob("*")):
        if claim.is_file() and not exists(claim.stem):
            forget(folder / claim.name)
    discard(claims)


def leave(folder: Path, token: str) -> None:
    """Take the empty folder of this process away again."""
    with suppress(OSError):  # none was made, or work goes on in it
        (folder / f".{token}").rmdir()


def discard(path: Path) -> None:
    """Delete a file or a folder with all it holds, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _claim(final: Path, token: str) -> Path:
    claim = final.parent / f".{token}" / final.name
    claim.parent.mkdir(exist_ok=True)
    claim.touch()
    return claim
