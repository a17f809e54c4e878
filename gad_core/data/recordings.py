"""How images were recorded: lot, camera, format, size, by the files themselves and by a table that lies beside them."""

from collections.abc import Mapping
from pathlib import Path

from gad_core.data.datasets import ImageSet
from gad_core.data.groups import in_groups, parse_groups, table_columns
from gad_core.data.images import recorded
from gad_core.data.opening import read_regular
from gad_core.errors import GadError, ImageRefused

#: Tables of these names in a data set's folder say more: a column "file", and a column for each property.
TABLES = ("recordings.csv", "groups.csv")
UNKNOWN = "unknown"

_FILE = "file"

Properties = Mapping[str, tuple[str, ...]]  # a value an image


def recordings(images: ImageSet) -> Properties:
    """What the files themselves say, and their groups; a property that no file has is left out."""
    known = [_recorded(file.path) for file in images]
    names = dict.fromkeys(name for one in known for name in one)
    found = {name: tuple(one.get(name, UNKNOWN) for one in known) for name in names}
    groups = images.groups
    return found if groups is None else {"group": tuple(group or UNKNOWN for group in groups)} | found


def recordings_beside(images: ImageSet, root: Path) -> Properties:
    """What the tables in a data set's folder say; nothing where there is none. Raises as `recordings_in` does."""
    found: dict[str, tuple[str, ...]] = {}
    for table in (root / name for name in TABLES):
        if table.is_file():
            found |= recordings_in(images, read_regular(table), name=table.name)
    return found


def recordings_in(images: ImageSet, table: bytes, *, name: str) -> Properties:
    """Every column of a CSV table but the files'; an image without a line is unknown to it.

    Raises `GadError` for what is no table, lacks the column file or means two images by one line.
    """
    columns = [column for column in table_columns(table, name=name) if column != _FILE]
    if not columns:
        raise GadError(f"{name} has no column beside {_FILE!r}; add one for each property, such as lot or camera")
    found = {}
    for column in columns:
        rows = parse_groups(table, name=name, columns=(_FILE, column))
        grouped = in_groups(images, rows, what=column, partly=True)
        found[column] = tuple(file.group or UNKNOWN for file in grouped)
    return found


def _recorded(path: Path) -> dict[str, str]:
    try:
        return recorded(path)
    except ImageRefused:  # gone or damaged since it was read
        return {}
