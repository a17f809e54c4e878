"""Images on disk to features: threads decode, an engine runs, and what is known already is not done again."""

from collections import Counter, deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gad_core.data.augment import Pass
from gad_core.data.datasets import ImageFile, ImageSet, Refusal
from gad_core.data.images import DECODERS, content_digest, decode_resized, read_bytes
from gad_core.errors import GadError, ImageRefused
from gad_core.features.backbones import Backbone
from gad_core.features.cache import FeatureCache
from gad_core.features.engines import Engine
from gad_core.features.frozen import Network, Pixels, Vector
from gad_core.features.regions import Regions
from gad_core.progress import Progress

_PREFETCH = 32  # resized images that may wait for the engine


@dataclass(frozen=True)
class Extraction:
    """Features (n, sum C) float32 of the n images that could be read, and those images in the same order.

    Where regions were asked for, the features by region stand behind the others.
    """

    features: NDArray[np.float32]
    images: ImageSet  # its `refused` names the others as well

    def of(self, images: ImageSet) -> "Extraction":
        """What `extract` gives for some of the images behind this one."""
        row = {digest: index for index, digest in enumerate(self.images.digests)}
        reasons = {refusal.path: refusal for refusal in self.images.refused}
        readable = tuple(file for file in images if file.digest in row)
        unread = tuple(reasons[str(file.path)] for file in images if file.digest not in row)
        rows = [row[file.digest] for file in readable]
        return Extraction(self.features[rows], ImageSet(readable, images.refused + unread))


def extract(
    images: ImageSet,
    engine: Engine,
    *,
    regions: Regions | None = None,
    up_to: int | None = None,
    copy: Pass | None = None,
    cache: FeatureCache | None = None,
    progress: Progress | None = None,
) -> Extraction:
    """Features of every image, or of its augmented copy, each content once; with a cache, only of what it lacks.

    Levels beyond `up_to` are not computed, and not a number, but with a cache: what is kept serves every tuning.
    An image that cannot be read, or whose file has changed since it was listed, is refused and the rest goes on.
    `progress` is called in the caller's thread; if it raises, the threads end and the cache keeps what was done.
    """
    network, total = engine.network, len(images)
    copies = Counter(images.digests)
    row = {digest: index for index, digest in enumerate(copies)}
    store = _Features(cache, network, regions, copy)
    features = np.empty((len(row), store.length), np.float32)
    missing, refused = [], dict[str, str]()
    for file in {file.digest: file for file in images}.values():
        vector = store.find(file.digest)
        if vector is None:
            missing.append(file)
        else:
            features[row[file.digest]] = vector
    done = total - sum(copies[file.digest] for file in missing)
    if progress and done:
        progress(done, total)
    with closing(_run(missing, engine, regions, None if cache else up_to, copy, cache)) as outcomes:
        for digest, outcome in outcomes:
            if isinstance(outcome, ImageRefused):
                refused[digest] = str(outcome)
            else:
                store.keep(digest, outcome)
                features[row[digest]] = outcome
            done += copies[digest]
            if progress:
                progress(done, total)
    readable = tuple(file for file in images if file.digest not in refused)
    unread = tuple(Refusal(str(file.path), refused[file.digest]) for file in images if file.digest in refused)
    rows = [row[file.digest] for file in readable]
    if rows != list(range(len(features))):  # the usual case needs no copy
        features = features[rows]
    return Extraction(features, ImageSet(readable, images.refused + unread))


def load_pixels(images: ImageSet, backbone: Backbone, *, cache: FeatureCache | None = None) -> NDArray[np.uint8]:
    """Pixels (n, S, S, 3) at network size; raises `GadError` naming an image that cannot be read."""
    found, pixels = read_pixels(images, backbone, cache=cache)
    if refused := found.refused[len(images.refused) :]:
        raise GadError(f"{refused[0].path}: {refused[0].reason}")
    return pixels


def read_pixels(
    images: ImageSet, backbone: Backbone, *, cache: FeatureCache | None = None, progress: Progress | None = None
) -> tuple[ImageSet, NDArray[np.uint8]]:
    """The images that can be read, and their pixels (n, S, S, 3) at network size; the others are refused."""
    pixels = np.empty((len(images), backbone.input_size, backbone.input_size, 3), np.uint8)
    readable, refused = list[ImageFile](), list(images.refused)
    with closing(_decoded(images.files, backbone, None, cache)) as decoded:
        for done, (file, image) in enumerate(decoded, start=1):
            if isinstance(image, ImageRefused):
                refused.append(Refusal(str(file.path), str(image)))
            else:
                pixels[len(readable)] = image
                readable.append(file)
            if progress:
                progress(done, len(images))
    return ImageSet(tuple(readable), tuple(refused)), pixels[: len(readable)]


class _Features:
    """Feature vectors in the cache: what is averaged over the image and what by region are entries of their own."""

    def __init__(
        self, cache: FeatureCache | None, network: Network, regions: Regions | None, copy: Pass | None
    ) -> None:
        self._cache, self._copy = cache, copy
        self._whole = network.backbone.n_features
        self.length = self._whole + (regions.n_features(network.backbone) if regions else 0)
        self._folders = [network.fingerprint, *([f"{network.fingerprint}-{regions.key}"] if regions else [])]

    def find(self, digest: str) -> Vector | None:
        """The whole vector, where all of it is known."""
        if self._cache is None:
            return None
        parts = []
        for folder, length in zip(self._folders, (self._whole, self.length - self._whole), strict=False):
            part = self._cache.features(folder, self._key(digest))
            if part is None or len(part) != length:
                return None
            parts.append(part)
        return np.concatenate(parts) if len(parts) > 1 else parts[0]

    def keep(self, digest: str, vector: Vector) -> None:
        """Remember it."""
        if self._cache is not None:
            for folder, part in zip(self._folders, np.split(vector, [self._whole]), strict=False):
                self._cache.keep_features(folder, self._key(digest), part)

    def _key(self, digest: str) -> str:
        return self._copy.key(digest) if self._copy else digest


def _run(
    files: Sequence[ImageFile],
    engine: Engine,
    regions: Regions | None,
    up_to: int | None,
    copy: Pass | None,
    cache: FeatureCache | None,
) -> Generator[tuple[str, Vector | ImageRefused], None, None]:
    """What became of each file, by its digest: refusals first among those that the engine has in hand."""
    running: deque[str] = deque()
    refused: deque[tuple[str, ImageRefused]] = deque()
    with closing(_decoded(files, engine.network.backbone, copy, cache)) as decoded:

        def readable() -> Iterator[Pixels]:
            for file, image in decoded:
                if isinstance(image, ImageRefused):
                    refused.append((file.digest, image))
                else:
                    running.append(file.digest)
                    yield image

        with closing(engine.stream(readable(), regions=regions, up_to=up_to)) as vectors:
            for vector in vectors:
                yield running.popleft(), vector
                while refused:
                    yield refused.popleft()
    yield from refused


def _decoded(
    files: Sequence[ImageFile], backbone: Backbone, copy: Pass | None, cache: FeatureCache | None
) -> Generator[tuple[ImageFile, Pixels | ImageRefused], None, None]:
    if len(files) == 1:  # as a page asks for them
        yield files[0], _prepared(files[0], backbone, copy, cache)
        return
    waiting: deque[tuple[ImageFile, Future[Pixels | ImageRefused]]] = deque()
    pool = ThreadPoolExecutor(DECODERS, thread_name_prefix="decode")
    try:
        for file in files:
            waiting.append((file, pool.submit(_prepared, file, backbone, copy, cache)))
            if len(waiting) > _PREFETCH:
                ready, future = waiting.popleft()
                yield ready, future.result()
        for ready, future in waiting:
            yield ready, future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _prepared(
    file: ImageFile, backbone: Backbone, copy: Pass | None, cache: FeatureCache | None
) -> Pixels | ImageRefused:
    pixels = _load(file, backbone, cache)
    return pixels if copy is None or isinstance(pixels, ImageRefused) else copy(file.digest, pixels)


def _load(file: ImageFile, backbone: Backbone, cache: FeatureCache | None) -> Pixels | ImageRefused:
    pixels = cache.pixels(backbone, file.digest) if cache else None
    if pixels is not None:
        return pixels
    try:
        data = read_bytes(file.path)
        if content_digest(data) != file.digest:
            return ImageRefused("the file has changed since it was listed; list the folder again")
        pixels = decode_resized(data, backbone.input_size)
    except ImageRefused as error:
        return error
    if cache:
        cache.keep_pixels(backbone, file.digest, pixels)
    return pixels
