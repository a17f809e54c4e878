"""Which normal images belong together (a lot, a session, a camera), and the folds that respect it."""

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gad_core.data.datasets import ImageSet, reading
from gad_core.data.opening import read_regular
from gad_core.errors import GadError

#: Pairs of a file and its group: as much of the end of a path as tells the images apart ("lot7/003.png"), or a
#: content digest; group None: it stands alone.
GroupTable = tuple[tuple[str, str | None], ...]
#: Images of one folder together, images of one group of a table together, or each alone.
Groups = Literal["folder"] | GroupTable | None


#: Of a table of groups.
COLUMNS = ("file", "group")
_DIGEST = 64  # characters of a SHA-256
_MOST = 64 * 2**20  # bytes of a table: a line for each of a million images takes less
_SHOWN = 80  # characters of a first line that a message repeats


@reading()
def read_groups(table: Path, *, columns: tuple[str, str] = COLUMNS) -> GroupTable:
    """The groups in a CSV file (UTF-8; comma, semicolon or tab) that has the columns file and group.

    An empty group says that the image stands alone. Raises `GadError` for a file that cannot be read, lacks a column or
    puts one image into two groups.
    """
    return parse_groups(read_regular(table), name=str(table), columns=columns)


def parse_groups(table: bytes, *, name: str, columns: tuple[str, str] = COLUMNS) -> GroupTable:
    """The same from the bytes of a file called `name`."""
    of_file, of_group = columns
    groups: dict[str, str | None] = {}
    for row in _rows(table, name, columns):
        file, group = (row[of_file] or "").replace("\\", "/"), row[of_group] or None
        if groups.setdefault(file, group) != group:
            raise GadError(
                f"{name} puts {file} into two {of_group}s, {groups[file]} and {group}; keep one of the lines"
            )
    return tuple(groups.items())


def table_columns(table: bytes, *, name: str) -> tuple[str, ...]:
    """The columns of a table of files; raises as `parse_groups` does, and where the column file is missing."""
    rows = _rows(table, name, COLUMNS[:1])
    return tuple(column for column in (rows[0] if rows else ()) if column)


def _rows(table: bytes, name: str, columns: tuple[str, ...]) -> list[dict[str, str | None]]:
    """The lines of a table by column; raises `GadError` for what is none."""
    if len(table) > _MOST:
        raise GadError(f"{name} is larger than {_MOST >> 20} MiB; keep the lines about these images alone")
    if b"\0" in table:  # as in UTF-16, which would otherwise read as letters with gaps
        raise GadError(f"{name} is no UTF-8 text; save it as CSV in UTF-8")
    try:
        lines = table.decode("utf-8-sig").splitlines() or [""]
    except UnicodeDecodeError as error:
        raise GadError(f"{name} is no UTF-8 text; save it as CSV in UTF-8") from error
    try:
        rows = csv.DictReader(lines, delimiter=max(",;\t", key=lines[0].count))  # spreadsheets write all three
        heads = Counter(rows.fieldnames or ())
        if not set(columns) <= set(heads):
            first = lines[0] if len(lines[0]) <= _SHOWN else f"{lines[0][:_SHOWN]} ..."
            needed = f"column{'s' if len(columns) > 1 else ''} {' and '.join(columns)}"
            raise GadError(f"{name} needs the {needed}, got {first!r}; add them to its first line")
        if twice := [column for column in columns if heads[column] > 1]:
            raise GadError(f"{name} has the column {twice[0]} {heads[twice[0]]} times; keep one of them")
        return list(rows)
    except csv.Error as error:
        raise GadError(f"{name} is no table ({error}); save it as CSV with short cells") from error


def in_groups(images: ImageSet, groups: Groups, *, what: str = "group", partly: bool = False) -> ImageSet:
    """The same images with their groups; errors call one `what` the table calls it.

    Unless the table may speak `partly` of them, every image needs a line in a table of files; lines about other files
    are passed over. An image that a table of
    digests lacks stands alone. Raises `GadError` for an image without a line, and for a line that means two images.
    """
    if groups is None:
        return images
    if groups == "folder":
        return replace(images, files=tuple(replace(file, group=str(file.path.parent)) for file in images))
    known = {PurePosixPath(name): group for name, group in groups}
    of_digests = all(len(name) == _DIGEST for name, _ in groups)
    taken: dict[PurePosixPath, Path] = {}
    grouped = []
    for file in images:
        parts = file.path.absolute().parts
        ends = (PurePosixPath(file.digest), *(PurePosixPath(*parts[i:]) for i in range(len(parts))))
        name = next((end for end in ends if end in known), None)
        if name is None and (of_digests or partly):
            grouped.append(replace(file, group=None))
            continue
        if name is None:
            raise GadError(
                f"the table of {what}s has no line for {file.path}; add one (with an empty {what} if it stands alone)"
            )
        if str(name) != file.digest and taken.setdefault(name, file.path) != file.path:
            raise GadError(
                f"{name} in the table of {what}s means both {taken[name]} and {file.path}; give more of them"
            )
        grouped.append(replace(file, group=known[name]))
    return replace(images, files=tuple(grouped))


def k_folds(n: int, k: int, *, groups: Sequence[str | None] | None = None, seed: int = 0) -> NDArray[np.intp]:
    """Random fold ids (n,) in 0..k-1, in sizes as equal as the groups allow; no group spans two folds.

    Images whose group is None stand alone. Raises `GadError` unless 2 <= k <= the number of groups.
    """
    members = _members(n, groups)
    if not 2 <= k <= len(members):
        raise GadError(f"needed 2 to {len(members)} folds (the number of groups), got {k}; change k or add groups")
    shuffled = [members[i] for i in np.random.default_rng(seed).permutation(len(members))]
    folds, sizes = np.empty(n, np.intp), np.zeros(k, np.intp)
    for group in sorted(shuffled, key=len, reverse=True):  # the largest first, each into the emptiest fold
        fold = sizes.argmin()
        folds[group] = fold
        sizes[fold] += len(group)
    return folds


def default_folds(n: int, *, groups: Sequence[str | None] | None = None) -> int:
    """Folds for n images: 20 up to 1,000, 10 up to 5,000, then 5; never more than there are groups.

    Where n < D the Gaussian of a few folds is worse than the full one, which would make thresholds too timid.
    """
    return min(20 if n <= 1000 else 10 if n <= 5000 else 5, len(_members(n, groups)))


def _members(n: int, groups: Sequence[str | None] | None) -> list[list[int]]:
    """The images of each group; an image without one is a group of its own."""
    members: dict[int | str, list[int]] = {}
    for i, group in zip(range(n), groups or [None] * n, strict=True):
        members.setdefault(i if group is None else group, []).append(i)
    return list(members.values())
