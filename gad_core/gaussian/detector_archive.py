"""The ZIP around a detector: what its directory says is checked before anything is unpacked, and no more is."""

import hashlib
import json
import math
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import safetensors

from gad_core.errors import GadError
from gad_core.gaussian.detector_shapes import Declared
from gad_core.gaussian.detector_writing import JSON, TENSORS

#: The JSON of 100,000 images in groups takes 20 MB.
_MAX_JSON = 32 << 20
#: What the file unpacks to, in parts of its own size; images of one colour shrink most, and are a small part.
_MAX_RATIO = 100
_MAX_DIRECTORY = 4096  # bytes: of two members, with what other programs add
_MAX_NAMES = 16 << 20  # bytes before the tensors, which name them
_END = struct.Struct("<4s4H2LH")  # of the directory (APPNOTE 4.3.16)
_END_64 = struct.Struct("<4sQ2H2L4Q")  # and that of large archives (4.3.14), before a locator of 20 bytes
_LOCATOR = 20

#: What `zipfile`, its decompressor and `safetensors` raise on damaged contents.
DAMAGE: tuple[type[Exception], ...] = (
    *(zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error),
    safetensors.SafetensorError,
    *(EOFError, OSError, RuntimeError, ValueError, KeyError, OverflowError),
)
_BYTES = {"F64": 8, "I64": 8, "F32": 4, "F16": 2, "U16": 2, "U8": 1}  # of a number


class NoDetector(GadError):
    """An archive of something else, or no archive."""


@dataclass(frozen=True)
class Parts:
    """The two members of an open archive."""

    archive: zipfile.ZipFile
    json: zipfile.ZipInfo
    tensors: zipfile.ZipInfo

    def read_json(self) -> bytes:
        """The bytes of the head."""
        with self.archive.open(self.json) as stream:
            return _exactly(stream, self.json.file_size)

    def read_declared(self) -> dict[str, Declared]:
        """Dtypes and shapes by name, from the first bytes of the tensors."""
        with self.archive.open(self.tensors) as stream:
            length = int.from_bytes(_exactly(stream, 8), "little")
            if length > _MAX_NAMES:
                raise GadError(f"{TENSORS} begins with {length:,} bytes of names, more than any detector has")
            head = _exactly(stream, length)
        try:
            return {
                name: (str(one["dtype"]), tuple(int(axis) for axis in one["shape"]))
                for name, one in json.loads(head).items()
                if name != "__metadata__"
            }
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError) as error:
            raise GadError(f"{TENSORS} does not say what it holds") from error

    def read_tensors(self, declared: Mapping[str, Declared], checksum: str) -> bytes:
        """The bytes of the tensors, which are no more than was declared."""
        n_bytes = sum(_BYTES[dtype] * math.prod(shape) for dtype, shape in declared.values())
        if not n_bytes < self.tensors.file_size <= n_bytes + 8 + _MAX_NAMES:
            raise GadError(f"{TENSORS} has another length than what it says it holds")
        with self.archive.open(self.tensors) as stream:
            payload = _exactly(stream, self.tensors.file_size)
        if hashlib.sha256(payload).hexdigest() != checksum:
            raise GadError(f"{TENSORS} has another checksum")
        return payload


@contextmanager
def opened(path: Path) -> Iterator[Parts]:
    """Open a detector's archive; raises `NoDetector`, `GadError` for sizes that no detector has, and `DAMAGE`."""
    with path.open("rb") as file:
        if file.read(2) != b"PK":
            raise NoDetector("it is no ZIP archive")
        size = file.seek(0, 2)
        if _directory_size(file, size) > _MAX_DIRECTORY:
            raise NoDetector("its directory is longer than that of any detector")
        with zipfile.ZipFile(file) as archive:
            members = {info.filename: info for info in archive.infolist()}
            if not {JSON, TENSORS} <= set(members):
                raise NoDetector("it holds other files")
            parts = Parts(archive, members[JSON], members[TENSORS])
            _check(parts, size)
            yield parts


def _directory_size(file: IO[bytes], size: int) -> int:
    """Bytes of the archive's directory, which `zipfile` would read whole."""
    tail_length = min(size, _END.size + _LOCATOR + _END_64.size)
    file.seek(size - tail_length)
    tail = file.read(tail_length)
    end = tail[-_END.size :]
    if len(end) < _END.size or end[:4] != b"PK\5\6":
        raise zipfile.BadZipFile("the end of the directory is missing")
    found = int(_END.unpack(end)[5])
    large = tail[: _END_64.size]
    if len(tail) == _END.size + _LOCATOR + _END_64.size and large[:4] == b"PK\6\6":
        found = max(found, int(_END_64.unpack(large)[8]))
    return found


def _check(parts: Parts, size: int) -> None:
    for info in (parts.json, parts.tensors):
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or info.flag_bits & 1:
            raise GadError(f"{info.filename} is packed in a way that detectors are not")
    if parts.json.file_size > _MAX_JSON:
        raise GadError(f"{JSON} would unpack to {parts.json.file_size / 2**20:,.0f} MiB, more than any detector has")
    if parts.json.file_size + parts.tensors.file_size > _MAX_RATIO * size:
        raise GadError(f"it would unpack to more than {_MAX_RATIO} times its size")


def _exactly(stream: IO[bytes], length: int) -> bytes:
    """So many bytes: without a length `zipfile` unpacks a piece whole before it cuts it to what was declared."""
    data = stream.read(length)
    if len(data) < length:
        raise EOFError
    return data
