"""Paths that lead to what is no file, in circles, out of sight, or nowhere; and names that are no text."""

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import Image

from gad_core.data.datasets import read_dataset, read_paths
from gad_core.data.digests import stamp
from gad_core.data.groups import read_groups
from gad_core.data.images import read_bytes
from gad_core.errors import GadError
from tests.attacks.attack import EITHER, Attack

Build = Callable[[Path], Path]
_UNKNOWN = "its name is in an unknown encoding; rename it"


def door(made: Path) -> tuple[object, str | None]:
    """How many images are there; or the first reason why one is not, where it is not a folder that is damaged alone.

    Every way in which a path is read is gone: as a data set, one by one, as bytes, as a table.
    """
    for read in (read_bytes, read_groups):
        with suppress(GadError):
            read(made)
    reasons = []
    for read in (read_dataset, lambda path: read_paths([path])):
        try:
            found = read(made)
        except GadError as error:
            reasons.append(str(error))
            continue
        sets = [found.train, found.test] if hasattr(found, "train") else [found]
        for images in sets:
            for one in images.refused:
                one.path.encode()
                reasons.append(one.reason)
            for file in images:
                assert stamp(file.path)
        n = sum(map(len, sets))
        if n:
            return n, None
    return None, "; ".join(reasons)


def attacks() -> Iterator[Attack]:
    """All of them."""
    for name, (build, expected) in {**_no_files(), **_circles(), **_names(), **_odd()}.items():
        yield Attack(name, build, expected)


def _images(folder: Path, n: int = 2, *, first: int = 0) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(first, first + n):
        pixels = np.random.default_rng(seed).integers(0, 256, (9, 9, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{seed:03}.png")
    return folder


def _pipe(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(path)
    return path


def _socket(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    here = Path.cwd()
    os.chdir(path.parent)  # a socket's name may not be long
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.chdir(here)
    return path


def _link(path: Path, to: Path | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(to)
    return path


def _among(make: Callable[[Path], object], name: str = "odd.png") -> Build:
    """Two images, and something else beside them."""

    def build(folder: Path) -> Path:
        make(_images(folder / "parts") / name)
        return folder / "parts"

    return build


def _no_files() -> dict[str, tuple[Build, object]]:
    return {
        "a pipe called image": (lambda folder: _pipe(folder / "a.png"), "it is a pipe, not a file"),
        "a socket called image": (lambda folder: _socket(folder / "a.png"), "it is a socket, not a file"),
        "a link to a device without end": (lambda folder: _link(folder / "a.png", "/dev/zero"), "it is a device"),
        "a link to a device that takes all": (lambda folder: _link(folder / "a.png", "/dev/null"), "it is a device"),
        "a link to a device that waits": (lambda folder: _link(folder / "a.png", "/dev/random"), "it is a device"),
        "a link to a pipe": (lambda folder: _link(folder / "a.png", _pipe(folder / "pipe")), "it is a pipe"),
        "a pipe in place of a folder": (lambda folder: _pipe(folder / "parts"), "is a file; give the folder"),
        "a socket in place of a folder": (lambda folder: _socket(folder / "parts"), "is a file; give the folder"),
        "a device in place of a folder": (lambda _: Path("/dev/null"), "is a file; give the folder"),
        "a pipe called table": (lambda folder: _pipe(folder / "a.csv"), "is a file; give the folder"),
        "a pipe among images": (_among(_pipe), 2),
        "a socket among images": (_among(_socket), 2),
        "a device among images": (_among(lambda path: _link(path, "/dev/zero")), 2),
        "a folder called image": (_among(lambda path: path.mkdir()), 2),
        "a folder of images called image": (_among(lambda path: _images(path, first=2)), 4),
        "a pipe among test images": (_category(lambda root: _pipe(root / "test/bent/odd.png")), 4),
        "a pipe in place of a mask": (_category(lambda root: _pipe(root / "ground_truth/bent/002_mask.png")), 4),
        "a link to a device in place of a mask": (
            _category(lambda root: _link(root / "ground_truth/bent/002_mask.png", "/dev/zero")),
            4,
        ),
    }


def _category(make: Callable[[Path], object]) -> Build:
    """A category with two images to fit and two with a defect, and something else."""

    def build(folder: Path) -> Path:
        _images(folder / "plug/train/good")
        _images(folder / "plug/test/bent", first=2)
        make(folder / "plug")
        return folder / "plug"

    return build


def _each_other(folder: Path) -> Path:
    for name, other in (("a", "b"), ("b", "a")):
        _link(_images(folder / "parts" / name, 4, first=4 * (name == "b")) / "other", f"../{other}")
    return folder / "parts"


def _all_others(folder: Path) -> Path:
    names = "abcdef"
    for place, name in enumerate(names):
        _images(folder / "parts" / name, 1, first=place)
        for other in names:
            _link(folder / "parts" / name / f"to_{other}", f"../{other}")
    return folder / "parts"


def _two_links(folder: Path) -> Path:
    inside = _images(folder / "parts" / "inside")
    for name in ("0_first", "z_last"):
        _link(folder / "parts" / name, inside)
    return folder / "parts"


def _outside(folder: Path) -> Path:
    _link(_images(folder / "parts") / "more", _images(folder / "elsewhere", first=2))
    _link(folder / "parts/again", folder / "elsewhere")
    return folder / "parts"


def _up(folder: Path) -> Path:
    _link(_images(folder / "parts/deep/deeper") / "up", folder)
    return folder / "parts"


def _itself(folder: Path) -> Path:
    _link(_images(folder / "parts") / "same", ".")
    return folder / "parts"


def _ring(folder: Path) -> Path:
    for name, other in (("a.png", "b.png"), ("b.png", "c.png"), ("c.png", "a.png")):
        _link(folder / "parts" / name, other)
    return folder / "parts"


def _chain(folder: Path) -> Path:
    at = _images(folder / "parts")
    for place in range(60):
        at = _link(folder / f"link{place}", at)
    return at


def _circles() -> dict[str, tuple[Build, object]]:
    return {
        "folders that link to each other": (_each_other, 8),
        "six folders that each link to all": (_all_others, 6),
        "two links to a folder beside them": (_two_links, 2),
        "two links to a folder elsewhere": (_outside, 4),
        "a link back up": (_up, 2),
        "a link to its own folder": (_itself, 2),
        "links in a ring called images": (_ring, "Too many levels of symbolic links"),
        "a link to itself in place of a folder": (
            lambda folder: _link(folder / "self", "self"),
            "Too many levels of symbolic links",
        ),
        "a link to itself called image": (
            lambda folder: _link(folder / "self.png", "self.png"),
            "Too many levels of symbolic links",
        ),
        "a link to itself among images": (_among(lambda path: _link(path, path.name)), 2),
        "sixty links one after the other": (_chain, "Too many levels of symbolic links"),
        "a link to nothing": (lambda folder: _link(folder / "a.png", "gone.png"), "No such file|there is no"),
        "a link to nothing among images": (_among(lambda path: _link(path, "gone.png")), 2),
        "a link to a folder in place of one": (
            lambda folder: _link(folder / "link", _images(folder / "parts")),
            2,
        ),
        "test images that are a link to those to fit": (
            _category(lambda root: _link(root / "test/good", "../train/good")),
            6,
        ),
        "a defect that is a link to another": (_category(lambda root: _link(root / "test/aaa", "bent")), 4),
        "this process": (lambda _: Path("/proc/self"), "there are no images in"),
        "the folder that this process is in": (lambda _: Path("/proc/self/task"), "there are no images in"),
        "all processes": (lambda _: Path("/proc"), "there are no images in"),
        "what the kernel tells": (lambda _: Path("/sys"), "there are no images in"),
        "what devices there are": (lambda _: Path("/dev"), "there are no images in"),
        "what this process has open": (lambda _: Path("/proc/self/fd"), "there are no images in"),
        "a link to this process among images": (_among(lambda path: _link(path, "/proc/self"), "self"), 2),
        "a link to devices among images": (_among(lambda path: _link(path, "/dev"), "dev"), 2),
    }


def _names() -> dict[str, tuple[Build, object]]:
    def called(name: str | bytes) -> Build:
        def build(folder: Path) -> Path:
            target = os.path.join(os.fsencode(_images(folder / "parts")), os.fsencode(name))  # noqa: PTH118 - bytes
            shutil.copyfile(os.fsencode(folder / "parts/000.png"), target)
            return folder / "parts"

        return build

    def unknown(folder: Path) -> Path:
        called(b"\xff\xfe.png")(folder)
        for name in ("000.png", "001.png"):
            (folder / "parts" / name).unlink()
        return folder / "parts"

    def in_unknown(folder: Path) -> Path:
        root = Path(os.fsdecode(os.fsencode(folder) + b"/\xff"))
        return _images(root)

    texts = [
        "<img src=x onerror=alert(1)>.png",
        "![x](http:example.invalid).png",
        ":material:home: :red[x].png",
        "=1+1.png",
        "+1.png",
        "-rf.png",
        "@SUM(A1).png",
        "\t=1.png",
        "a\nb.png",
        "\x1b[31mred.png",
        "\u202egnp.exe.png",
        "a,b;c.png",
        'a"b.png',
        "a'b.png",
        "$(reboot).png",
        "a b.PNG",
        "e\u0301.png",
        "..png",
    ]
    found: dict[str, tuple[Build, object]] = {
        f"an image called {text!r}": (called(text), 2 if text.startswith(".") else 3) for text in texts
    }
    return found | {
        "an image whose name is no text": (unknown, _UNKNOWN),
        "an image whose name is no text, among others": (called(b"\xff\xfe.png"), 2),
        "a folder whose name is no text": (in_unknown, _UNKNOWN),
        "a path with a NUL": (lambda folder: folder / "a\0b", "no file|can be no file"),
        "an image's path with a NUL": (lambda folder: folder / "a\0b.png", "can have such a name|can be no file"),
        "a path with half a letter": (lambda folder: folder / "a\ud800b", "can be no file|unknown encoding"),
        "a name of 300 letters": (lambda folder: folder / ("a" * 300), "File name too long"),
        "a path of 10,000 letters": (lambda folder: folder / "/".join(["a" * 99] * 100), "File name too long"),
        "an empty path": (lambda _: Path(), EITHER),
        "a path that is not there": (lambda folder: folder / "gone", "there is no .*gone; check the path"),
        "a path below a file": (lambda folder: _images(folder / "parts") / "000.png/more", "give the folder|is a file"),
    }


def _odd() -> dict[str, tuple[Build, object]]:
    def deep(folder: Path) -> Path:
        _images(folder.joinpath("parts", *["d"] * 150))
        return folder / "parts"

    def hard(folder: Path) -> Path:
        (_images(folder / "parts") / "same.png").hardlink_to(folder / "parts/000.png")
        return folder / "parts"

    def hidden(folder: Path) -> Path:
        _images(folder / "parts/.hidden")
        return folder / "parts"

    def loose(folder: Path) -> Path:
        _images(folder / "plug/train/good")
        _images(folder / "plug/test", first=2)
        return folder / "plug"

    return {
        "images 150 folders down": (deep, 2),
        "an image under two names": (hard, 3),
        "images out of sight": (hidden, "there are no images"),
        "a folder of nothing": (lambda folder: folder, "there are no images"),
        "defects called Good": (_category(lambda root: _images(root / "test/Good", first=9)), 4),
        "defects called GOOD with a blank": (_category(lambda root: _images(root / "test/GOOD ", first=9)), 4),
        "defects called good in wide letters": (_category(lambda root: _images(root / "test/ｇｏｏｄ", first=9)), 4),
        "defects called goodness": (_category(lambda root: _images(root / "test/goodness", first=9)), 6),
        "test images of no kind": (loose, 2),
        "text called image among images": (_among(lambda path: path.write_text("a list")), 2),
        "nothing called image among images": (_among(lambda path: path.touch()), 2),
    }
