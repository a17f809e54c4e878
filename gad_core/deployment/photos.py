"""Photos under many shifts: each is decoded once, and what the network sees of it is kept as features."""

from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gad_core.data.datasets import ImageFile
from gad_core.data.images import resize
from gad_core.data.rendering import Pixels
from gad_core.data.shifts import Shift
from gad_core.detectability.drawing import read_photo
from gad_core.features.engines import Engine
from gad_core.features.regions import Regions

_THREADS = 2  # as many as decode in `features.extract`
_PREFETCH = 2  # photos with all their shifts that may wait for the engine


@dataclass(frozen=True)
class ShiftedPhoto:
    """One photo under S shifts."""

    features: NDArray[np.float32]  # (S, F)
    changes: NDArray[np.float64]  # (S,) grey levels by which a pixel of the network's input changes, on average


def shifted_photos(
    files: Sequence[ImageFile], shifts: Sequence[Shift], engine: Engine, *, regions: Regions | None = None
) -> Generator[ShiftedPhoto, None, None]:
    """Each photo under all shifts, in order; raises `GadError` for one that cannot be read or has changed."""
    size = engine.network.backbone.input_size
    waiting: deque[NDArray[np.float64]] = deque()
    with closing(_rendered(files, shifts, size)) as rendered:

        def pictures() -> Iterator[Pixels]:
            for pixels, changes in rendered:
                waiting.append(changes)
                yield from pixels

        with closing(engine.stream(pictures(), regions=regions)) as vectors:
            for _ in files:
                features = np.stack([next(vectors) for _ in shifts])
                yield ShiftedPhoto(features, waiting.popleft())


def _rendered(
    files: Sequence[ImageFile], shifts: Sequence[Shift], size: int
) -> Generator[tuple[list[Pixels], NDArray[np.float64]], None, None]:
    def made(file: ImageFile) -> tuple[list[Pixels], NDArray[np.float64]]:
        photo = read_photo(file)
        before = resize(photo, size).astype(np.int16)
        pixels = [resize(shift(file.digest, photo, input_size=size), size) for shift in shifts]
        return pixels, np.array([np.abs(one - before).mean() for one in pixels])

    waiting: deque[Future[tuple[list[Pixels], NDArray[np.float64]]]] = deque()
    pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="shift")
    try:
        for file in files:
            waiting.append(pool.submit(made, file))
            if len(waiting) > _PREFETCH:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
