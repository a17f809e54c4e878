"""Folders to sets of images: labels, masks, and an answer to every wrong folder."""

import hashlib
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from gad_core.data.datasets import Dataset, ImageSet, read_dataset, read_folder, read_mvtec
from gad_core.data.images import encode_png
from gad_core.errors import Cancelled, GadError


def put(path: Path, shade: int = 0) -> Path:
    """A small image whose content depends on `shade`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_png(np.full((4, 5, 3), shade, np.uint8)))
    return path


@pytest.fixture
def category(tmp_path: Path) -> Path:
    """A category in MVTec layout with every kind of mask there may be."""
    root = tmp_path / "washer"
    for i in range(3):
        put(root / "train" / "good" / f"{i:03}.png", i)
    put(root / "test" / "good" / "000.png", 10)
    put(root / "test" / "scratch" / "000.png", 11)
    put(root / "test" / "scratch" / "001.png", 12)
    put(root / "test" / "dent" / "lot7" / "000.png", 13)
    put(root / "ground_truth" / "scratch" / "000_mask.png")
    put(root / "ground_truth" / "dent" / "lot7" / "000.png")
    put(root / "ground_truth" / "good" / "000_mask.png")  # some data sets ship empty masks of normal images
    return root


def names(images: ImageSet, root: Path) -> list[str]:
    return [file.path.relative_to(root).as_posix() for file in images]


# Reading


def test_a_category_is_read_with_labels_defects_and_masks(category: Path) -> None:
    dataset = read_mvtec(category)
    assert (dataset.name, dataset.root) == ("washer", category)
    assert names(dataset.train, category) == [f"train/good/{i:03}.png" for i in range(3)]
    assert not dataset.train.labels.any()
    by_name = dict(zip(names(dataset.test, category / "test"), dataset.test, strict=True))
    assert {name: (file.defect, file.anomalous, file.mask) for name, file in by_name.items()} == {
        "dent/lot7/000.png": ("dent", True, category / "ground_truth/dent/lot7/000.png"),
        "good/000.png": ("good", False, None),
        "scratch/000.png": ("scratch", True, category / "ground_truth/scratch/000_mask.png"),
        "scratch/001.png": ("scratch", True, None),
    }
    np.testing.assert_array_equal(dataset.test.labels, [defect != "good" for defect in dataset.test.defects])


def test_the_digest_is_that_of_the_file(category: Path) -> None:
    for file in read_mvtec(category).train:
        assert file.digest == hashlib.sha256(file.path.read_bytes()).hexdigest()


def test_a_category_without_test_and_masks_can_be_trained_on(tmp_path: Path) -> None:
    put(tmp_path / "train" / "good" / "a.png")
    dataset = read_dataset(tmp_path)
    assert (len(dataset.train), len(dataset.test)) == (1, 0)


def test_a_plain_folder_is_a_data_set_of_normal_images(tmp_path: Path) -> None:
    put(tmp_path / "b.PNG")
    put(tmp_path / "monday" / "a.png")
    dataset = read_dataset(tmp_path)
    assert dataset == Dataset(tmp_path.name, tmp_path, read_folder(tmp_path), ImageSet(()))
    assert names(dataset.train, tmp_path) == ["b.PNG", "monday/a.png"]
    assert dataset.train.defects == ("good", "good")


def test_what_cannot_be_meant_as_an_image_is_passed_over(tmp_path: Path) -> None:
    put(tmp_path / "a.png")
    put(tmp_path / "._a.png")
    put(tmp_path / ".cache" / "b.png")
    for name in ("Thumbs.db", ".DS_Store", "notes.txt", "groups.csv", "no_suffix"):
        (tmp_path / name).write_text("x")
    images = read_folder(tmp_path)
    assert names(images, tmp_path) == ["a.png"]
    assert images.refused == ()


def test_what_looks_like_an_image_and_is_none_is_refused_and_the_rest_goes_on(tmp_path: Path) -> None:
    put(tmp_path / "a.png")
    (tmp_path / "b.png").write_text("meeting notes")
    (tmp_path / "c.gif").write_bytes(b"GIF89a" + bytes(20))
    (tmp_path / "d.jpg").touch()
    images = read_folder(tmp_path)
    assert names(images, tmp_path) == ["a.png"]
    reasons = {Path(refusal.path).name: refusal.reason for refusal in images.refused}
    assert "convert it" in reasons["b.png"]
    assert "convert it" in reasons["c.gif"]
    assert "empty" in reasons["d.jpg"]
    assert all(refusal.path == str(tmp_path / Path(refusal.path).name) for refusal in images.refused)


def test_test_images_without_a_type_are_refused_rather_than_guessed(category: Path) -> None:
    put(category / "test" / "stray.png")
    dataset = read_mvtec(category)
    assert len(dataset.test) == 4
    assert [(Path(r.path).name, "move it to test/good" in r.reason) for r in dataset.test.refused] == [
        ("stray.png", True)
    ]


def test_the_same_content_twice_is_allowed(tmp_path: Path) -> None:
    put(tmp_path / "a.png", 7)
    put(tmp_path / "b.png", 7)
    first, second = read_folder(tmp_path).digests
    assert first == second


def test_links_are_followed_but_never_in_circles(tmp_path: Path) -> None:
    put(tmp_path / "elsewhere" / "a.png")
    folder = tmp_path / "folder"
    put(folder / "b.png")
    (folder / "link").symlink_to(tmp_path / "elsewhere")
    (folder / "loop").symlink_to(folder)
    assert names(read_folder(folder), folder) == ["b.png", "link/a.png"]


def test_reading_never_decodes_pixels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "a.png")
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", None)
    assert len(read_folder(tmp_path)) == 1


def test_progress_counts_every_file_and_can_stop_the_reading(category: Path) -> None:
    steps: list[tuple[int, int]] = []
    read_dataset(category, progress=lambda done, total: steps.append((done, total)))
    assert steps == [(i, 7) for i in range(1, 8)]

    def stop(done: int, total: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        read_dataset(category, progress=stop)


def test_the_real_category_has_its_published_counts(bottle: Path) -> None:
    dataset = read_dataset(bottle, need_test=True)
    assert len(dataset.train) == 209
    assert Counter(dataset.test.defects) == {"good": 20, "broken_large": 20, "broken_small": 22, "contamination": 21}
    assert sum(file.mask is not None for file in dataset.test) == 63
    assert not dataset.train.refused + dataset.test.refused


# Wrong folders


def test_an_empty_folder_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(GadError, match=r"there are no images in .*; give a folder with PNG"):
        read_dataset(tmp_path)


@pytest.mark.parametrize("read", [read_dataset, read_mvtec, read_folder])
def test_a_folder_that_is_not_there_is_named(read, tmp_path: Path) -> None:
    with pytest.raises(GadError, match=r"there is no .*gone; check the path"):
        read(tmp_path / "gone")


@pytest.mark.parametrize("read", [read_dataset, read_mvtec, read_folder])
def test_a_file_in_place_of_a_folder_is_named(read, tmp_path: Path) -> None:
    with pytest.raises(GadError, match=r"a\.png is a file; give the folder"):
        read(put(tmp_path / "a.png"))


@pytest.mark.parametrize("locked", [".", "train/good", "test/scratch"])
def test_a_folder_that_may_not_be_read_is_named(locked: str, category: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed, scandir = category / locked, os.scandir

    def refuse(path: Path) -> object:  # a test run as root may read every folder
        if path == closed:
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    monkeypatch.setattr(Path, "iterdir", lambda self: iter([Path(entry) for entry in refuse(self)]))
    for read in (read_dataset, read_mvtec):
        with pytest.raises(GadError, match=r"cannot be read \(Permission denied\); allow reading it"):
            read(category)


def test_a_category_without_test_is_told_where_it_is_needed(tmp_path: Path) -> None:
    put(tmp_path / "train" / "good" / "a.png")
    with pytest.raises(GadError, match="has no test images to read; put some into test/good"):
        read_dataset(tmp_path, need_test=True)


def test_a_plain_folder_has_no_test_images(tmp_path: Path) -> None:
    put(tmp_path / "a.png")
    with pytest.raises(GadError, match="has no test images"):
        read_dataset(tmp_path, need_test=True)


@pytest.mark.parametrize("only", ["test/good/a.png", "ground_truth/dent/a.png", "train/a.png"])
def test_parts_of_a_category_are_never_taken_for_normal_images(only: str, tmp_path: Path) -> None:
    put(tmp_path / only)
    with pytest.raises(GadError, match=r"there are no training images in .*good; put the normal images there"):
        read_dataset(tmp_path)
    with pytest.raises(GadError, match="is a whole category; give a folder of normal images only"):
        read_folder(tmp_path)


def test_a_folder_of_categories_asks_to_choose_one(tmp_path: Path) -> None:
    for name in ("washer", "board"):
        put(tmp_path / name / "train" / "good" / "a.png")
    with pytest.raises(GadError, match="choose one of them: board, washer"):
        read_dataset(tmp_path)


# Sets


def test_a_part_of_a_set_keeps_order_and_labels(category: Path) -> None:
    images = read_mvtec(category).test
    part = images.where(images.labels)
    assert part.labels.all()
    assert [file.path for file in part] == [file.path for file in images if file.anomalous]
    with pytest.raises(ValueError, match="argument"):
        images.where([True])


def test_an_empty_set_has_empty_labels() -> None:
    assert ImageSet(()).labels.shape == (0,)
    assert ImageSet(()).groups is None
