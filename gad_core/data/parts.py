"""Which pictures show the same part: by their names, their folders, or a table."""

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Literal, get_args

from gad_core.data.datasets import ImageFile, ImageSet
from gad_core.data.groups import GroupTable, in_groups, read_groups
from gad_core.errors import GadError

Word = Literal["names", "folders"]
#: How parts are told: by names (partA_1.png, partA_2.png), by one folder each, or by a table of paths and parts.
Way = Word | GroupTable

#: Of a table of parts.
COLUMNS = ("path", "part")
_REPEATED = re.compile(r"(?P<part>.*\w)\s*(?:[ _.-]\d+|\(\d+\))")  # washer-7_2, washer 7 (2)


def read_parts(table: Path) -> GroupTable:
    """The parts in a CSV file that has the columns path and part; it is read as `read_groups` reads one."""
    return read_groups(table, columns=COLUMNS)


def parse_way(given: str | Path | None) -> Way | None:
    """How a person says it: "names", "folders", or the path of a table; None leaves it open."""
    if given is None:
        return None
    for word in get_args(Word):
        if given == word:
            return word  # type: ignore[no-any-return]
    return read_parts(Path(given))


def part_of(name: str) -> str | None:
    """The part that a file's name tells: what stands before its last number; None where no number is set apart."""
    found = _REPEATED.fullmatch(PurePath(name).stem)
    return found["part"] if found else None


def way_of(images: Sequence[ImageFile]) -> Word:
    """Folders where there are several that hold pictures of one name each, such as partA/1.png; else names."""
    folders: dict[Path, set[str | None]] = {}
    for file in images:
        folders.setdefault(file.path.parent, set()).add(part_of(file.path.name))
    return "folders" if len(folders) > 1 and all(len(names) == 1 for names in folders.values()) else "names"


def in_parts(images: ImageSet, way: Way | None = None) -> ImageSet:
    """The same images with the parts that they show as their groups; without a way as `way_of` finds.

    An image whose part a table leaves empty stands alone. Raises `GadError` for one whose part is not told, and for a
    picture that is there twice: a copy repeats nothing.
    """
    way = way or way_of(images.files)
    if way == "names":
        parted = replace(images, files=tuple(replace(file, group=_named(file)) for file in images))
    elif way == "folders":
        names = _folder_names([file.path.parent for file in images])
        parted = replace(
            images, files=tuple(replace(file, group=name) for file, name in zip(images, names, strict=True))
        )
    else:
        parted = in_groups(images, way, what="part")
    _refuse_copies(parted)
    return parted


def _named(file: ImageFile) -> str:
    part = part_of(file.path.name)
    if part is None:
        raise GadError(
            f"the name {file.path.name} tells no part; name pictures of one part partA_1.png, partA_2.png, put those "
            "of each into a folder of its own, or give a table with the columns path and part"
        )
    return part


def _folder_names(folders: Sequence[Path]) -> list[str]:
    """The name of each folder, with those above it where two would be the same."""
    if len({folder.name for folder in folders}) == len(set(folders)):
        return [folder.name for folder in folders]
    common = os.path.commonpath(folders)
    return [str(folder.relative_to(common)) for folder in folders]


def _refuse_copies(images: ImageSet) -> None:
    seen: dict[str, ImageFile] = {}
    for file in images:
        other = seen.setdefault(file.digest, file)
        if other is not file:
            raise GadError(
                f"{other.path.name} and {file.path.name} are the same picture; take a new one of the part for every "
                "repetition"
            )
