"""Image bytes to checked RGB pixels; what cannot be read faithfully is refused with a reason."""

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedReader, BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.ExifTags import Base as Tag
from PIL.Image import Transpose
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from gad_core.data.opening import NotRegular, open_regular, read_regular
from gad_core.errors import ImageRefused

#: The largest image that is read: frame cameras reach 102 megapixels; one such image is 360 MB of RGB.
MAX_PIXELS = 120_000_000

#: Pixels to a byte of a large file. A photograph has at most some tens; what has far more is made to fill memory.
#: Masks are exempt, which are even areas.
MAX_PACKED = 200

#: Endings that a folder scan takes for an image: the five formats, and others that somebody may believe are read.
IMAGE_SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".dib", ".tif", ".tiff", ".webp"}
    | {".gif", ".heic", ".heif", ".avif", ".jp2", ".j2k", ".jxl", ".ppm", ".pgm", ".pnm", ".tga", ".psd", ".dng"}
)

#: Threads that decode side by side, each with an image in hand. Decoding costs as much as inference, and images differ
#: in size: with more threads than cores an engine waits less often (4 on 2 cores take 3 % less time than 2).
DECODERS = min(max(4, os.cpu_count() or 1), 8)

_SMALL = 25_000_000  # pixels: a drawing, which may be as even as it likes
_STRIP = 1_000_000  # pixels that are converted together, so that no second copy of a large image is made
_MAX_SCANS = 64  # of a progressive JPEG: 10 are usual, and each goes over the whole image

_FORMATS = "PNG, JPEG, BMP, TIFF or WebP"
_GREY_MODES = {"I", "I;16", "I;16B", "F"}  # more than 8 bits a pixel
#: EXIF orientation to the turn that rights the image (EXIF 2.3, section 4.6.4; 1 is upright).
_TURNS: dict[object, Transpose] = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}


class _Tiff(TiffImageFile):
    def load_prepare(self) -> None:
        """Allocate here, or Pillow would warn about sizes that our own limit has let pass."""
        if self._im is None:
            self.im = Image.new(self.mode, self._tile_size).im
        super().load_prepare()


_READERS: tuple[tuple[re.Pattern[bytes], type[ImageFile.ImageFile]], ...] = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), PngImageFile),
    (re.compile(rb"\xff\xd8\xff"), JpegImageFile),
    (re.compile(rb"BM"), BmpImageFile),
    (re.compile(rb"(II[*+]\0|MM\0[*+])"), _Tiff),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), WebPImageFile),
)


def _unreadable(error: OSError) -> str:
    if isinstance(error, NotRegular):
        return f"{error.strerror}; put the image itself there"
    return f"the file cannot be read ({error.strerror}); check that it exists and that you may read it"


@contextmanager
def _refusing() -> Iterator[None]:
    """Whatever Pillow raises becomes a refusal: it answers damage with a dozen kinds of exceptions, early or late."""
    try:
        yield
    except (ImageRefused, MemoryError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            reason = _unreadable(error)
        else:
            reason = "the file is damaged, incomplete or of a rare kind; copy it again or export it as an 8-bit PNG"
        raise ImageRefused(reason) from error


@_refusing()
def decode(source: bytes | Path, *, max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """Pixels (H, W, 3), 8-bit RGB, the right way up by EXIF; of several frames or pages the first.

    Transparency lies over white. 12- and 16-bit values are scaled (65535 and 4095 become 255), never clipped.
    Wider whole numbers are read on the 16-bit scale and floats on [0, 1]; an image with values beyond is refused,
    because stretching each file by its own extremes would make one brightness look different from file to file.
    Raises `ImageRefused`, for more than `max_pixels` or far too many for the file's size from the header alone.
    """
    return _pixels(_load(source, max_pixels, max_packed=MAX_PACKED))


@_refusing()
def decode_resized(source: bytes | Path, size: int) -> NDArray[np.uint8]:
    """What `resize` makes of what `decode` gives, to the last bit; most images are never copied in their full size.

    Raises as `decode` does.
    """
    image = _load(source, MAX_PIXELS, max_packed=MAX_PACKED)
    if image.mode in ("RGB", "L") and not image.has_transparency_data:  # each channel is resized by itself
        return np.array(_resized(image, size).convert("RGB"))
    return resize(_pixels(image), size)


def _pixels(image: Image.Image) -> NDArray[np.uint8]:
    to_rgb = _conversion(image, "white")
    width, height = image.size
    pixels = np.empty((height, width, 3), np.uint8)
    for rows, strip in _strips(image):
        pixels[rows] = np.asarray(to_rgb(strip))
    return pixels


@_refusing()
def decode_mask(source: bytes | Path) -> NDArray[np.bool_]:
    """Mask (H, W): True wherever the image is neither black nor transparent. Raises `ImageRefused`."""
    image = _load(source, MAX_PIXELS)
    convert = _as_it_is if image.mode in _GREY_MODES else _conversion(image, "black")
    width, height = image.size
    mask = np.empty((height, width), bool)
    for rows, strip in _strips(image):
        values = np.asarray(convert(strip))
        mask[rows] = values.reshape(*values.shape[:2], -1).any(axis=2)
    return mask


def image_size(source: bytes | Path, *, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """(width, height) as stored, from the header alone; raises `ImageRefused` where that already tells."""
    with _opened(source, max_pixels) as image:
        return image.size


def recorded(source: bytes | Path) -> dict[str, str]:
    """How an image was recorded, from its header: format, size, colours and, where it says so, camera.

    Raises `ImageRefused`.
    """
    with _opened(source, MAX_PIXELS) as image:
        width, height = image.size
        properties = {"format": str(image.format), "size": f"{width} x {height}", "colours": image.mode}
        try:
            tags = image.getexif()
        except Exception:  # as in `_upright`
            return properties
        camera = " ".join(str(tags[tag]).strip("\0 ") for tag in (Tag.Make, Tag.Model) if tags.get(tag))
        return properties | ({"camera": camera} if camera else {})


def resize(pixels: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Square pixels (size, size, 3) by Pillow's anti-aliased bilinear filter; the aspect is not kept."""
    return np.array(_resized(Image.fromarray(pixels), size))


def _resized(image: Image.Image, size: int) -> Image.Image:
    return image.resize((size, size), Image.Resampling.BILINEAR)


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """A PNG file of pixels (H, W), (H, W, 3) or (H, W, 4)."""
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def content_digest(source: bytes | Path) -> str:
    """SHA-256 of a file's bytes, in hex; a path is read piece by piece."""
    with _stream(source) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_bytes(path: Path) -> bytes:
    """A file's bytes; raises `ImageRefused` where it cannot be read."""
    try:
        return read_regular(path)
    except OSError as error:
        raise ImageRefused(_unreadable(error)) from error


def _stream(source: bytes | Path) -> BufferedReader | BytesIO:
    return open_regular(source) if isinstance(source, Path) else BytesIO(source)


def _load(source: bytes | Path, max_pixels: int, *, max_packed: float = np.inf) -> Image.Image:
    with _opened(source, max_pixels, max_packed=max_packed) as image:
        if isinstance(image, JpegImageFile):
            _check_scans(image)
        image.load()
    return _upright(image)


def _upright(image: Image.Image) -> Image.Image:
    try:
        turn = _TURNS.get(image.getexif().get(Tag.Orientation))
    except Exception:  # cameras write broken metadata beside good pixels; like any viewer, show those as they are
        return image
    return image if turn is None else image.transpose(turn)


def _check_scans(image: JpegImageFile) -> None:
    """Refuse a progressive JPEG that would be gone over for minutes."""
    stream = image.fp
    assert stream is not None  # noqa: S101 - it has just been opened
    here = stream.tell()
    scans = stream.read().count(b"\xff\xda")  # within a scan another byte follows every ff
    stream.seek(here)
    if scans > _MAX_SCANS:
        raise ImageRefused(f"the JPEG has {scans} scans and at most {_MAX_SCANS} are read; save it anew")


@contextmanager
def _opened(source: bytes | Path, max_pixels: int, *, max_packed: float = np.inf) -> Iterator[ImageFile.ImageFile]:
    """An image whose header has been read and approved."""
    with _refusing(), _stream(source) as stream:
        # The plugins are called directly: `Image.open` would put Pillow's own pixel limit before ours.
        image = _reader(stream)(stream)
        width, height = image.size
        if width * height > max_pixels:
            raise ImageRefused(
                f"the image has {width} x {height} pixels and at most {max_pixels / 1e6:g} megapixels are read; "
                "scale it down or crop it"
            )
        if width * height > max(_SMALL, max_packed * _length(stream)):
            raise ImageRefused(
                f"the image has {width} x {height} pixels in {_length(stream)} bytes, which no photograph has; "
                "scale it down"
            )
        yield image


def _length(stream: BufferedReader | BytesIO) -> int:
    here = stream.tell()
    length = stream.seek(0, os.SEEK_END)
    stream.seek(here)
    return length


def _reader(stream: BufferedReader | BytesIO) -> type[ImageFile.ImageFile]:
    start = stream.read(16)
    stream.seek(0)
    if not start:
        raise ImageRefused("the file is empty; copy it again")
    for signature, reader in _READERS:
        if signature.match(start):
            return reader
    raise ImageRefused(f"the content is no {_FORMATS} image, whatever the name says; convert it to one of these")


def _strips(image: Image.Image) -> Iterator[tuple[slice, Image.Image]]:
    """Some rows at a time."""
    width, height = image.size
    step = max(1, _STRIP // width)
    for top in range(0, height, step):
        rows = slice(top, min(top + step, height))
        yield rows, image.crop((0, rows.start, width, rows.stop))


def _as_it_is(strip: Image.Image) -> Image.Image:
    return strip


def _conversion(image: Image.Image, background: str) -> Callable[[Image.Image], Image.Image]:
    """How strips of an image become 8-bit RGB, laid over a background where they are transparent."""
    if image.mode in _GREY_MODES:
        return _to_eight_bit(image)
    if image.mode == "LAB":
        raise ImageRefused("the image stores its colours as LAB; export it as RGB")
    if not image.has_transparency_data:
        return lambda strip: strip.convert("RGB")

    def over(strip: Image.Image) -> Image.Image:
        canvas = Image.new("RGBA", strip.size, background)
        canvas.alpha_composite(strip.convert("RGBA"))
        return canvas.convert("RGB")

    return over


def _to_eight_bit(image: Image.Image) -> Callable[[Image.Image], Image.Image]:
    """How strips of a grey image of more than 8 bits become RGB; refuse one with values beyond its scale."""
    tags = image.tag_v2 if isinstance(image, TiffImageFile) else {}
    white = 1.0 if image.mode == "F" else 4095.0 if tags.get(Tag.BitsPerSample) == (12,) else 65535.0
    extremes = np.array([(values.min(), values.max()) for _, strip in _strips(image) for values in [np.asarray(strip)]])
    low, high = extremes[:, 0].min(), extremes[:, 1].max()
    if not (low >= 0 and high <= white):  # also for not-a-number
        raise ImageRefused(
            f"pixel values lie between {low:g} and {high:g} and a scale of 0 to {white:g} was needed; "
            "export it with 8 or 16 bits a channel"
        )

    def convert(strip: Image.Image) -> Image.Image:
        grey = np.rint(np.multiply(np.asarray(strip), 255 / white, dtype=np.float32)).astype(np.uint8)
        if tags.get(Tag.PhotometricInterpretation) == 0:  # white is zero: Pillow inverts only 8 bits
            grey = 255 - grey
        return Image.fromarray(grey).convert("RGB")

    return convert
