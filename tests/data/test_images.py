"""Decoding: every readable kind of image comes out as it looks."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gad_core.data.images import content_digest, decode, decode_mask, decode_resized, encode_png, resize
from gad_core.errors import ImageRefused
from tests.data.encoding import LOSSLESS, encoded, png, tiff


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


def _transparent_colour(photo: np.ndarray) -> bytes:
    return encoded(photo, "PNG", transparency=tuple(int(value) for value in photo[0, 0]))


@pytest.mark.parametrize(
    "make",
    [
        lambda photo: encoded(photo, "PNG"),
        lambda photo: encoded(photo, "JPEG", quality=90),
        lambda photo: encoded(photo[..., 0], "PNG"),
        lambda photo: encoded(photo[..., 0] > 99, "PNG"),
        lambda photo: encoded(photo[..., 0].astype(np.uint16) * 200, "PNG"),
        lambda photo: encoded(np.dstack([photo, photo[..., 1]]), "PNG"),
        lambda photo: encoded(Image.fromarray(photo).convert("P"), "PNG"),
        lambda photo: encoded(Image.fromarray(photo).convert("LA"), "PNG"),
        lambda photo: encoded(Image.fromarray(photo).convert("CMYK"), "TIFF"),
        _transparent_colour,
    ],
    ids=["RGB", "JPEG", "grey", "one bit", "16 bits", "RGBA", "palette", "LA", "CMYK", "a colour left out"],
)
def test_decoding_to_a_size_gives_what_resizing_gives(make, photo: np.ndarray) -> None:
    data = make(photo)
    pixels = decode_resized(data, 37)
    np.testing.assert_array_equal(pixels, resize(decode(data), 37))
    assert pixels.flags.writeable


@pytest.mark.parametrize("orientation", [3, 6])
def test_decoding_to_a_size_turns_the_image_the_right_way_up(orientation: int, photo: np.ndarray) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    data = encoded(photo, "PNG", exif=exif)
    np.testing.assert_array_equal(decode_resized(data, 37), resize(decode(data), 37))


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
