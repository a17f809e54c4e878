"""ZIP archives that lead out of their folder, hold what is no file, are bombs, are damaged, or are only odd."""

import stat
import struct
import warnings
from collections.abc import Iterator, Sequence
from functools import partial
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZIP_STORED, ZipFile, ZipInfo

import numpy as np

from gad_core.data.archives import unpack_zip
from gad_core.data.images import encode_png
from gad_core.errors import GadError
from tests.attacks.attack import EITHER, Attack

_IMAGE = encode_png(np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8))
_OUT = "would write outside its folder"
_DAMAGED = "is damaged or of an unknown kind; pack or copy it again"
_LIMITS = {"max_files": 50, "max_bytes": 2**20}


def door(made: bytes) -> tuple[object, str | None]:
    """How many files came out; nothing may lie beside them."""
    with TemporaryDirectory() as scratch:
        into = Path(scratch, "place", "into")
        into.parent.mkdir()
        try:
            unpack_zip(made, into, **_LIMITS)
        except GadError as error:
            assert list(into.parent.iterdir()) == []
            return None, str(error)
        finally:
            assert [path.name for path in Path(scratch).iterdir()] == ["place"]
        found = [path for path in into.rglob("*") if not path.is_dir()]
        assert all(path.is_file() and not path.is_symlink() for path in found)
        return len(found), None


def attacks() -> Iterator[Attack]:
    """All of them."""
    for name, (content, expected) in {**_ways_out(), **_no_files(), **_bombs(), **_damaged(), **_odd()}.items():
        yield Attack(f"a ZIP {name}", partial(_given, content), expected)
    whole = _zip([("a.png", _IMAGE), ("b/c.png", _IMAGE)])
    heads = [whole.index(b"PK\3\4"), whole.index(b"PK\1\2"), whole.rindex(b"PK\5\6")]
    for head, length in zip(heads, (30, 46, 22), strict=True):
        for place in range(4, length, 2):
            for turn in (0x01, 0xFF):
                flipped = bytearray(whole)
                flipped[head + place] ^= turn
                name = f"a ZIP with byte {place} of record {whole[head + 2]:x} turned by {turn:x}"
                yield Attack(name, partial(_given, bytes(flipped)), EITHER)


def _given(content: bytes, _: Path) -> bytes:
    return content


def _zip(members: Sequence[tuple[str | ZipInfo, bytes]], compression: int = ZIP_DEFLATED) -> bytes:
    stream = BytesIO()
    with ZipFile(stream, "w", compression) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about names that come twice
        for name, content in members:
            archive.writestr(name, content)
    return stream.getvalue()


def _with(*names: str) -> bytes:
    return _zip([("good.png", _IMAGE), *((name, _IMAGE) for name in names)])


def _special(kind: int, content: bytes = b"/etc") -> bytes:
    info = ZipInfo("odd.png")
    info.external_attr = (kind | 0o777) << 16
    return _zip([("good.png", _IMAGE), (info, content)])


def _ways_out() -> dict[str, tuple[bytes, object]]:
    names = [
        "../a.png",
        "../../a.png",
        "b/../../a.png",
        "b/../../../etc/cron.d/a.png",
        "/etc/a.png",
        "//server/share/a.png",
        "..\\a.png",
        "b\\..\\..\\a.png",
        "C:\\a.png",
        "C:a.png",
        "\\\\server\\share\\a.png",
        "..",
        "./../a.png",
        "b/..",
    ]
    found: dict[str, tuple[bytes, object]] = {f"with {name!r}": (_with(name), _OUT) for name in names}
    link = ZipInfo("folder")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    through = _zip([(link, b"/etc"), ("folder/a.png", _IMAGE)])
    return found | {"that writes through a link": (through, "holds a link")}


def _no_files() -> dict[str, tuple[bytes, object]]:
    nested = (
        "inner.zip",
        "inner.ZIP",
        "inner.tar",
        "inner.tar.gz",
        "inner.tgz",
        "inner.7z",
        "inner.rar",
        "b/inner.zip",
    )
    inner: dict[str, tuple[bytes, object]] = {
        f"within a ZIP as {name}": (_zip([("good.png", _IMAGE), (name, _with("a.png"))]), "holds another archive")
        for name in nested
    }
    return inner | {
        "with a link": (_special(stat.S_IFLNK), "holds a link"),
        "with a pipe": (_special(stat.S_IFIFO), "holds a pipe, a socket or a device"),
        "with a socket": (_special(stat.S_IFSOCK), "holds a pipe, a socket or a device"),
        "with a character device": (_special(stat.S_IFCHR), "holds a pipe, a socket or a device"),
        "with a block device": (_special(stat.S_IFBLK), "holds a pipe, a socket or a device"),
        "with a file that anybody may run": (_special(stat.S_IFREG | stat.S_ISUID, _IMAGE), 2),
        "of nothing": (_zip([]), "holds no files"),
        "of a folder": (_zip([("folder/", b"")]), "holds no files"),
        "of hidden files": (_zip([(".a.png", _IMAGE), ("__MACOSX/b.png", _IMAGE)]), "holds no files"),
    }


def _bombs() -> dict[str, tuple[bytes, object]]:
    truth = _zip([("a.png", bytes(500_000))])

    def lying(size: int, record: bytes, offset: int) -> bytes:
        data = bytearray(truth)
        struct.pack_into("<I", data, data.index(record) + offset, size)
        return bytes(data)

    end = bytearray(_with())
    struct.pack_into("<I", end, len(end) - 10, 200_000)  # bytes of a directory
    overlapping = bytearray(_zip([(f"{i}.png", bytes(300_000)) for i in range(3)], ZIP_DEFLATED))
    first = overlapping.index(b"PK\1\2")
    for _ in range(2):
        first = overlapping.index(b"PK\1\2", first + 4)
        struct.pack_into("<I", overlapping, first + 42, 0)  # all of them begin at the first
    return {
        "that unpacks to 480 times its size": (truth, "times its size and at most 200 times"),
        "of 51 files": (_zip([(f"{i}.png", _IMAGE) for i in range(51)]), "51 files and at most 50"),
        "of 60,000 files": (_zip([(f"{i}", b"") for i in range(60_000)]), "lists far more than the 50 files"),
        "of 70,000 files, in ZIP64": (_zip([(f"{i}", b"") for i in range(70_000)]), "lists far more than the 50 files"),
        "that unpacks to 2 MiB": (
            _zip([("a.png", np.random.default_rng(0).bytes(2**21))], ZIP_STORED),
            "GiB are unpacked; split it",
        ),
        "that says it is smaller": (lying(1000, b"PK\1\2", 24), "the ZIP archive"),
        "that says it is empty": (lying(0, b"PK\1\2", 24), EITHER),
        "that says it holds 4 GiB": (lying(2**32 - 2, b"PK\1\2", 24), "unpacks to|GiB"),
        "that says it is packed in 4 GiB": (lying(2**32 - 2, b"PK\1\2", 20), "the ZIP archive"),
        "that begins beyond its end": (lying(2**32 - 2, b"PK\1\2", 42), "the ZIP archive"),
        "whose directory is larger than it is": (bytes(end), _DAMAGED),
        "whose files overlap": (bytes(overlapping), "times its size|is damaged"),
    }


def _damaged() -> dict[str, tuple[bytes, object]]:
    whole = _with("b.png")
    sealed = bytearray(whole)
    for record, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        sealed[sealed.index(record) + offset] |= 1
    found: dict[str, tuple[bytes, object]] = {
        "that is sealed": (bytes(sealed), "is encrypted; pack it again without a password"),
        "of nothing at all": (b"", _DAMAGED),
        "that is text": (b"a shopping list", _DAMAGED),
        "that is an image": (_IMAGE, _DAMAGED),
        "that is a RAR": (b"Rar!\x1a\7\0" + bytes(99), _DAMAGED),
        "that is a 7z": (b"7z\xbc\xaf\x27\x1c" + bytes(99), _DAMAGED),
        "that is a gzip": (b"\x1f\x8b\x08" + bytes(99), _DAMAGED),
        "of its first letters": (b"PK", _DAMAGED),
        "of its end alone": (whole[whole.rindex(b"PK\5\6") :], EITHER),
        "without its directory": (whole[: whole.index(b"PK\1\2")], _DAMAGED),
        "without its end": (whole[:-22], _DAMAGED),
        "with a false checksum": (_false_checksum(whole), _DAMAGED),
    }
    for part in (0.1, 0.5, 0.9, 0.99):
        found[f"cut at {part:.0%}"] = (whole[: int(part * len(whole))], _DAMAGED)
    for kind, name in ((ZIP_STORED, "stored"), (ZIP_DEFLATED, "deflated"), (ZIP_BZIP2, "bzip2"), (ZIP_LZMA, "LZMA")):
        data = bytearray(_zip([("a.png", _IMAGE * 9)], kind))
        data[80:90] = b"\xff" * 10
        found[f"damaged within, {name}"] = (bytes(data), "the ZIP archive")
    for method in (1, 6, 9, 93, 97, 99):
        data = bytearray(whole)
        for record, offset in ((b"PK\3\4", 8), (b"PK\1\2", 10)):
            struct.pack_into("<H", data, data.index(record) + offset, method)
        found[f"packed by method {method}"] = (bytes(data), _DAMAGED)
    return found


def _false_checksum(whole: bytes) -> bytes:
    data = bytearray(whole)
    data[data.index(b"PK\1\2") + 16] ^= 0xFF
    return bytes(data)


def _odd() -> dict[str, tuple[bytes, object]]:
    names = [
        "<img src=x onerror=alert(1)>.png",
        "![x](http://example.invalid/x.png).png",
        ":material/home: :red[x].png",
        "=cmd|' /C calc'!A0.png",
        "\x1b[31mred\x1b[0m.png",
        "a\nb.png",
        "\u202egnp.exe.png",
        "😀.png",
        "größe.png",
        "-rf.png",
        " a .png",
        "$(reboot).png",
        "a;b&c|d.png",
        "%2e%2e%2fa.png",
        "CON.png",
        "a" * 200 + ".png",
        "/".join(["d"] * 60) + "/a.png",
    ]
    found: dict[str, tuple[bytes, object]] = {f"with {name[:40]!r}": (_with(name), 2) for name in names}
    return found | {
        "with a name of 300 letters": (_with("a" * 300 + ".png"), "cannot be unpacked .*File name too long"),
        "with a NUL in a name": (_with("a.png").replace(b"a.png", b"a\0png"), EITHER),
        "with a name in no encoding": (_with("ä.png").replace("ä".encode(), b"\xff\xfe"), _DAMAGED),
        "with one name twice": (_with("a.png", "a.png"), "holds a.png twice"),
        "with one place in two ways": (_with("b/a.png", "b\\a.png"), "holds b/a.png twice"),
        "with a file that is a folder as well": (_with("b", "b/a.png"), "cannot be unpacked"),
        "with names that differ in case": (_with("a.png", "A.PNG"), EITHER),
        "with names that differ in their accents' form": (_with("\u00e9.png", "e\u0301.png"), EITHER),
        "with a comment of 60 kB": (_with()[:-2] + struct.pack("<H", 60_000) + b"PK\5\6" + bytes(59_996), EITHER),
        "behind a program": (b"#!/bin/sh\nreboot\n" + _with("a.png"), 2),
        "behind another": (_with("x.png", "y.png", "z.png") + _with("a.png"), 2),
        "in a folder of its own": (_zip([("top/a.png", _IMAGE), ("top/b.png", _IMAGE)]), 2),
        "of files without bytes": (_zip([("a.png", b""), ("b.png", b"")]), EITHER),
    }
