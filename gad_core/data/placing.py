"""A file put in its place whole: a reader finds the earlier one or the new one, never half of it."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gad_core.data.holding import STALE, flush, in_the_making, sweep
from gad_core.data.opening import refuse_special
from gad_core.errors import GadError


@contextmanager
def placed(path: Path, *, lasting: bool = True) -> Iterator[Path]:
    """Give a name beside `path` to write to; it becomes `path` when the block ends well, and is gone when it does not.

    It ends as `path` does, for libraries that tell formats by that. It takes the mode of the file that it replaces; a
    symbolic link stays, and what it leads to is replaced. When the block has ended, file and name are on the disk; what
    is disposable need not be `lasting`, and saves that time. Raises `GadError` where the folder cannot be written.
    """
    try:
        refuse_special(path)
        target = Path(os.path.realpath(path))
        target.parent.mkdir(parents=True, exist_ok=True)
        sweep(target.parent, older=STALE)
        with in_the_making(target.parent, target.suffix) as temporary:
            yield temporary
            if target.exists():
                temporary.chmod(stat.S_IMODE(target.stat().st_mode))
            if lasting:
                flush(temporary)
            temporary.replace(target)
        if lasting:
            flush(target.parent)
    except OSError as error:
        reason = error.strerror or error
        raise GadError(f"cannot write {path}: {reason}; free some space or choose another folder") from error
