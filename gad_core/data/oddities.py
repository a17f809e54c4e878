"""What is suspicious about images before any network sees them: leaks from train to test, odd sizes, odd light."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import stats

from gad_core.data.datasets import ImageFile, ImageSet
from gad_core.data.images import decode
from gad_core.errors import ImageRefused
from gad_core.progress import Progress

_THREADS = 2
_SIDE = 24  # of a fingerprint, in pixels: enough to tell parts on a fixed stage apart, too coarse for compression
#: A pair counts as one photo where it lies nearer than this share of what training images have to their nearest.
#: Photos of parts on a fixed stage are all alike, so that no fixed distance would do: on `bottle` and the demo the
#: nearest strangers lie at 0.6 and more, copies that were compressed, resized or brightened at 0.27 and less.
_SAME_PHOTO = 0.35
_FAR = 4.0  # robust standard deviations of brightness
_LEAST_SPREAD = 1.0  # grey level: below, it is invisible


@dataclass(frozen=True)
class Thumbnail:
    """Width and height in pixels, mean grey level in [0, 255], and a small picture (d,) without light and contrast."""

    size: tuple[int, int]
    brightness: float
    fingerprint: NDArray[np.float32]


@dataclass(frozen=True)
class Leak:
    """A test image that was trained on: rows in both sets, and whether the bytes are the same."""

    train: int
    test: int
    exact: bool


def thumbnail(file: ImageFile) -> Thumbnail | None:
    """The thumbnail of one image; None where it cannot be read any more."""
    try:
        image = Image.fromarray(decode(file.path)).convert("L")
    except ImageRefused:
        return None
    small = np.asarray(image.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC), np.float32)
    centred = small.ravel() - small.mean()
    return Thumbnail(image.size, float(small.mean()), centred / max(float(np.linalg.norm(centred)), 1e-6))


def thumbnails(images: ImageSet, *, progress: Progress | None = None) -> tuple[Thumbnail | None, ...]:
    """The thumbnail of every image, two at a time; if `progress` raises, the rest is left."""
    made: list[Thumbnail | None] = []
    with ThreadPoolExecutor(_THREADS) as pool:
        try:
            for one in pool.map(thumbnail, images):
                made.append(one)
                if progress:
                    progress(len(made), len(images))
        except BaseException:  # the rest is not wanted any more
            pool.shutdown(cancel_futures=True)
            raise
    return tuple(made)


def leaks(
    train: ImageSet,
    test: ImageSet,
    train_thumbnails: Sequence[Thumbnail | None],
    test_thumbnails: Sequence[Thumbnail | None],
) -> tuple[Leak, ...]:
    """Test images that are among the training images, byte for byte or as the same photo stored anew.

    One entry a test image at most, exact ones first. The thumbnails are those of the images, in their order.
    """
    rows = {digest: row for row, digest in enumerate(train.digests)}
    exact = [Leak(rows[digest], row, True) for row, digest in enumerate(test.digests) if digest in rows]
    leaked = {leak.test for leak in exact}
    known = [row for row, one in enumerate(train_thumbnails) if one]
    fresh = [row for row, one in enumerate(test_thumbnails) if one and row not in leaked]
    if len(known) < 2 or not fresh:
        return tuple(exact)
    trained, tested = _fingerprints(train_thumbnails, known), _fingerprints(test_thumbnails, fresh)
    among = _squared_distances(trained, trained)
    np.fill_diagonal(among, np.inf)
    usual = float(np.median(np.sqrt(among.min(axis=1))))
    across = _squared_distances(tested, trained)
    nearest = across.argmin(axis=1)
    near = np.sqrt(across.min(axis=1)) < _SAME_PHOTO * usual
    return (*exact, *(Leak(known[nearest[i]], fresh[i], False) for i in np.flatnonzero(near)))


def odd_sizes(thumbnails: Sequence[Thumbnail | None]) -> NDArray[np.intp]:
    """Rows whose size is not the one that most images have; none where no size has a majority."""
    sizes = [one.size if one else None for one in thumbnails]
    usual, count = Counter(size for size in sizes if size).most_common(1)[0] if any(sizes) else (None, 0)
    if 2 * count <= len(thumbnails):
        return np.array([], np.intp)
    return np.array([row for row, size in enumerate(sizes) if size and size != usual], np.intp)


def odd_brightness(thumbnails: Sequence[Thumbnail | None]) -> NDArray[np.intp]:
    """Rows whose mean grey level lies more than 4 robust standard deviations from the median."""
    known = [row for row, one in enumerate(thumbnails) if one]
    if not known:
        return np.array([], np.intp)
    brightness = np.array([one.brightness for one in thumbnails if one])
    spread = max(float(stats.median_abs_deviation(brightness, scale="normal")), _LEAST_SPREAD)
    far = np.abs(brightness - np.median(brightness)) > _FAR * spread
    return np.asarray(known, np.intp)[np.flatnonzero(far)]


def _fingerprints(thumbnails: Sequence[Thumbnail | None], rows: Sequence[int]) -> NDArray[np.float64]:
    return np.stack([one.fingerprint for row in rows if (one := thumbnails[row])]).astype(np.float64)


def _squared_distances(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Between the rows of both, all of unit length."""
    return np.asarray(np.maximum(2 - 2 * one @ other.T, 0))
