"""ZIP archives from anywhere, unpacked whole or not at all, and never outside their folder."""

import lzma
import os
import shutil
import stat
import struct
import zlib
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path, PurePosixPath, PureWindowsPath
from tempfile import TemporaryDirectory
from typing import IO
from zipfile import BadZipFile, ZipFile, ZipInfo

from gad_core.data.datasets import LAYOUT
from gad_core.data.opening import open_regular
from gad_core.errors import GadError
from gad_core.progress import Progress

MAX_BYTES = 16 * 2**30
MAX_FILES = 100_000
#: Photographs hardly shrink, and bare bitmaps of them some 10 times; a bomb shrinks 1,000 times and more.
MAX_RATIO = 200.0

#: What is not unpacked from within another archive.
ARCHIVES = frozenset({".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".7z", ".rar"})

_ENTRY = 1024  # bytes that an entry of the directory takes at most, on average: names are far shorter
_TAIL = 22 + 65535  # bytes in which the end of the directory lies: its record and a comment

#: What `zipfile` and its decompressors raise on damaged or unknown contents.
_DAMAGE = (BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, struct.error, ValueError)


def unpack_zip(
    source: bytes | Path,
    into: Path,
    *,
    max_bytes: int = MAX_BYTES,
    max_files: int = MAX_FILES,
    max_ratio: float = MAX_RATIO,
    progress: Progress | None = None,
) -> None:
    """Unpack a ZIP archive into the new folder `into`; after an error or a cancel there is no such folder.

    Hidden files and __MACOSX are left out, and a single folder around everything is taken off, so that a zipped
    category lands in MVTec layout. Raises `GadError` for archives that are damaged, encrypted or empty, that would
    write outside `into` or hold links, devices or other archives, or that unpack to more than `max_bytes`, `max_files`,
    or `max_ratio` times their own size.
    """
    if into.exists():
        raise GadError(f"{into} exists already; choose another name or remove it first")
    try:
        with ExitStack() as stack:
            stream: IO[bytes] = open_regular(source) if isinstance(source, Path) else BytesIO(source)
            stack.enter_context(stream)
            packed = stream.seek(0, os.SEEK_END)
            _check_directory(stream, packed, max_files=max_files)
            archive = stack.enter_context(ZipFile(stream))
            scratch = stack.enter_context(TemporaryDirectory(dir=into.parent, prefix=".unpacking-"))
            _check_size(archive, packed, max_bytes=max_bytes, max_files=max_files, max_ratio=max_ratio)
            members = _members(archive)
            folder = Path(scratch, "content")
            for done, (path, info) in enumerate(members.items(), 1):
                _write(archive, info, folder / path)
                if progress is not None:
                    progress(done, len(members))
            folder.rename(into)
    except _DAMAGE as error:
        raise GadError("the ZIP archive is damaged or of an unknown kind; pack or copy it again") from error
    except OSError as error:
        why = error.strerror or error
        raise GadError(f"the ZIP archive cannot be unpacked ({why}); check the file and the free space") from error


def _check_directory(stream: IO[bytes], packed: int, *, max_files: int) -> None:
    """Refuse a directory too large for `max_files` before `zipfile` makes objects of all its entries."""
    stream.seek(max(0, packed - _TAIL))
    tail = stream.read()
    sizes = [_number(tail, b"PK\5\6", 12, "<I"), _number(tail, b"PK\6\6", 40, "<Q")]  # the second in ZIP64
    if any(max_files * _ENTRY < size < packed for size in sizes):
        raise GadError(f"the ZIP archive lists far more than the {max_files} files that are unpacked; split it")


def _number(tail: bytes, record: bytes, offset: int, kind: str) -> int:
    """What the last record of a kind says at an offset; 0 where there is none."""
    at = tail.rfind(record) + offset
    if at < offset or at + struct.calcsize(kind) > len(tail):
        return 0
    return int(struct.unpack_from(kind, tail, at)[0])


def _check_size(archive: ZipFile, packed: int, *, max_bytes: int, max_files: int, max_ratio: float) -> None:
    """Refuse by the declared sizes; `zipfile` itself reads no more of a member than its header declares."""
    entries = archive.infolist()
    unpacked = sum(info.file_size for info in entries)
    if len(entries) > max_files:
        raise GadError(f"the ZIP archive holds {len(entries)} files and at most {max_files} are unpacked; split it")
    if unpacked > max_bytes:
        have, limit = unpacked / 2**30, max_bytes / 2**30
        raise GadError(f"the ZIP archive unpacks to {have:.3g} GiB and at most {limit:.3g} GiB are unpacked; split it")
    if unpacked > max_ratio * packed:
        raise GadError(
            f"the ZIP archive unpacks to {unpacked / packed:.0f} times its size and at most {max_ratio:g} times is "
            "taken for images; pack only the images"
        )


def _members(archive: ZipFile) -> dict[PurePosixPath, ZipInfo]:
    """The files to write and where, checked one by one."""
    members: dict[PurePosixPath, ZipInfo] = {}
    for info in archive.infolist():
        path = _safe_path(info)
        if info.filename.endswith(("/", "\\")) or any(part[0] == "." or part == "__MACOSX" for part in path.parts):
            continue
        if info.flag_bits & 1:
            raise GadError("the ZIP archive is encrypted; pack it again without a password")
        if path.suffix.lower() in ARCHIVES:
            raise GadError(
                f"the ZIP archive holds another archive ({path}); unpack that and pack the images themselves"
            )
        if path in members:
            raise GadError(f"the ZIP archive holds {path} twice; pack it again with one of them")
        members[path] = info
    if not members:
        raise GadError("the ZIP archive holds no files; pack the folder with the images")
    tops = {path.parts[0] for path in members}
    wrapped = len(tops) == 1 and all(len(path.parts) > 1 for path in members) and not tops <= set(LAYOUT)
    return {PurePosixPath(*path.parts[1:]): info for path, info in members.items()} if wrapped else members


def _safe_path(info: ZipInfo) -> PurePosixPath:
    name = info.filename.replace("\\", "/")
    path = PurePosixPath(name)
    if not path.parts or path.is_absolute() or ".." in path.parts or PureWindowsPath(name).drive:
        raise GadError(f"the ZIP archive would write outside its folder ({name}); pack it again with relative paths")
    if (kind := stat.S_IFMT(info.external_attr >> 16)) not in {0, stat.S_IFREG, stat.S_IFDIR}:
        what = "a link" if kind == stat.S_IFLNK else "a pipe, a socket or a device"
        raise GadError(f"the ZIP archive holds {what} ({name}); pack it again with the file itself")
    return path


def _write(archive: ZipFile, info: ZipInfo, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(info) as packed, path.open("xb") as unpacked:
        shutil.copyfileobj(packed, unpacked, 2**20)
