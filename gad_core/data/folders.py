"""The folders of this machine, as somebody looks through them for images."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gad_core.data.datasets import LAYOUT, reading
from gad_core.data.images import IMAGE_SUFFIXES
from gad_core.errors import GadError

_MOST = 2000  # entries of a folder that are looked at: an archive of a million images must not hold up a page


@dataclass(frozen=True)
class Folder:
    """A folder: the images that lie in it (at least so many), and whether it is a category in MVTec layout."""

    path: Path
    n_images: int
    category: bool


@dataclass(frozen=True)
class Listing:
    """A folder with the sub-folders that may be read, by name."""

    folder: Folder
    folders: tuple[Folder, ...]


def list_folder(path: Path) -> Listing:
    """Look into a folder; hidden sub-folders and those that may not be read are left out.

    Raises `GadError` where there is none, or where it may not be read.
    """
    root = path.expanduser().absolute()
    with reading():
        names = sorted((entry.name for entry in _entries(root) if _is_folder(entry)), key=str.casefold)
        folders = [found for name in names if (found := _look(root / name)) is not None]
        return Listing(_folder(root), tuple(folders))


def check_folder(path: Path) -> Path:
    """Return the folder's absolute path; raises `GadError` where there is none or where no image can be expected."""
    with reading():
        folder = _folder(path.expanduser().absolute())
    if not folder.category and not folder.n_images:
        raise GadError(
            f"there are no images in {folder.path}; choose a folder of images, or one with the sub-folder train/good"
        )
    return folder.path


def _folder(path: Path) -> Folder:
    entries = list(_entries(path))
    images = sum(os.path.splitext(entry.name)[1].lower() in IMAGE_SUFFIXES for entry in entries)  # noqa: PTH122 - strings
    names = {entry.name for entry in entries if _is_folder(entry)}
    return Folder(path, images, LAYOUT[0] in names and (path / LAYOUT[0] / "good").is_dir())


def _look(path: Path) -> Folder | None:
    try:
        return _folder(path)
    except OSError:
        return None


def _entries(path: Path) -> Iterator["os.DirEntry[str]"]:
    with os.scandir(path) as entries:
        for _, entry in zip(range(_MOST), entries, strict=False):
            yield entry


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir() and not entry.name.startswith(".")
    except OSError:  # a link that leads in a circle
        return False
