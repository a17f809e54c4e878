"""Defects drawn on images at their own resolution, and the features of what the network sees of them."""

from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing

import numpy as np
from numpy.typing import NDArray

from gad_core.data.datasets import ImageFile
from gad_core.data.images import content_digest, decode, read_bytes, resize
from gad_core.detectability.defects import Drawn, Pixels, draw_defect
from gad_core.detectability.plan import Draw
from gad_core.errors import GadError, ImageRefused
from gad_core.features.engines import Engine
from gad_core.features.regions import Regions
from gad_core.progress import Progress

_THREADS = 2  # each holds several copies of a photo
_PREFETCH = 4  # images with all their defects that may wait for the engine

Files = dict[int, ImageFile]  # by row of the training image


def drawn_features(
    draws: Sequence[Draw],
    files: Files,
    engine: Engine,
    *,
    regions: Regions | None = None,
    progress: Progress | None = None,
) -> NDArray[np.float32]:
    """Features (m, F) of every draw; an image is decoded once for all of its defects.

    Raises `GadError` for an image that cannot be read or has changed since it was listed.
    """
    by_row: dict[int, list[int]] = {}
    for place, draw in enumerate(draws):
        by_row.setdefault(draw.row, []).append(place)
    order = [place for places in by_row.values() for place in places]
    features = None
    size = engine.network.backbone.input_size
    with closing(_pictures([[draws[place] for place in places] for places in by_row.values()], files, size)) as pixels:
        for done, vector in enumerate(engine.stream(pixels, regions=regions)):
            if features is None:
                features = np.empty((len(draws), len(vector)), np.float32)
            features[order[done]] = vector
            if progress:
                progress(done + 1, len(draws))
    return features if features is not None else np.empty((0, 0), np.float32)


def redraw(draw: Draw, files: Files) -> Drawn:
    """One draw's image (H, W, 3) at its own resolution, and its mask; raises `GadError` as above."""
    return next(_drawn([draw], files))


def shorter_side(file: ImageFile) -> int:
    """Of an image, in pixels."""
    return int(min(read_photo(file).shape[:2]))


def _pictures(groups: Sequence[Sequence[Draw]], files: Files, size: int) -> Generator[Pixels, None, None]:
    """Images (S, S, 3) of all groups, in order; each group shares its image."""

    def made(group: Sequence[Draw]) -> list[Pixels]:
        return [resize(drawn.pixels, size) for drawn in _drawn(group, files)]

    waiting: deque[Future[list[Pixels]]] = deque()
    pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="draw")
    try:
        for group in groups:
            waiting.append(pool.submit(made, group))
            if len(waiting) > _PREFETCH:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _drawn(group: Sequence[Draw], files: Files) -> Iterator[Drawn]:
    """The draws of one image."""
    pixels = read_photo(files[group[0].row])
    for draw in group:
        other = read_photo(files[draw.other]) if draw.defect.kind == "patch" else None
        yield draw_defect(pixels, draw.defect, draw.centre, np.random.default_rng(draw.seed), other=other)


def read_photo(file: ImageFile) -> Pixels:
    """Pixels (H, W, 3) of an image; raises `GadError` where it cannot be read or has changed since it was listed."""
    try:
        data = read_bytes(file.path)
        if content_digest(data) != file.digest:
            raise ImageRefused("the file has changed since it was listed; list the folder again")
        return decode(data)
    except ImageRefused as error:
        raise GadError(f"{file.path}: {error}") from error
