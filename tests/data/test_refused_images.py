"""What is no image, is damaged or is too large is refused with a reason, and nothing is made up."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile
from PIL.PngImagePlugin import PngImageFile

from gad_core.data.images import decode, decode_mask, image_size
from gad_core.errors import ImageRefused
from tests.data.encoding import LOSSLESS, encoded, png


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
