"""Bringing data sets in: what is good comes in whole, what is bad is refused, what is broken off leaves nothing."""

import shutil
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest

from gad_core.data.datasets import GOOD, read_dataset
from gad_core.errors import Cancelled, GadError
from gad_core.workspace.imports import add_demo, add_folder, add_upload, defect_type, extend_upload, relabel
from gad_core.workspace.rows import Counts
from gad_core.workspace.store import Store

Picture = Callable[..., bytes]
Spawn = Callable[..., "subprocess.Popen[str]"]


def zipped(root: Path) -> bytes:
    """A ZIP archive of a folder, the folder itself included."""
    stream = BytesIO()
    with ZipFile(stream, "w") as archive:
        for path in sorted(root.rglob("*")):
            archive.write(path, path.relative_to(root.parent))
    return stream.getvalue()


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_uploaded_images_lie_in_mvtec_layout_byte_for_byte(store: Store, picture: Picture) -> None:
    row = add_upload(store, [("a.png", picture(1)), ("b.jpg", picture(2, "JPEG"))], name="my parts")
    assert (row.name, row.kind, row.counts, row.refused) == ("my parts", "upload", Counts(train=2), ())
    assert row.root == store.home / "datasets" / row.id
    assert (row.root / "train/good/a.png").read_bytes() == picture(1)
    assert files_in(row.root) == {"train/good/a.png", "train/good/b.jpg"}
    assert len(read_dataset(row.root).train) == 2


def test_bad_files_are_refused_one_by_one_and_the_rest_comes_in(store: Store, picture: Picture) -> None:
    files = [
        ("good.png", picture()),
        ("text.png", b"a shopping list"),
        ("cut.jpg", picture(1, "JPEG")[:200]),
        ("empty.png", b""),
        ("bad.zip", b"PK\x03\x04 no archive"),
        ("odd.exe", picture(2)),
    ]
    row = add_upload(store, files, name="x")
    assert row.counts == Counts(train=1)
    assert sorted(refusal.path for refusal in row.refused) == ["bad.zip", "cut.jpg", "empty.png", "odd.exe", "text.png"]
    assert all(refusal.reason for refusal in row.refused)
    assert store.datasets.get(row.id).refused == row.refused


@pytest.mark.parametrize("files", [[], [("text.png", b"a shopping list")]])
def test_where_nothing_can_be_used_nothing_is_left(store: Store, files: list[tuple[str, bytes]]) -> None:
    with pytest.raises(GadError, match="no image could be used"):
        add_upload(store, files, name="x")
    assert store.datasets.all() == ()
    assert files_in(store.home / "datasets") == set()


def test_a_file_name_given_twice_keeps_both_images(store: Store, picture: Picture) -> None:
    row = add_upload(store, [("a.png", picture(1)), ("a.png", picture(2)), ("other/a.PNG", picture(3))], name="x")
    assert files_in(row.root) == {"train/good/a.png", "train/good/a-2.png", "train/good/a-3.png"}
    assert (row.root / "train/good/a-2.png").read_bytes() == picture(2)


def test_hostile_names_stay_inside_the_data_set(store: Store, picture: Picture) -> None:
    names = ["../../../evil.png", "/etc/evil.png", "..\\..\\evil.png", "nul.png", "\x00\x1b.png", "é" * 300 + ".png"]
    row = add_upload(store, [("../../a.png", picture(99))], name="../x")
    hostile = [(name, picture(i)) for i, name in enumerate(names)]
    row = extend_upload(store, row.id, hostile, split="test", defect="../y")
    assert row.counts == Counts(train=1, test_defective=len(names))
    assert len(files_in(row.root / "test/y")) == len(names)
    assert len(files_in(store.home / "datasets")) == len(names) + 1


def test_a_zipped_category_keeps_its_layout_and_its_masks(store: Store, category: Callable[..., Path]) -> None:
    root = category("plug")
    row = add_upload(store, [("plug.zip", zipped(root))], name="plug", split="test", defect="ignored")
    assert row.counts == Counts(3, 2, 2)
    assert files_in(row.root) == files_in(root)
    (masked,) = (file for file in read_dataset(row.root).test if file.mask)
    assert masked.mask is not None
    assert masked.mask.read_bytes() == (root / "ground_truth/bent/000_mask.png").read_bytes()


def test_a_zip_of_images_goes_where_it_is_sent(store: Store, picture: Picture) -> None:
    stream = BytesIO()
    with ZipFile(stream, "w") as archive:
        archive.writestr("lot/1.png", picture(1))
        archive.writestr("lot/deep/2.png", picture(2))
        archive.writestr("lot/broken.png", b"no image")
        archive.writestr("lot/readme.txt", b"claims to be no image")
    row = add_upload(store, [("a.png", picture(3))], name="x")
    row = extend_upload(store, row.id, [("lot.zip", stream.getvalue())], split="test", defect="bent")
    assert files_in(row.root) == {"train/good/a.png", "test/bent/1.png", "test/bent/2.png"}
    assert [refusal.path for refusal in row.refused] == ["lot.zip/broken.png"]


def test_a_damaged_mask_is_refused_and_its_image_comes_in(store: Store, category: Callable[..., Path]) -> None:
    root = category("plug")
    (root / "ground_truth/bent/000_mask.png").write_bytes(b"no mask")
    row = add_upload(store, [("plug.zip", zipped(root))], name="plug")
    assert row.counts == Counts(3, 2, 2)
    assert [refusal.path for refusal in row.refused] == ["plug.zip/test/bent/000.png (its mask)"]


def test_an_error_about_an_archive_names_the_archive_and_no_inner_path(store: Store, picture: Picture) -> None:
    stream = BytesIO()
    with ZipFile(stream, "w") as archive:
        archive.writestr("test/bent/0.png", picture())
    with pytest.raises(GadError, match=r"training images in lot\.zip") as caught:
        add_upload(store, [("lot.zip", stream.getvalue())], name="x")
    assert str(store.home) not in str(caught.value)


def test_defects_are_no_training_images(store: Store, picture: Picture) -> None:
    with pytest.raises(GadError, match="bring them as test images"):
        add_upload(store, [("a.png", picture())], name="x", defect="bent")


def test_more_images_join_an_uploaded_data_set(store: Store, picture: Picture) -> None:
    row = add_upload(store, [("a.png", picture(1)), ("bad.png", b"")], name="x")
    more = [("a.png", picture(2)), ("worse.png", b"")]
    extended = extend_upload(store, row.id, more, split="test", defect="bent")
    extended = extend_upload(store, row.id, [("a.png", picture(3))])
    assert extended.counts == Counts(train=2, test_defective=1)
    assert [refusal.path for refusal in extended.refused] == ["bad.png", "worse.png"]
    assert extended.modified > row.modified
    assert store.datasets.all() == (extended,)
    assert (row.root / "train/good/a.png").read_bytes() == picture(1)
    assert (row.root / "train/good/a-2.png").read_bytes() == picture(3)


def test_many_who_extend_one_data_set_at_once_lose_no_image(store: Store, picture: Picture) -> None:
    row = add_upload(store, [("a.png", picture(0))], name="x")
    together = threading.Barrier(8)

    def extend(number: int) -> None:
        together.wait(5)
        extend_upload(store, row.id, [("a.png", picture(number))])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(extend, range(1, 9)))
    assert store.datasets.get(row.id).counts == Counts(train=9)
    assert {path.read_bytes() for path in (row.root / "train/good").iterdir()} == {picture(i) for i in range(9)}


def test_only_an_uploaded_data_set_can_be_extended(
    store: Store, picture: Picture, category: Callable[..., Path]
) -> None:
    row = add_folder(store, category())
    with pytest.raises(GadError, match="only an uploaded data set"):
        extend_upload(store, row.id, [("a.png", picture())])
    with pytest.raises(GadError, match="there is no data set 'nonsense'"):
        extend_upload(store, "nonsense", [("a.png", picture())])


@pytest.mark.sqlite
def test_an_extension_that_cannot_be_recorded_leaves_the_data_set_as_it_was(
    store: Store, picture: Picture, fill_up: Callable[[], None]
) -> None:
    row = add_upload(store, [("a.png", picture(1))], name="x")
    fill_up()
    with pytest.raises(GadError, match="the disk is full; free some space"):
        extend_upload(store, row.id, [("b.png", picture(2)), ("long" * 100_000 + ".png", b"")])
    assert files_in(store.home / "datasets") == {f"{row.id}/train/good/a.png"}
    assert store.datasets.all() == (row,)


def test_an_image_gets_another_label_and_takes_its_mask_along(store: Store, picture: Picture) -> None:
    row = add_upload(store, [("c.png", picture(3))], name="x")
    files = [("a.png", picture(1)), ("a_mask.png", picture(7)), ("b.png", picture(2))]
    row = extend_upload(store, row.id, files, split="test", defect="bent")
    file = read_dataset(row.root).test.files[0]
    changed = relabel(store, row.id, file, split="test", defect="cracked")
    (moved,) = [file for file in read_dataset(changed.root).test if file.defect == "cracked"]
    assert (moved.path.read_bytes(), moved.mask.read_bytes()) == (picture(1), picture(7))
    assert len(files_in(row.root)) == 4
    changed = relabel(store, row.id, moved, split="train", defect=GOOD)
    assert changed.counts == Counts(train=2, test_defective=1)
    assert changed.modified > row.modified


def test_an_image_gets_a_mask_and_keeps_its_name(store: Store, picture: Picture) -> None:
    row = add_upload(store, [("b.png", picture(2))], name="x")
    extend_upload(store, row.id, [("a.png", picture(1))], split="test", defect="bent")
    (file,) = read_dataset(row.root).test.files
    relabel(store, row.id, file, split="test", defect="bent", mask=picture(7))
    (masked,) = read_dataset(row.root).test.files
    assert masked.path == file.path
    assert masked.mask.read_bytes() == picture(7)


def test_a_data_set_always_has_good_parts_to_fit(store: Store, picture: Picture) -> None:
    with pytest.raises(GadError, match="needs good parts to fit"):
        add_upload(store, [("a.png", picture(1))], name="x", split="test", defect="bent")
    row = add_upload(store, [("a.png", picture(1))], name="x")
    (file,) = read_dataset(row.root).train.files
    with pytest.raises(GadError, match="needs good parts to fit"):
        relabel(store, row.id, file, split="test", defect=GOOD)
    assert files_in(store.home / "datasets") == {f"{row.id}/train/good/a.png"}
    assert store.datasets.all() == (row,)


@pytest.mark.sqlite
def test_a_label_that_cannot_be_changed_leaves_the_data_set_as_it_was(
    store: Store, picture: Picture, category: Callable[..., Path], fill_up: Callable[[], None]
) -> None:
    row = add_upload(store, [("a.png", picture(1)), ("b" * 100 + ".png", picture(2))], name="x")
    file = read_dataset(row.root).train.files[0]
    before = files_in(store.home / "datasets")
    with pytest.raises(GadError, match="must be normal"):
        relabel(store, row.id, file, split="train", defect="bent")
    with pytest.raises(GadError, match="the mask cannot be used"):
        relabel(store, row.id, file, split="test", defect="bent", mask=b"")
    folder = add_folder(store, category())
    with pytest.raises(GadError, match="only an uploaded data set"):
        relabel(store, folder.id, read_dataset(folder.root).train.files[0], split="test", defect="bent")
    with pytest.raises(GadError, match="is gone meanwhile"):
        relabel(store, row.id, replace(file, path=file.path.with_name("no.png")), split="test", defect="bent")
    assert files_in(store.home / "datasets") == before


def test_a_cancelled_upload_leaves_nothing(store: Store, picture: Picture) -> None:
    def progress(done: int, total: int) -> None:
        if done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        add_upload(store, [(f"{i}.png", picture(i)) for i in range(3)], name="x", progress=progress)
    assert store.datasets.all() == ()
    assert files_in(store.home / "datasets") == set()


def test_progress_counts_every_image_once(store: Store, picture: Picture) -> None:
    seen: list[tuple[int, int]] = []
    files = [(f"{i}.png", picture(i)) for i in range(3)]
    add_upload(store, files, name="x", progress=lambda done, total: seen.append((done, total)))
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_a_folder_is_registered_where_it_lies(store: Store, category: Callable[..., Path]) -> None:
    root = category("plug")
    (root / "train/good/cut.png").write_bytes((root / "train/good/000.png").read_bytes()[:-40])
    before = files_in(root)
    row = add_folder(store, root)
    assert (row.name, row.kind, row.root, row.counts) == ("plug", "folder", root, Counts(3, 2, 2))
    assert [refusal.path for refusal in row.refused] == [str(root / "train/good/cut.png")]
    assert files_in(root) == before
    assert files_in(store.home / "datasets") == set()


def test_a_folder_registered_again_is_looked_through_again(store: Store, category: Callable[..., Path]) -> None:
    root = category("plug")
    first = add_folder(store, root)
    (root / "train/good/000.png").unlink()
    second = add_folder(store, root / ".." / "plug")
    assert (second.id, second.counts) == (first.id, Counts(2, 2, 2))
    assert store.datasets.all() == (second,)


def test_a_plain_folder_is_all_training(store: Store, category: Callable[..., Path]) -> None:
    assert add_folder(store, category() / "train" / "good").counts == Counts(train=3)


def test_a_folder_without_images_is_an_error_in_words(store: Store, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(GadError, match="no images"):
        add_folder(store, tmp_path / "empty")
    (tmp_path / "empty/text.png").write_bytes(b"a shopping list")
    with pytest.raises(GadError, match="no image could be used"):
        add_folder(store, tmp_path / "empty")
    assert store.datasets.all() == ()


def test_a_demo_category_is_written_once(store: Store) -> None:
    first = add_demo(store, "weave")
    assert add_demo(store, "weave") == first
    assert store.datasets.all() == (first,)
    dataset = read_dataset(first.root)
    assert first.name == "weave"
    assert first.counts == Counts(len(dataset.train), (~dataset.test.labels).sum(), dataset.test.labels.sum())


def test_two_who_bring_the_same_demo_at_once_share_one(
    store: Store, category: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, both_are_writing = category(), threading.Barrier(2)

    def write(root: Path, **_: object) -> tuple[Path, ...]:
        shutil.copytree(source, root / "weave")
        both_are_writing.wait(5)
        return (root / "weave",)

    monkeypatch.setattr("gad_core.workspace.imports.write_demo", write)
    with ThreadPoolExecutor() as pool:
        first, second = pool.map(lambda _: add_demo(store, "weave"), range(2))
    assert first == second
    assert store.datasets.all() == (first,)
    assert len(files_in(store.home / "datasets")) == len(files_in(source))


KILLED = """
import sys
from pathlib import Path
from gad_core.workspace import datasets, imports
from gad_core.workspace.store import Store

def stop(*_):
    print("here", flush=True)
    sys.stdin.readline()

store, where, picture = Store(Path(sys.argv[1])), sys.argv[2], Path(sys.argv[3]).read_bytes()
files = [(f"{i}.png", picture) for i in range(6)]
if where == "while decoding":
    imports.add_upload(store, files, name="x", progress=lambda done, _: done == 3 and stop())
elif where == "before the commit":
    store.datasets._row = stop
    imports.add_upload(store, files, name="x")
elif where == "while merging":
    rename, calls = Path.rename, iter(range(100))
    Path.rename = lambda *a: (rename(*a), next(calls) == 2 and stop())  # three are moved
    imports.extend_upload(store, sys.argv[4], files)
elif where == "after merging":
    datasets.count = stop
    imports.extend_upload(store, sys.argv[4], files)
"""


def kill(spawn: Spawn, home: Path, where: str, picture: bytes, dataset_id: str = "") -> None:
    """Kill -9 a process at a certain point of its import."""
    (home.parent / "picture.png").write_bytes(picture)
    process = spawn(KILLED, home, where, home.parent / "picture.png", dataset_id)
    assert process.stdout is not None
    assert process.stdout.readline() == "here\n"
    process.kill()
    process.wait()


@pytest.mark.parametrize("where", ["while decoding", "before the commit"])
def test_a_killed_upload_leaves_no_half_data_set(tmp_path: Path, spawn: Spawn, picture: Picture, where: str) -> None:
    kill(spawn, tmp_path / "home", where, picture())
    assert len(files_in(tmp_path / "home/datasets")) >= 3  # it had come that far
    with Store(tmp_path / "home") as store:
        assert store.datasets.all() == ()
        assert list((store.home / "datasets").iterdir()) == []


@pytest.mark.parametrize("where", ["while merging", "after merging"])
def test_a_killed_extension_is_undone_at_the_next_start(
    tmp_path: Path, spawn: Spawn, picture: Picture, where: str
) -> None:
    with Store(tmp_path / "home") as store:
        row = add_upload(store, [("0.png", picture(1))], name="x")
    kill(spawn, tmp_path / "home", where, picture(2), row.id)
    with Store(tmp_path / "home") as store:
        assert store.datasets.get(row.id) == row
        assert (row.root / "train/good/0.png").read_bytes() == picture(1)
        assert len(files_in(store.home / "datasets")) == 1


FULL = """
import resource, sys
from pathlib import Path
from gad_core.errors import GadError
from gad_core.workspace.imports import add_upload
from gad_core.workspace.store import Store
with Store(Path(sys.argv[1])) as store:
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
    small, big = (Path(path).read_bytes() for path in sys.argv[2:])
    try:
        add_upload(store, [("small.png", small), ("big.png", big)], name="x")
    except GadError as error:
        print(error)
"""


def test_a_disk_that_takes_no_more_leaves_nothing(tmp_path: Path, spawn: Spawn, picture: Picture) -> None:
    pytest.importorskip("resource", reason="limits the size of files, which this system cannot")
    (tmp_path / "small.png").write_bytes(picture())
    (tmp_path / "big.png").write_bytes(picture(size=400))
    out, _ = spawn(FULL, tmp_path / "home", tmp_path / "small.png", tmp_path / "big.png").communicate()
    assert out.startswith(f"cannot write in the workspace {tmp_path / 'home'} (File too large)")
    with Store(tmp_path / "home") as store:
        assert store.datasets.all() == ()
        assert files_in(store.home / "datasets") == set()


@pytest.mark.parametrize("named", ["good", "Good", " GOOD ", "good.", "x/good", "go\u200bod", "ｇｏｏｄ"])
def test_no_type_of_defect_is_filed_as_good(store: Store, picture: Picture, named: str) -> None:
    with pytest.raises(GadError, match=r"is no type of defect; name what is wrong"):
        defect_type(named)
    if named != GOOD:
        with pytest.raises(GadError, match=r"is no type of defect"):
            add_upload(store, [("a.png", picture())], name="x", split="test", defect=named)
        assert store.datasets.all() == ()


def test_an_archive_in_layout_whose_defects_are_called_good_has_them_refused_by_name(
    store: Store, category: Callable[..., Path]
) -> None:
    root = category()
    (root / "test/bent").rename(root / "test/Good")
    row = add_upload(store, [("plug.zip", zipped(root))], name="x")
    assert row.counts == Counts(train=3, test_normal=2)
    assert {refusal.reason for refusal in row.refused} == {
        "its folder Good is no type of defect; move it to test/good or name the type of defect"
    }


def test_looking_through_folders_can_be_stopped_at_every_entry(store: Store, category: Callable[..., Path]) -> None:
    seen = []

    def stop(done: int, total: int) -> None:
        seen.append((done, total))
        if len(seen) == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        add_folder(store, category(), progress=stop)
    assert seen == [(0, 0), (0, 0)]  # of 7 images, none was opened
