"""Image files below a folder: every real folder once, however many links lead to it."""

import os
from collections import deque
from collections.abc import Callable
from pathlib import Path

from gad_core.data.images import IMAGE_SUFFIXES

#: Why a file is refused whose name is not printable as it is.
UNPRINTABLE = "its name is in an unknown encoding; rename it"

#: Called at every entry of a folder that is looked at; what it raises stops the walk.
Tick = Callable[[], object]

_KERNEL = ("/proc", "/sys", "/dev")
_Identity = tuple[int, int]  # device and inode


def is_image(path: Path) -> bool:
    """Whether a path is named like an image."""
    return path.suffix.lower() in IMAGE_SUFFIXES


def printable(path: Path | str) -> str:
    """A path for a message, whatever it is made of: as it is, unless its name is in no known encoding."""
    return str(path).encode(errors="backslashreplace").decode()


def image_paths(root: Path, *, tick: Tick | None = None) -> list[Path]:
    """Visible files named like images, at any depth, in the same order everywhere; no file is opened.

    A folder that is reached in several ways is listed once, by its own name rather than by that of a link. The
    kernel's own file systems (/proc, /sys, /dev) hold no images and are left out. Raises `OSError` and what `tick`
    raises.
    """
    found: list[Path] = []
    above = _above(root)
    seen, kernel = set[_Identity](), _kernel_devices()
    folders, links = deque([root]), deque[Path]()
    while folders or links:
        folder = (folders or links).popleft()
        here = _identity(folder)
        # By a link back up, all would come again.
        if here in seen or here[0] in kernel or (folder != root and here in above):
            continue
        seen.add(here)
        with os.scandir(folder) as entries:
            for entry in entries:
                if tick is not None:
                    tick()
                if entry.name.startswith("."):
                    continue
                if _is_folder(entry):
                    (links if entry.is_symlink() else folders).append(folder / entry.name)
                elif is_image(Path(entry.name)):
                    found.append(folder / entry.name)
    return sorted(found)


def _identity(folder: Path) -> _Identity:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _above(root: Path) -> set[_Identity]:
    """The folders in which `root` really lies."""
    found = set()
    for folder in Path(os.path.realpath(root)).parents:
        try:
            found.add(_identity(folder))
        except OSError:  # not ours to look at
            continue
    return found


def _kernel_devices() -> set[int]:
    """The devices of the file systems that the kernel makes up, where they are mounted."""
    disk = Path("/").stat().st_dev
    return {Path(name).stat().st_dev for name in _KERNEL if Path(name).is_dir()} - {disk}


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads in a circle is no folder; as an image it is refused by name
        return False
