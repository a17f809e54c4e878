"""Archives: a good one lands in layout, and a bad one leaves nothing behind."""

import shutil
import stat
import struct
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZIP_STORED, ZipFile, ZipInfo

import numpy as np
import pytest

from gad_core.data.archives import unpack_zip
from gad_core.data.datasets import read_dataset
from gad_core.data.images import encode_png
from gad_core.errors import Cancelled, GadError

IMAGE = encode_png(np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8))


def zipped(members: dict[str, bytes], compression: int = ZIP_DEFLATED) -> bytes:
    stream = BytesIO()
    with ZipFile(stream, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return stream.getvalue()


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def assert_refused(source: bytes | Path, message: str, tmp_path: Path, **limits: float) -> None:
    before = tree(tmp_path)
    into = tmp_path / "place" / "into"
    into.parent.mkdir()
    with pytest.raises(GadError, match=message) as refused:
        unpack_zip(source, into, **limits)
    assert "; " in str(refused.value)
    assert list(into.parent.iterdir()) == []
    assert tree(tmp_path) == before


@pytest.mark.parametrize("compression", [ZIP_STORED, ZIP_DEFLATED, ZIP_BZIP2, ZIP_LZMA])
def test_files_come_out_as_they_went_in(compression: int, tmp_path: Path) -> None:
    members = {"a.png": IMAGE, "b/c.png": IMAGE[::-1], "b/größe.txt": b""}
    unpack_zip(zipped(members, compression), tmp_path / "into")
    assert tree(tmp_path / "into") == members
    assert [path.name for path in tmp_path.iterdir()] == ["into"]


def test_a_path_is_unpacked_like_its_bytes(tmp_path: Path) -> None:
    source = tmp_path / "images.zip"
    source.write_bytes(zipped({"a.png": IMAGE}))
    unpack_zip(source, tmp_path / "into")
    assert tree(tmp_path / "into") == {"a.png": IMAGE}


def test_a_zipped_category_lands_in_layout(tmp_path: Path) -> None:
    inside = ["train/good/0.png", "test/good/0.png", "test/dent/0.png", "ground_truth/dent/0_mask.png"]
    rubbish = {"__MACOSX/washer/._0.png": b"x", ".DS_Store": b"x", "washer/.hidden/0.png": b"x"}
    unpack_zip(zipped({f"washer/{name}": IMAGE for name in inside} | rubbish), tmp_path / "into")
    assert sorted(tree(tmp_path / "into")) == sorted(inside)
    assert read_dataset(tmp_path / "into", need_test=True).test.defects == ("dent", "good")


def test_a_folder_of_the_layout_is_not_taken_off(tmp_path: Path) -> None:
    unpack_zip(zipped({"test/good/0.png": IMAGE, "test/dent/0.png": IMAGE}), tmp_path / "into")
    assert sorted(tree(tmp_path / "into")) == ["test/dent/0.png", "test/good/0.png"]


def test_backslashes_separate_folders(tmp_path: Path) -> None:
    unpack_zip(zipped({"lot\\": b"", "lot\\a.png": IMAGE, "b.png": IMAGE}), tmp_path / "into")
    assert sorted(tree(tmp_path / "into")) == ["b.png", "lot/a.png"]


@pytest.mark.parametrize(
    "name", ["../a.png", "b/../../a.png", "/etc/a.png", "..\\a.png", "C:\\a.png", "C:a.png", "\\\\server\\share\\a.png"]
)
def test_paths_out_of_the_folder_are_refused(name: str, tmp_path: Path) -> None:
    assert_refused(zipped({"good.png": IMAGE, name: IMAGE}), "would write outside its folder", tmp_path)


def test_links_are_refused(tmp_path: Path) -> None:
    stream = BytesIO()
    with ZipFile(stream, "w") as archive:
        link = ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc")
        archive.writestr("link/passwd", b"")
    assert_refused(stream.getvalue(), "holds a link", tmp_path)


def test_a_bomb_is_refused_by_its_ratio(tmp_path: Path) -> None:
    assert_refused(zipped({"a.bmp": bytes(10_000_000)}), "times its size and at most 200 times", tmp_path)


def test_too_much_and_too_many_are_refused(tmp_path: Path) -> None:
    three = zipped({f"{i}.png": IMAGE for i in range(3)})
    assert_refused(three, "3 files and at most 2 are unpacked; split it", tmp_path, max_files=2)
    (tmp_path / "place").rmdir()
    assert_refused(three, "GiB are unpacked; split it", tmp_path, max_bytes=3 * len(IMAGE) - 1)
    unpack_zip(three, tmp_path / "into", max_files=3, max_bytes=3 * len(IMAGE))


def test_a_bomb_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    truthful = zipped({"a.bmp": bytes(10_000_000)})
    lying = truthful.replace(struct.pack("<I", 10_000_000), struct.pack("<I", 1000))
    assert_refused(lying, "is damaged", tmp_path)


def test_an_encrypted_archive_is_refused(tmp_path: Path) -> None:
    data = bytearray(zipped({"a.png": IMAGE}))
    for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.index(signature) + offset] |= 1
    assert_refused(bytes(data), "is encrypted; pack it again without a password", tmp_path)


@pytest.mark.parametrize("compression", [ZIP_STORED, ZIP_DEFLATED, ZIP_BZIP2, ZIP_LZMA])
def test_a_damaged_member_leaves_nothing_even_of_those_before_it(compression: int, tmp_path: Path) -> None:
    data = bytearray(zipped({"a.png": IMAGE, "b.png": IMAGE}, compression))
    middle = data.index(b"b.png") + 100
    data[middle : middle + 4] = b"\xff" * 4
    assert_refused(bytes(data), "the ZIP archive", tmp_path)


@pytest.mark.parametrize(
    "source", [b"", b"not an archive", zipped({"a.png": IMAGE})[:-30], b"Rar!\x1a\7\0" + bytes(99)]
)
def test_what_is_no_archive_is_refused(source: bytes, tmp_path: Path) -> None:
    assert_refused(source, "is damaged or of an unknown kind; pack or copy it again", tmp_path)


def test_damage_anywhere_is_a_plain_error_and_leaves_nothing(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    good = zipped({"a.png": IMAGE, "b/c.png": IMAGE})
    for _ in range(500):
        data = np.frombuffer(good, np.uint8).copy()
        data[rng.integers(0, len(data), 3)] = rng.integers(0, 256, 3)
        try:
            unpack_zip(data.tobytes(), tmp_path / "into")
        except GadError:
            assert list(tmp_path.iterdir()) == []
        else:
            shutil.rmtree(tmp_path / "into")


@pytest.mark.parametrize("members", [{}, {"folder/": b""}, {"__MACOSX/a.png": IMAGE}])
def test_an_archive_without_files_is_refused(members: dict[str, bytes], tmp_path: Path) -> None:
    assert_refused(zipped(members), "holds no files; pack the folder", tmp_path)


def test_two_files_in_one_place_are_refused(tmp_path: Path) -> None:
    assert_refused(zipped({"b/a.png": IMAGE, "b\\a.png": IMAGE}), "holds b/a.png twice", tmp_path)
    (tmp_path / "place").rmdir()
    assert_refused(zipped({"b": IMAGE, "b/a.png": IMAGE}), "cannot be unpacked", tmp_path)


def test_an_archive_that_is_not_there_is_named_so(tmp_path: Path) -> None:
    assert_refused(tmp_path / "gone.zip", r"cannot be unpacked \(No such file", tmp_path)


def test_a_folder_that_exists_is_never_touched(tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("kept")
    with pytest.raises(GadError, match="exists already"):
        unpack_zip(zipped({"kept.txt": b"overwritten"}), tmp_path)
    assert tree(tmp_path) == {"kept.txt": b"kept"}


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfileobj", full)
    assert_refused(zipped({"a.png": IMAGE}), r"No space left on device\); check", tmp_path)


def test_progress_counts_files_and_a_cancel_leaves_nothing(tmp_path: Path) -> None:
    source = zipped({f"{i}.png": IMAGE for i in range(3)} | {"empty/": b""})
    steps: list[tuple[int, int]] = []
    unpack_zip(source, tmp_path / "into", progress=lambda done, total: steps.append((done, total)))
    assert steps == [(1, 3), (2, 3), (3, 3)]

    def stop(done: int, total: int) -> None:
        if done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        unpack_zip(source, tmp_path / "again", progress=stop)
    assert [path.name for path in tmp_path.iterdir()] == ["into"]
