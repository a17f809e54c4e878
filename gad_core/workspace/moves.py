"""Images moved into a data set and out of it, as the database has it: all of them once it has committed, else none.

A note of all moves is on the disk before the first; a process that dies leaves it to the next one, which asks the
database whether the change is on record and otherwise moves everything back.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gad_core.data.holding import flush
from gad_core.data.placing import placed

NOTE = "moves.json"


@dataclass(frozen=True)
class Moves:
    """Files to move, from and to, by a change of a data set that makes it `modified` then."""

    dataset_id: str
    modified: datetime
    files: Sequence[tuple[Path, Path]]

    @contextmanager
    def made(self, workshop: Path) -> Iterator[None]:
        """Make them while the block commits; if it fails, they are undone."""
        with placed(workshop / NOTE) as partial:
            partial.write_text(json.dumps(self._to_json(workshop.parents[1])), encoding="utf-8")
        try:
            for old, new in self.files:
                new.parent.mkdir(parents=True, exist_ok=True)
                old.rename(new)
            for folder in {new.parent for _, new in self.files}:
                flush(folder)
            _remove_empty(old.parent for old, _ in self.files)
            yield
        except BaseException:
            self.undo()
            raise

    def undo(self) -> None:
        """Move back what has been moved."""
        for old, new in reversed(self.files):
            if new.exists() and not old.exists():
                old.parent.mkdir(parents=True, exist_ok=True)
                new.rename(old)
        _remove_empty(new.parent for _, new in self.files)

    def _to_json(self, root: Path) -> dict[str, object]:
        files = [[path.relative_to(root).as_posix() for path in move] for move in self.files]
        return {"dataset": self.dataset_id, "modified": self.modified.isoformat(), "files": files}


def noted(root: Path, token: str) -> Iterator[tuple[Path, Moves]]:
    """The moves below the folder of data sets that a process, or any, has begun, each with its note."""
    for note in root.glob(f".{token}/*/{NOTE}"):
        with suppress(FileNotFoundError):  # its process ended well meanwhile
            values = json.loads(note.read_text(encoding="utf-8"))
            files = [(root / old, root / new) for old, new in values["files"]]
            yield note, Moves(values["dataset"], datetime.fromisoformat(values["modified"]), files)


def _remove_empty(folders: Iterator[Path]) -> None:
    """A type of defect without images is none."""
    for folder in set(folders):
        with suppress(OSError):  # something is left in it, or it is gone
            folder.rmdir()
