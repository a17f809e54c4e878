"""Decoding: every readable kind of image comes out as it looks, and everything else is refused with a reason."""

import struct
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile
from PIL.PngImagePlugin import PngImageFile

from gad_core.data.images import content_digest, decode, decode_mask, encode_png, image_size, resize
from gad_core.errors import ImageRefused

LOSSLESS = {
    "PNG": {},
    "BMP": {},
    "TIFF": {},
    "TIFF (LZW)": {"compression": "tiff_lzw"},
    "WEBP": {"lossless": True},
}


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    """A smooth coloured pattern (60, 80, 3), as different from its mirror images as a photograph."""
    y, x = np.mgrid[:60, :80]
    return np.stack([x * 3, y * 4, (x + y) * 255 / 138], axis=-1).astype(np.uint8)


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


@pytest.mark.parametrize("kind", LOSSLESS)
def test_a_lossless_file_gives_back_its_pixels(kind: str, photo: np.ndarray) -> None:
    np.testing.assert_array_equal(decode(encoded(photo, kind, **LOSSLESS[kind])), photo)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_a_lossy_file_gives_back_nearly_its_pixels(kind: str, photo: np.ndarray) -> None:
    assert np.abs(decode(encoded(photo, kind, quality=95)).astype(int) - photo).mean() < 3


def test_a_path_and_its_bytes_give_the_same_writable_pixels(photo: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "named.wrongly"
    path.write_bytes(encoded(photo, "TIFF (LZW)", compression="tiff_lzw"))
    pixels = decode(path)
    np.testing.assert_array_equal(pixels, photo)
    assert pixels.flags.writeable


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "JPEG"])
def test_grey_becomes_three_equal_channels(kind: str, photo: np.ndarray) -> None:
    grey = photo[..., 0]
    pixels = decode(encoded(grey, kind))
    assert np.ptp(pixels, axis=2).max() == 0
    assert np.abs(pixels[..., 0].astype(int) - grey).max() <= (3 if kind == "JPEG" else 0)


def test_one_bit_becomes_black_and_white() -> None:
    stripes = np.arange(64).reshape(8, 8) % 3 == 0
    for kind, options in (("PNG", {}), ("TIFF", {"compression": "group4"})):
        np.testing.assert_array_equal(decode(encoded(stripes, kind, **options))[..., 0], stripes * 255)


def test_a_palette_is_looked_up_and_its_transparent_entries_are_white() -> None:
    image = Image.new("P", (3, 1))
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    image.putdata([0, 1, 2])
    np.testing.assert_array_equal(decode(encoded(image, "PNG"))[0], [[10, 20, 30], [40, 50, 60], [70, 80, 90]])
    clear = decode(encoded(image, "PNG", transparency=bytes([255, 0, 255])))
    np.testing.assert_array_equal(clear[0], [[10, 20, 30], [255, 255, 255], [70, 80, 90]])


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_lies_over_white(mode: str) -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 256, (20, 30, len(mode)), dtype=np.uint8)
    colour, alpha = values[..., :-1].astype(float), values[..., -1:] / 255
    over_white = np.broadcast_to(colour * alpha + 255 * (1 - alpha), (20, 30, len(mode) - 1))
    pixels = decode(encoded(values, "PNG"))
    assert np.abs(pixels[..., : len(mode) - 1] - over_white).max() <= 1


def test_a_colour_marked_transparent_is_white() -> None:
    grey = Image.fromarray(np.array([[0, 100, 200]], np.uint8))
    np.testing.assert_array_equal(decode(encoded(grey, "PNG", transparency=100))[0, :, 0], [0, 255, 200])


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
@pytest.mark.parametrize(
    ("ink", "colour"), [((255, 0, 0, 0), (0, 255, 255)), ((0, 255, 255, 0), (255, 0, 0)), ((0, 0, 0, 255), (0, 0, 0))]
)
def test_inks_become_their_colours(kind: str, ink: tuple[int, ...], colour: tuple[int, ...]) -> None:
    # Pillow writes CMYK into JPEG as Adobe does, inverted and marked so.
    data = encoded(Image.new("CMYK", (16, 16), ink), kind)
    assert kind != "JPEG" or b"Adobe" in data
    assert np.abs(decode(data).astype(int) - colour).max() <= 2


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "TIFF (LZW)"])
def test_every_16_bit_value_is_scaled_by_257_and_none_is_clipped(kind: str) -> None:
    values = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    options = {"compression": "tiff_lzw"} if "LZW" in kind else {}
    grey = decode(encoded(values, kind, **options))[..., 0]
    np.testing.assert_array_equal(grey, np.round(values / 257))


def test_16_bit_colour_is_scaled_too() -> None:
    values = np.random.default_rng(0).integers(0, 65536, (1, 500, 3))
    values[0, :2] = [[0, 65535, 257], [65535, 0, 32896]]
    pixels = decode(png(500, 1, 16, 2, b"\0" + values.astype(">u2").tobytes()))
    assert np.abs(pixels - values / 257).max() < 1  # Pillow keeps the upper byte
    np.testing.assert_array_equal(pixels[0, :2], [[0, 255, 1], [255, 0, 128]])


def test_12_bit_white_is_white() -> None:
    bits = "".join(f"{value:012b}" for value in (0, 4095, 2048, 16))
    data = tiff(4, 12, False, int(bits, 2).to_bytes(6, "big"))
    np.testing.assert_array_equal(decode(data)[0, :, 0], [0, 255, 128, 1])


@pytest.mark.parametrize("depth", [8, 16])
def test_a_tiff_in_which_zero_is_white_is_inverted(depth: int) -> None:
    full = 2**depth - 1
    row = np.array([0, full, full // 5], f"<u{depth // 8}").tobytes()
    np.testing.assert_array_equal(decode(tiff(3, depth, True, row))[0, :, 0], [255, 0, 204])


def test_floats_from_0_to_1_are_scaled_to_255() -> None:
    values = np.linspace(0, 1, 256, dtype=np.float32).reshape(16, 16)
    np.testing.assert_array_equal(decode(encoded(values, "TIFF"))[..., 0], np.arange(256).reshape(16, 16))


def test_32_bit_whole_numbers_are_read_on_the_16_bit_scale() -> None:
    values = np.array([[0, 257, 65535]], np.int32)
    np.testing.assert_array_equal(decode(encoded(values, "TIFF"))[0, :, 0], [0, 1, 255])


@pytest.mark.parametrize(
    "values", [np.float32([[0, 255]]), np.float32([[0.5, np.nan]]), np.int32([[0, 65536]]), np.int32([[-1, 9]])]
)
def test_values_without_an_agreed_white_are_refused_instead_of_clipped(values: np.ndarray) -> None:
    with pytest.raises(ImageRefused, match=r"a scale of 0 to .* was needed; export it"):
        decode(encoded(values, "TIFF"))


UPRIGHT = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
    8: np.rot90,
}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "TIFF (LZW)", "WEBP"])
@pytest.mark.parametrize("orientation", UPRIGHT)
def test_exif_orientation_is_applied(kind: str, orientation: int, photo: np.ndarray) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = decode(encoded(photo, kind, exif=exif, **LOSSLESS.get(kind, {"quality": 95})))
    upright = UPRIGHT[orientation](photo)
    assert pixels.shape == upright.shape
    assert np.abs(pixels.astype(int) - upright).mean() < 3


def test_broken_exif_does_not_cost_good_pixels(photo: np.ndarray) -> None:
    data = encoded(photo, "PNG", exif=b"no metadata at all")
    np.testing.assert_array_equal(decode(data), photo)


def test_of_several_pages_the_first_is_read(photo: np.ndarray) -> None:
    pages = [Image.fromarray(255 - photo)]
    for kind in ("TIFF", "PNG"):
        np.testing.assert_array_equal(decode(encoded(photo, kind, save_all=True, append_images=pages)), photo)


@pytest.mark.parametrize(
    "data",
    [
        encoded(Image.new("L", (9, 9)), "GIF"),
        encoded(Image.new("L", (9, 9)), "PPM"),
        b"%PDF-1.7\n1 0 obj",
        b"\0\0\0\x18ftypheic\0\0\0\0",
        b"meeting notes\n",
    ],
    ids=["GIF", "PPM", "PDF", "HEIC", "text"],
)
def test_other_formats_are_refused_whatever_their_name(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "image.png"
    path.write_bytes(data)
    for read in (decode, decode_mask, image_size):
        with pytest.raises(ImageRefused, match=r"is no PNG, JPEG, BMP, TIFF or WebP image.*; convert it"):
            read(path)


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(ImageRefused, match="the file is empty; copy it again"):
        decode(b"")


def test_a_colour_space_without_a_plain_meaning_is_refused() -> None:
    with pytest.raises(ImageRefused, match="LAB; export it as RGB"):
        decode(encoded(Image.new("LAB", (4, 4)), "TIFF"))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageRefused, match=r"cannot be read .*No such file.*; check that it exists"):
        decode(tmp_path / "gone.png")


@pytest.mark.parametrize("kind", ["JPEG", *LOSSLESS])
def test_a_truncated_file_is_never_read_with_pixels_made_up(kind: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    data = encoded(noise, kind, **LOSSLESS.get(kind, {}))
    whole = decode(data)
    refusals = 0
    for end in range(1, len(data), max(1, len(data) // 100)):
        try:
            np.testing.assert_array_equal(decode(data[:end]), whole)
        except ImageRefused as error:
            refusals += 1
            assert end < 16 or "copy it again" in str(error)  # noqa: PT017 - either outcome is right, half is not
    assert refusals > 90


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "TIFF", "WEBP"])
def test_the_pixel_limit_speaks_before_any_pixel_is_read(
    kind: str, photo: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = encoded(photo, kind)
    assert image_size(data, max_pixels=4800) == (80, 60)
    monkeypatch.setattr(ImageFile.ImageFile, "load", None)
    monkeypatch.setattr(PngImageFile, "load_prepare", None)
    with pytest.raises(ImageRefused, match=r"80 x 60 pixels .* 0\.0047 megapixels are read; scale it down"):
        decode(data, max_pixels=4700)


def test_a_header_of_50000_by_50000_pixels_is_refused() -> None:
    with pytest.raises(ImageRefused, match="50000 x 50000 pixels and at most 120 megapixels"):
        decode(png(50_000, 50_000, 8, 2, b""))


@pytest.mark.parametrize("kind", ["JPEG", *LOSSLESS])
def test_pillow_does_not_speak_before_our_limit(kind: str, photo: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(photo, kind, **LOSSLESS.get(kind, {}))
    expected = decode(data)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 4000)  # 4800 would be a DecompressionBombWarning
    np.testing.assert_array_equal(decode(data), expected)


def test_pillows_settings_are_left_alone(photo: np.ndarray) -> None:
    before = (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES)
    decode(encoded(photo, "TIFF"))
    with pytest.raises(ImageRefused):
        decode(encoded(photo, "JPEG")[:-100])
    assert (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES) == before == (89478485, False)


def test_reasons_are_one_sentence_that_says_what_to_do_and_does_not_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "scratch.png"
    for data in (b"", b"text", b"\x89PNG\r\n\x1a\n...", png(9**5, 9**5, 8, 0, b"")):
        path.write_bytes(data)
        with pytest.raises(ImageRefused) as refused:
            decode(path)
        reason = str(refused.value)
        assert "; " in reason
        assert "\n" not in reason
        assert ". " not in reason
        assert "scratch" not in reason


def test_a_mask_is_true_where_it_is_neither_black_nor_transparent() -> None:
    grey = np.array([[0, 1, 255]], np.uint8)
    deep = np.array([[0, 1, 65535]], np.uint16)
    drawn = np.array([[[9, 9, 9, 0], [200, 0, 0, 255], [0, 0, 255, 255]]], np.uint8)
    for image in (grey, deep, drawn):
        np.testing.assert_array_equal(decode_mask(encoded(image, "PNG")), [[False, True, True]])


def test_resize_averages_what_it_drops() -> None:
    fine = np.indices((600, 400)).sum(0) % 2 * 255  # a checkerboard far above the new sampling rate
    small = resize(np.repeat(fine[..., None], 3, axis=2).astype(np.uint8), 32)
    assert small.shape == (32, 32, 3)
    assert np.abs(small.astype(float) - 127.5).max() < 8


def test_resize_fills_the_square_without_keeping_the_aspect() -> None:
    halves = np.zeros((50, 200, 3), np.uint8)
    halves[:, 100:] = 255
    small = resize(halves, 64)
    assert small[:, :30].max() == 0
    assert small[:, 34:].min() == 255


@pytest.mark.parametrize("shape", [(7, 5), (7, 5, 3)])
def test_a_written_png_reads_back_the_same(shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    expected = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)
    np.testing.assert_array_equal(decode(encode_png(pixels)), expected)


def test_the_digest_is_sha_256(tmp_path: Path) -> None:
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, appendix B.1
    assert content_digest(b"abc") == content_digest(path) == known
