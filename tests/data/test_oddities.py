"""Copies are found however they were stored, strangers are not, and odd sizes and light are named."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gad_core.data import oddities
from gad_core.data.datasets import ImageFile, ImageSet, read_dataset
from gad_core.data.images import content_digest
from gad_core.errors import Cancelled


@pytest.fixture
def dataset(stripes):
    return read_dataset(stripes)


def saved(path: Path, pixels: np.ndarray, **options: object) -> ImageFile:
    Image.fromarray(pixels).save(path, **options)
    return ImageFile(path, content_digest(path))


def leaks(train: ImageSet, test: ImageSet) -> tuple[oddities.Leak, ...]:
    return oddities.leaks(train, test, oddities.thumbnails(train), oddities.thumbnails(test))


def pixels(file: ImageFile) -> np.ndarray:
    return np.asarray(Image.open(file.path).convert("RGB"))


def copies(folder: Path, file: ImageFile) -> ImageSet:
    """One photo stored anew in three ways."""
    original = pixels(file)
    height, width = original.shape[:2]
    smaller = np.asarray(Image.fromarray(original).resize((int(0.9 * width), int(0.9 * height)), 3))
    brighter = np.clip(original * 1.03, 0, 255).astype(np.uint8)
    return ImageSet(
        (
            saved(folder / "compressed.jpg", original, quality=85),
            saved(folder / "smaller.png", smaller),
            saved(folder / "brighter.png", brighter),
        )
    )


def test_a_part_of_the_demo_stored_anew_is_found_and_other_parts_are_not(tmp_path):
    from gad_core.data.demo import photo

    files = [saved(tmp_path / f"{i}.png", photo("board", "train", "good", i).pixels) for i in range(24)]
    train, strangers = ImageSet(tuple(files[:16])), ImageSet(tuple(files[16:]))
    assert leaks(train, strangers) == ()
    assert leaks(train, copies(tmp_path, files[3])) == tuple(oddities.Leak(3, row, False) for row in range(3))


def test_the_same_bytes_are_an_exact_leak_listed_first(dataset):
    train, test = dataset.train, dataset.test
    stolen = replace(train.files[5], path=test.files[0].path)
    first, *rest = leaks(train, ImageSet((*test.files, stolen)))
    assert first == oddities.Leak(5, len(test), True)
    assert not any(leak.exact for leak in rest)


def test_real_photos_on_a_fixed_stage_are_not_taken_for_copies(bottle, tmp_path):
    dataset = read_dataset(bottle)
    assert leaks(dataset.train, dataset.test) == ()
    named = leaks(dataset.train, copies(tmp_path, dataset.train.files[7]))
    assert named == tuple(oddities.Leak(7, row, False) for row in range(3))


def made(sizes=((10, 10),) * 5, brightness=(100.0,) * 5) -> list[oddities.Thumbnail]:
    return [
        oddities.Thumbnail(size, light, np.zeros(4, np.float32)) for size, light in zip(sizes, brightness, strict=True)
    ]


def test_a_size_is_odd_where_most_have_another():
    assert oddities.odd_sizes(made(sizes=((9, 9), (9, 9), (9, 8), (9, 9), (9, 9)))).tolist() == [2]
    assert oddities.odd_sizes(made(sizes=((9, 9), (9, 9), (9, 8), (9, 8), (7, 9)))).tolist() == []
    assert oddities.odd_sizes([]).tolist() == []


def test_brightness_is_odd_four_robust_deviations_out():
    light = np.array([90.0, 100, 110, 95, 105, 145, 108, 40])
    deviation = 1.482602218505602 * np.median(np.abs(light - np.median(light)))  # the normal law's MAD
    expected = np.flatnonzero(np.abs(light - np.median(light)) > 4 * deviation)
    assert 0 < len(expected) < 3
    assert oddities.odd_brightness(made(((1, 1),) * 8, light)).tolist() == expected.tolist()


def test_a_grey_level_more_or_less_is_never_odd():
    assert oddities.odd_brightness(made(brightness=(100.0, 100, 100, 100, 103))).tolist() == []


def test_light_and_contrast_leave_the_fingerprint_as_it_is(tmp_path):
    original = np.random.default_rng(0).integers(60, 180, (48, 48, 3), dtype=np.uint8)
    one = oddities.thumbnail(saved(tmp_path / "a.png", original))
    other = oddities.thumbnail(saved(tmp_path / "b.png", original // 2 + 40))
    for each in (one, other):
        assert each.fingerprint.mean() == pytest.approx(0, abs=1e-6)
    assert one.fingerprint @ other.fingerprint > 0.99
    assert one.brightness == pytest.approx(original.mean(), abs=1)


def test_a_vanished_file_is_passed_over(tmp_path, dataset):
    gone = ImageFile(tmp_path / "gone.png", "0" * 64)
    assert oddities.thumbnail(gone) is None
    assert leaks(dataset.train, ImageSet((gone,))) == ()


def test_making_thumbnails_can_be_cancelled(dataset):
    def stop(done: int, total: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        oddities.thumbnails(dataset.train, progress=stop)
