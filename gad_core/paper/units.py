"""What an experiment is made of: units of work whose results lie on disk, so that none is done twice."""

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gad_core.data.placing import placed
from gad_core.progress import Progress

#: One measured number and what it belongs to, in plain values; "value" is the number.
Row = dict[str, Any]


@dataclass(frozen=True)
class Unit:
    """Work that gives rows; what it was asked for decides where they lie."""

    category: str
    what: str  # of letters that a path may have
    facts: Any  # all that decides the rows, in plain values
    seconds: float  # what it takes, roughly: its share of a bar
    run: Callable[[Path, Progress], list[Row]]  # takes a folder for what it keeps on the way

    @property
    def name(self) -> str:
        """The name of its results: two units with the same one are the same."""
        return name_of(self.category, self.what, self.facts)


def name_of(category: str, what: str, facts: Any) -> str:
    """A name that tells what was asked for from anything else, of letters that a path may have."""
    words = json.dumps([category, what, facts], sort_keys=True)
    safe = re.sub(r"[^\w.-]", "_", category)[:60]
    return f"{safe}-{what}-{hashlib.sha256(words.encode()).hexdigest()[:16]}"


def run_units(units: Sequence[Unit], folder: Path, *, progress: Progress | None = None) -> dict[str, list[Row]]:
    """Give the rows of each unit by its name, doing those that `folder` does not hold; each row says its category.

    Raises `GadError` where the folder cannot be written.
    """
    wanted = {unit.name: unit for unit in units}
    sizes = {name: max(1, round(10 * unit.seconds)) for name, unit in wanted.items()}
    found, done, total = dict[str, list[Row]](), 0, sum(sizes.values())

    def share(done_before: int, size: int) -> Progress:
        return lambda done, of: progress(done_before + size * done // max(of, 1), total) if progress else None

    for name, unit in wanted.items():
        path = folder / f"{name}.json"
        rows = _read(path)
        if rows is None:
            kept = folder / "unfinished" / name
            rows = [{"category": unit.category, **row} for row in unit.run(kept, share(done, sizes[name]))]
            _write(path, rows)
            _forget(kept)
        found[name] = rows
        done += sizes[name]
        if progress:
            progress(done, total)
    return found


def find_units(units: Sequence[Unit], folder: Path) -> dict[str, list[Row]] | None:
    """The rows of all units by their names, where all of them have been done; nothing is done."""
    found = {unit.name: _read(folder / f"{unit.name}.json") for unit in units}
    return None if None in found.values() else {name: rows for name, rows in found.items() if rows is not None}


def _read(path: Path) -> list[Row] | None:
    try:
        rows: list[Row] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # not there, or damaged: then it is done again
        return None
    return rows


def _write(path: Path, rows: list[Row]) -> None:
    with placed(path) as partial:
        partial.write_text(json.dumps(rows), encoding="utf-8")


def _forget(folder: Path) -> None:
    """Remove what a unit kept on its way."""
    for path in folder.glob("*"):
        path.unlink(missing_ok=True)
    if folder.is_dir():
        folder.rmdir()
