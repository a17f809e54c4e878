"""What comes in is decoded once and hashed once: the network's own pixels go into the cache, where a fit finds them."""

from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from gad_core.data.digests import Stamp, stamp
from gad_core.data.images import DECODERS, content_digest, decode_resized, image_size, read_bytes
from gad_core.data.walking import is_image
from gad_core.errors import ImageRefused
from gad_core.features.cache import FeatureCache
from gad_core.features.registry import get_backbone
from gad_core.gaussian.settings import FitSettings
from gad_core.progress import Progress

_AHEAD = 8  # files that may be looked at before their turn


@dataclass(frozen=True)
class Incoming:
    """An image on its way in; `label` is what its owner calls it."""

    label: str
    image: Path | bytes
    split: str
    defect: str
    mask: Path | bytes | None = None


@dataclass(frozen=True)
class Admitted:
    """An image that can be used: its digest and, of a file, what it looked like before it was read."""

    digest: str
    looks: Stamp | None


def admitted(
    incoming: Sequence[Incoming], cache: FeatureCache, progress: Progress | None
) -> Generator[tuple[Incoming, Admitted | ImageRefused], None, None]:
    """Look at every image, in order; `progress` is called in the caller's thread and may raise to stop the work."""
    waiting: deque[tuple[Incoming, Future[Admitted | ImageRefused]]] = deque()
    ahead = iter(incoming)
    pool = ThreadPoolExecutor(DECODERS, thread_name_prefix="door")
    try:
        for done in range(len(incoming)):
            if progress is not None:
                progress(done, len(incoming))
            while len(waiting) < _AHEAD and (image := next(ahead, None)) is not None:
                waiting.append((image, pool.submit(_admit, image, cache)))
            image, future = waiting.popleft()
            yield image, future.result()
    finally:
        pool.shutdown(cancel_futures=True)
    if progress is not None:
        progress(len(incoming), len(incoming))


def _admit(image: Incoming, cache: FeatureCache) -> Admitted | ImageRefused:
    try:
        data, looks = _content(image.image)
        backbone = get_backbone(FitSettings().backbone)  # what most fits will ask for
        pixels = decode_resized(data, backbone.input_size)
        if not is_image(Path(image.label)):
            raise ImageRefused(
                "its name does not end as that of an image does; rename it to end in .png, .jpg, .bmp, .tif or .webp"
            )
    except ImageRefused as refusal:
        return refusal
    digest = content_digest(data)
    cache.keep_pixels(backbone, digest, pixels)
    return Admitted(digest, looks)


def _content(image: Path | bytes) -> tuple[bytes, Stamp | None]:
    """The bytes that are decoded and hashed, which must be the same; a file's header may refuse it before."""
    if isinstance(image, bytes):
        return image, None
    image_size(image)
    looks = stamp(image)
    return read_bytes(image), looks
