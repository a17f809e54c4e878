"""Image files in memory: Pillow's, and some from their specifications alone."""

import struct
import zlib
from io import BytesIO

import numpy as np
from PIL import Image

#: Kinds of files that keep every pixel, and how Pillow writes them.
LOSSLESS = {
    "PNG": {},
    "BMP": {},
    "TIFF": {},
    "TIFF (LZW)": {"compression": "tiff_lzw"},
    "WEBP": {"lossless": True},
}


def encoded(image: Image.Image | np.ndarray, kind: str, **options: object) -> bytes:
    stream = BytesIO()
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    image.save(stream, kind.split(" ", maxsplit=1)[0], **options)
    return stream.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, depth: int, colour: int, rows: bytes) -> bytes:
    """A PNG from its specification; `rows` with a filter byte before each."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def tiff(width: int, depth: int, white_is_zero: bool, row: bytes) -> bytes:
    """An uncompressed little-endian grey TIFF of one row, from its specification."""
    tags = [(256, width), (257, 1), (258, depth), (259, 1), (262, 0 if white_is_zero else 1)]
    tags += [(273, 8 + 2 + 12 * 9 + 4), (277, 1), (278, 1), (279, len(row))]
    entries = b"".join(struct.pack("<HHIHH", tag, 3, 1, value, 0) for tag, value in tags)
    return b"II*\0" + struct.pack("<IH", 8, 9) + entries + bytes(4) + row
