"""Features, resized pixels and networks on disk, found by content: losing any of it costs time and nothing else."""

import math
import os
import threading
import zlib
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gad_core.data.holding import in_the_making
from gad_core.errors import GadError
from gad_core.features.backbones import Backbone

#: Bytes that a cache may take: about 25,000 images at 224 pixels.
DEFAULT_LIMIT = 4 << 30

#: The folder, below a cache, of entries that are just being written.
MAKING = "making"
_CHECKSUM = 4  # bytes of CRC-32 behind every entry


class FeatureCache:
    """One file an entry below `root`, so that threads and processes can share it without locks.

    An entry appears whole or not at all, is checked when it is read, and a damaged one counts as absent. Whatever
    was not used for longest goes when the cache outgrows `limit` bytes; entries in use go last. A disk that cannot be
    written to is no error.
    """

    def __init__(
        self, root: Path, *, limit: int = DEFAULT_LIMIT, in_use: Callable[[], Collection[str]] | None = None
    ) -> None:
        """Keep to `limit` bytes; `in_use` names the entries that something is made of, asked when room is short."""
        self.root = root
        self.limit = limit
        self._in_use = in_use or frozenset
        self._room = 0  # bytes to write until the folder is measured again
        self._measuring = threading.Lock()

    def features(self, fingerprint: str, digest: str) -> NDArray[np.float32] | None:
        """Feature vector (sum C,) of the image with that digest, where it is known."""
        data = self._read(self._feature_path(fingerprint, digest))
        if data is None or len(data) % np.float32().itemsize:
            return None
        vector = np.frombuffer(data, np.float32)
        return vector if np.isfinite(vector).all() else None

    def keep_features(self, fingerprint: str, digest: str, vector: NDArray[np.float32]) -> None:
        """Remember a feature vector (sum C,)."""
        self._write(self._feature_path(fingerprint, digest), vector.tobytes())

    def pixels(self, backbone: Backbone, digest: str) -> NDArray[np.uint8] | None:
        """Resized pixels (S, S, 3) of the image with that digest, where they are known; read-only."""
        data = self._read(self._pixel_path(backbone, digest))
        shape = (backbone.input_size, backbone.input_size, 3)
        return np.frombuffer(data, np.uint8).reshape(shape) if data and len(data) == math.prod(shape) else None

    def keep_pixels(self, backbone: Backbone, digest: str, pixels: NDArray[np.uint8]) -> None:
        """Remember resized pixels (S, S, 3); backbones of one input size share them."""
        self._write(self._pixel_path(backbone, digest), pixels.tobytes())

    def network(self, key: str) -> memoryview | None:
        """What was made of a network, in bytes, where it is known; `key` is a name that a file may have."""
        return self._read(self.root / "networks" / key)

    def keep_network(self, key: str, data: bytes) -> None:
        """Remember it."""
        self._write(self.root / "networks" / key, data)

    def prune(self) -> None:
        """Remove what was not used for longest until the cache keeps to its limit; features in use go last.

        Where it cannot be told what is in use, nothing goes.
        """
        entries = []
        for folder, _, names in os.walk(self.root):
            for name in names:
                with suppress(OSError):  # another process may be pruning too
                    path = Path(folder, name)
                    status = path.stat()
                    entries.append((status.st_mtime_ns, status.st_size, path))
        excess = sum(size for _, size, _ in entries) - self.limit
        if excess <= 0:
            return
        try:
            in_use = self._in_use()
        except GadError:
            return
        features = self.root / "features"  # the others can be made again

        def turn(entry: tuple[int, int, Path]) -> tuple[bool, int]:
            time, _, path = entry
            return path.name in in_use and path.is_relative_to(features), time

        for _, size, path in sorted(entries, key=turn):
            if excess <= 0:
                return
            with suppress(OSError):
                path.unlink()
            excess -= size

    def _feature_path(self, fingerprint: str, digest: str) -> Path:
        # Asked for thousands at a time: joined one by one it takes thrice as long.
        return Path(self.root, "features", fingerprint, digest[:2], digest)

    def _pixel_path(self, backbone: Backbone, digest: str) -> Path:
        return Path(self.root, "pixels", f"{backbone.input_size}-{backbone.interpolation}", digest[:2], digest)

    def _read(self, path: Path) -> memoryview | None:
        try:
            data = memoryview(path.read_bytes())
        except OSError:
            return None
        with suppress(OSError):  # whoever may only read still reads
            os.utime(path)
        payload, checksum = data[:-_CHECKSUM], data[-_CHECKSUM:]
        return payload if _checksum(payload) == checksum else None

    def _write(self, path: Path, payload: bytes) -> None:
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            making = self.root / MAKING
            making.mkdir(exist_ok=True)
            # Disposable, and checked when it is read: it need not be on the disk before it has its name.
            with in_the_making(making) as temporary:
                with temporary.open("wb") as stream:
                    stream.write(payload)
                    stream.write(_checksum(payload))
                temporary.replace(path)
        self._make_room(len(payload))

    def _make_room(self, written: int) -> None:
        with self._measuring:
            self._room -= written
            if self._room < 0:
                self.prune()
                self._room = self.limit // 64  # measuring a full cache takes half a second: not at every write


def _checksum(payload: bytes | memoryview) -> bytes:
    return zlib.crc32(payload, 1).to_bytes(_CHECKSUM)  # started at 1: a file full of zeros must not fit
