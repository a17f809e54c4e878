"""ZIP archives from anywhere, unpacked whole or not at all, and never outside their folder."""

import lzma
import shutil
import stat
import struct
import zlib
from io import BytesIO
from pathlib import Path, PurePosixPath, PureWindowsPath
from tempfile import TemporaryDirectory
from zipfile import BadZipFile, ZipFile, ZipInfo

from gad_core.data.datasets import LAYOUT
from gad_core.errors import GadError
from gad_core.progress import Progress

MAX_BYTES = 16 * 2**30
MAX_FILES = 100_000
#: Photographs hardly shrink, and bare bitmaps of them some 10 times; a bomb shrinks 1,000 times and more.
MAX_RATIO = 200.0

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
    write outside `into` or hold links, or that unpack to more than `max_bytes`, `max_files`, or `max_ratio` times
    their own size.
    """
    if into.exists():
        raise GadError(f"{into} exists already; choose another name or remove it first")
    try:
        with (
            ZipFile(source if isinstance(source, Path) else BytesIO(source)) as archive,
            TemporaryDirectory(dir=into.parent, prefix=".unpacking-") as scratch,
        ):
            packed = source.stat().st_size if isinstance(source, Path) else len(source)
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
    if stat.S_IFMT(info.external_attr >> 16) not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise GadError(f"the ZIP archive holds a link ({name}); pack it again with the file itself")
    return path


def _write(archive: ZipFile, info: ZipInfo, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(info) as packed, path.open("xb") as unpacked:
        shutil.copyfileobj(packed, unpacked, 2**20)
