"""A file put in its place whole: a reader finds the earlier one or the new one, never half of it."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gad_core.data.opening import refuse_special
from gad_core.errors import GadError


@contextmanager
def placed(path: Path) -> Iterator[Path]:
    """Give a name beside `path` to write to; it becomes `path` when the block ends well, and is gone when it does not.

    It ends as `path` does, for libraries that tell formats by that. Raises `GadError` where the folder cannot be
    written.
    """
    temporary = path.with_name(f".{secrets.token_hex(4)}.{path.name}")
    try:
        refuse_special(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or error
        raise GadError(f"cannot write {path}: {reason}; free some space or choose another folder") from error
