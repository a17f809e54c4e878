"""Images that are none, are damaged, are bombs, or are only odd."""

import struct
import zlib
from collections.abc import Iterator
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from gad_core.data.images import decode, decode_mask
from gad_core.errors import ImageRefused
from tests.attacks.attack import EITHER, Attack
from tests.data.encoding import chunk, encoded, png

_HEAD = b"\x89PNG\r\n\x1a\n"
_DAMAGED = "damaged, incomplete or of a rare kind; copy it again"
_OTHER = "is no PNG, JPEG, BMP, TIFF or WebP image"
_KINDS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP")


def door(made: bytes) -> tuple[object, str | None]:
    """The size of the pixels, as an image and as a mask alike where both are read."""
    try:
        pixels = decode(made)
    except ImageRefused as error:
        return None, str(error)
    assert pixels.dtype == np.uint8
    assert decode_mask(made).shape == pixels.shape[:2]
    return pixels.shape[:2], None


def attacks() -> Iterator[Attack]:
    """All of them."""
    for name, (content, expected) in {**_foreign(), **_png(), **_jpeg(), **_tiff(), **_others()}.items():
        yield Attack(name, partial(_given, content), expected)
    for kind in _KINDS:
        whole = encoded(_photo(), kind)
        for part in (0.02, 0.1, 0.3, 0.6, 0.9):
            yield Attack(f"{kind} cut at {part:.0%}", partial(_given, whole[: int(part * len(whole))]), EITHER)
        for place in (4, 8, 12, 16, 19, 22, 25, 28, 40, 60):
            flipped = bytearray(whole)
            flipped[place] ^= 0xFF
            yield Attack(f"{kind} with byte {place} turned", partial(_given, bytes(flipped)), EITHER)


def _given(content: bytes, _: Path) -> bytes:
    return content


def _photo(height: int = 24, width: int = 32) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8))


def _foreign() -> dict[str, tuple[bytes, object]]:
    return {
        "nothing": (b"", "the file is empty"),
        "a blank": (b" ", _OTHER),
        "one byte of a PNG": (b"\x89", _OTHER),
        "text": (b"a shopping list", _OTHER),
        "HTML": (b"<html><script>alert(1)</script>", _OTHER),
        "SVG": (b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>', _OTHER),
        "PostScript": (b"%!PS-Adobe-3.0 EPSF-3.0\n(/etc/passwd) run", _OTHER),
        "PDF": (b"%PDF-1.7\n1 0 obj", _OTHER),
        "a program": (b"\x7fELF" + bytes(100), _OTHER),
        "a ZIP": (b"PK\3\4" + bytes(100), _OTHER),
        "a pickle": (b"\x80\x04\x95cos\nsystem\n(S'true'\ntR.", _OTHER),
        "an array of numpy": (b"\x93NUMPY\1\0v\0" + bytes(80), _OTHER),
        "HEIC": (b"\0\0\0\x18ftypheic\0\0\0\0", _OTHER),
        "AVIF": (b"\0\0\0\x18ftypavif\0\0\0\0", _OTHER),
        "JPEG 2000": (b"\0\0\0\x0cjP  \r\n\x87\n", _OTHER),
        "GIF": (encoded(Image.new("L", (9, 9)), "GIF"), _OTHER),
        "an animated GIF": (
            encoded(Image.new("L", (9, 9)), "GIF", save_all=True, append_images=[Image.new("L", (9, 9), 9)]),
            _OTHER,
        ),
        "PPM": (encoded(Image.new("L", (9, 9)), "PPM"), _OTHER),
        "TGA": (encoded(Image.new("L", (9, 9)), "TGA"), _OTHER),
        "an icon": (encoded(Image.new("RGBA", (16, 16)), "ICO"), _OTHER),
        "PSD": (b"8BPS\0\1" + bytes(40), _OTHER),
    }


def _png() -> dict[str, tuple[bytes, object]]:
    def header(width: int, height: int, depth: int = 8, colour: int = 2, more: bytes = b"\0\0\0") -> bytes:
        return chunk(b"IHDR", struct.pack(">IIBB", width, height, depth, colour) + more)

    def file(*chunks: bytes) -> bytes:
        return _HEAD + b"".join(chunks)

    rows = zlib.compress((b"\0" + bytes(3 * 4)) * 4)
    data, end, small = chunk(b"IDAT", rows), chunk(b"IEND", b""), header(4, 4)
    wrong = bytearray(file(small, data, end))
    wrong[30] ^= 0xFF
    bomb = zlib.compress(bytes(200_000_000), 9)
    return {
        "PNG of no width": (file(header(0, 4), data, end), EITHER),
        "PNG of no height": (file(header(4, 0), data, end), EITHER),
        "PNG of 4 thousand million columns": (file(header(2**32 - 1, 1), data, end), "megapixels are read"),
        "PNG of 2^31 by 2^31": (file(header(2**31 - 1, 2**31 - 1), data, end), "megapixels are read"),
        "PNG of 50,000 by 50,000": (file(header(50_000, 50_000), data, end), "at most 120 megapixels"),
        "PNG of 110 megapixels in 100 bytes": (file(header(11_000, 10_000), data, end), "which no photograph has"),
        "PNG of 119 megapixels, black": (png(11_900, 10_000, 1, 0, bytes(1489 * 10_000)), "which no photograph has"),
        "PNG with a false checksum in its header": (bytes(wrong), _DAMAGED),
        "PNG without a header": (file(data, end), _DAMAGED),
        "PNG without data": (file(small, end), _DAMAGED),
        "PNG without an end": (file(small, data), EITHER),
        "PNG with two headers": (file(small, header(9, 9), data, end), EITHER),
        "PNG with too little data": (file(small, chunk(b"IDAT", zlib.compress(b"\0")), end), _DAMAGED),
        "PNG with far too much data": (file(small, chunk(b"IDAT", bomb), end), (4, 4)),
        "PNG with data that is no zlib": (file(small, chunk(b"IDAT", b"nothing"), end), _DAMAGED),
        "PNG of 3 bits": (file(header(4, 4, 3), data, end), _DAMAGED),
        "PNG of colour type 5": (file(header(4, 4, 8, 5), data, end), _DAMAGED),
        "PNG of an unknown compression": (file(header(4, 4, more=b"\7\0\0"), data, end), EITHER),
        "PNG of an unknown interlace": (file(header(4, 4, more=b"\0\0\7"), data, end), EITHER),
        "PNG with a palette that is missing": (file(header(4, 4, 8, 3), data, end), EITHER),
        "PNG with a chunk of 2 GB": (file(small, struct.pack(">I", 2**31 - 1) + b"tEXt", data, end), _DAMAGED),
        "PNG with a negative chunk": (file(small, struct.pack(">I", 2**32 - 1) + b"tEXt", data, end), _DAMAGED),
        "PNG with a text bomb": (file(small, chunk(b"zTXt", b"a\0\0" + bomb), data, end), EITHER),
        "PNG with an international text bomb": (
            file(small, chunk(b"iTXt", b"a\0\1\0\0\0" + bomb), data, end),
            EITHER,
        ),
        "PNG with a profile bomb": (file(small, chunk(b"iCCP", b"a\0\0" + bomb), data, end), EITHER),
        "PNG with a profile that is none": (
            file(small, chunk(b"iCCP", b"a\0\0" + zlib.compress(b"no profile")), data, end),
            (4, 4),
        ),
        "PNG with 20,000 texts": (file(small, chunk(b"tEXt", b"a\0b") * 20_000, data, end), EITHER),
        "PNG with EXIF that is none": (file(small, chunk(b"eXIf", b"nothing"), data, end), (4, 4)),
        "PNG with a ZIP behind it": (file(small, data, end) + b"PK\3\4" + bytes(99), (4, 4)),
        "PNG of one pixel": (png(1, 1, 8, 2, bytes(4)), (1, 1)),
        "PNG of one row of 100,000 pixels": (encoded(_photo(1, 100_000), "PNG"), (1, 100_000)),
        "PNG of 16 bits": (png(2, 1, 16, 0, b"\0\0\0\xff\xff"), (1, 2)),
        "PNG, animated": (
            encoded(_photo(), "PNG", save_all=True, append_images=[_photo(), Image.new("RGB", (32, 24))]),
            (24, 32),
        ),
        "PNG with transparency of another mode": (
            file(header(4, 4, 8, 2), chunk(b"tRNS", b"\0"), data, end),
            EITHER,
        ),
    }


def _jpeg() -> dict[str, tuple[bytes, object]]:
    whole = encoded(_photo(), "JPEG")
    progressive = encoded(_photo(), "JPEG", progressive=True)
    last = progressive.rindex(b"\xff\xda")
    scan = progressive[last:-2]
    frame = whole.index(b"\xff\xc0")

    def sized(height: int, width: int) -> bytes:
        return whole[: frame + 5] + struct.pack(">HH", height, width) + whole[frame + 9 :]

    app = b"\xff\xe1\xff\xff" + bytes(65_533)
    return {
        "JPEG of 5,000 scans": (progressive[:last] + scan * 5_000 + b"\xff\xd9", "scans and at most 64 are read"),
        "JPEG of no width": (sized(24, 0), EITHER),
        "JPEG of no height": (sized(0, 32), EITHER),
        "JPEG of 65,000 by 65,000": (sized(65_000, 65_000), "at most 120 megapixels"),
        "JPEG of 10,000 by 11,000 in 1 kB": (sized(10_000, 11_000), "which no photograph has"),
        "JPEG of more rows than it has": (sized(60, 32), EITHER),
        "JPEG with 3 MB of EXIF": (whole[:2] + app * 50 + whole[2:], (24, 32)),
        "JPEG with EXIF that is none": (whole[:2] + b"\xff\xe1\0\x0cExif\0\0abcd" + whole[2:], (24, 32)),
        "JPEG that says orientation 9": (_turned(9), (24, 32)),
        "JPEG that lies on its side": (_turned(6), (32, 24)),
        "JPEG without tables": (whole.replace(b"\xff\xdb", b"\xff\xfe"), EITHER),
        "JPEG of the start alone": (b"\xff\xd8\xff", _DAMAGED),
        "JPEG of start and end": (b"\xff\xd8\xff\xd9", _DAMAGED),
        "JPEG with a comment of script": (
            whole[:2] + b"\xff\xfe\0\x1b<script>alert(1)</script>" + whole[2:],
            (24, 32),
        ),
        "JPEG in CMYK": (encoded(_photo().convert("CMYK"), "JPEG"), (24, 32)),
        "JPEG in grey": (encoded(_photo().convert("L"), "JPEG"), (24, 32)),
        "JPEG, progressive": (progressive, (24, 32)),
        "JPEG with a page behind it": (whole + b"<html>", (24, 32)),
        "two JPEGs in one": (whole + whole, (24, 32)),
    }


def _turned(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[274] = orientation
    return encoded(_photo(), "JPEG", exif=exif)


def _tiff() -> dict[str, tuple[bytes, object]]:
    def tiff(*tags: tuple[int, int, int, int], after: int = 0, data: bytes = bytes(64)) -> bytes:
        entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
        return struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + entries + struct.pack("<I", after) + data

    def grey(width: int = 4, height: int = 4, *, strips: int = 1, after: int = 0, more: Any = ()) -> bytes:
        tags = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]
        tags += [(273, 4, strips, 200), (278, 4, 1, height), (279, 4, strips, 16), *more]
        return tiff(*tags, after=after, data=bytes(400))

    floats = np.full((4, 4), np.nan, np.float32)
    pages = [Image.new("L", (9, 9), 9)] * 30
    return {
        "TIFF of 30 pages": (encoded(_photo(), "TIFF", save_all=True, append_images=pages), (24, 32)),
        "TIFF whose pages go in a circle": (grey(after=8), (4, 4)),
        "TIFF of no width": (grey(width=0), EITHER),
        "TIFF of no height": (grey(height=0), EITHER),
        "TIFF of 60,000 by 60,000": (grey(60_000, 60_000), "at most 120 megapixels"),
        "TIFF of 100 megapixels in 500 bytes": (grey(10_000, 10_000), "which no photograph has"),
        "TIFF with a thousand million strips": (grey(strips=10**9), EITHER),
        "TIFF with a tag of 4 thousand million values": (grey(more=[(700, 12, 2**32 - 1, 8)]), EITHER),
        "TIFF whose strips lie nowhere": (grey().replace(struct.pack("<I", 200), struct.pack("<I", 2**31)), EITHER),
        "TIFF whose directory lies nowhere": (struct.pack("<2sHI", b"II", 42, 2**31), EITHER),
        "TIFF without a directory": (tiff(), EITHER),
        "TIFF of an unknown compression": (
            tiff((256, 4, 1, 4), (257, 4, 1, 4), (259, 3, 1, 60_000), (262, 3, 1, 1)),
            EITHER,
        ),
        "TIFF in LAB": (encoded(Image.new("LAB", (4, 4)), "TIFF"), "LAB; export it as RGB"),
        "TIFF of not-a-numbers": (encoded(Image.fromarray(floats), "TIFF"), "pixel values lie between nan and nan"),
        "TIFF of infinities": (encoded(Image.fromarray(np.full_like(floats, np.inf)), "TIFF"), "between inf and inf"),
        "TIFF of negative numbers": (encoded(Image.fromarray(np.full((4, 4), -7, np.int32)), "TIFF"), "between -7"),
        "TIFF of huge numbers": (encoded(Image.fromarray(np.full((4, 4), 2**31 - 1, np.int32)), "TIFF"), "a scale of"),
        "TIFF of floats": (encoded(Image.fromarray(np.full((4, 4), 0.5, np.float32)), "TIFF"), (4, 4)),
        "TIFF of 1 bit": (encoded(Image.new("1", (9, 5), 1), "TIFF"), (5, 9)),
        "BigTIFF": (encoded(_photo(), "TIFF", big_tiff=True), EITHER),
    }


def _others() -> dict[str, tuple[bytes, object]]:
    def bmp(width: int, height: int, *, bits: int = 24, compression: int = 0, colours: int = 0) -> bytes:
        head = struct.pack("<2sIHHI", b"BM", 54 + 48, 0, 0, 54)
        return (
            head
            + struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, 48, 0, 0, colours, 0)
            + bytes(48)
        )

    many = BytesIO()
    _photo().save(many, "WEBP", save_all=True, append_images=[Image.new("RGB", (32, 24), 9)] * 20)
    riff = encoded(_photo(), "WEBP", lossless=True)
    return {
        "BMP, as it should be": (bmp(4, 4), (4, 4)),
        "BMP from the top down": (bmp(4, -4), (4, 4)),
        "BMP of no width": (bmp(0, 4), EITHER),
        "BMP of negative width": (bmp(-4, 4), EITHER),
        "BMP of 2^31 rows": (bmp(1, -(2**31)), EITHER),
        "BMP of 50,000 by 50,000": (bmp(50_000, 50_000), "at most 120 megapixels"),
        "BMP of 5 bits": (bmp(4, 4, bits=5), _DAMAGED),
        "BMP of an unknown compression": (bmp(4, 4, compression=77), _DAMAGED),
        "BMP run-length coded without end": (bmp(4, 4, bits=8, compression=1), EITHER),
        "BMP with 2^31 colours": (bmp(4, 4, bits=8, colours=2**31), EITHER),
        "BMP of its letters alone": (b"BM", _DAMAGED),
        "WebP of 21 frames": (many.getvalue(), (24, 32)),
        "WebP with a false length": (riff[:4] + b"\xff\xff\xff\xff" + riff[8:], EITHER),
        "WebP of nothing": (b"RIFF\4\0\0\0WEBP", _DAMAGED),
        "RIFF of sound": (b"RIFF\4\0\0\0WAVE" + bytes(40), _OTHER),
        "PNG with a palette and transparency": (
            encoded(_photo().convert("P"), "PNG", transparency=bytes(range(256))),
            (24, 32),
        ),
        "PNG in grey with alpha": (encoded(_photo().convert("LA"), "PNG"), (24, 32)),
    }
