"""Names and places of images in a data set."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gad_core.data.datasets import read_mvtec
from gad_core.workspace.layout import count, moves_into, place, safe_name
from gad_core.workspace.moves import Moves
from gad_core.workspace.rows import Counts
from gad_core.workspace.tables import now


@pytest.mark.parametrize(
    ("foreign", "safe"),
    [
        ("part 7.PNG", "part 7.png"),
        ("../../etc/passwd.png", "passwd.png"),
        ("C:\\Users\\me\\bild.jpg", "bild.jpg"),
        ("a\x00b\n\x1b[31m.png", "ab[31m.png"),
        ('a<b>:"c|d?e*.png', "a_b___c_d_e_.png"),
        ("con.png", "_con.png"),
        ("LPT1.tar.png", "_LPT1.tar.png"),
        ("..png", "image.png"),
        (".hidden.png", "hidden.png"),
        ("", "image"),
        ("0.A.", "0.a"),
        ("über\u202egnp.png", "übergnp.png"),
        ("\ud800.png", "image.png"),
        ("x" * 300 + ".png", "x" * 120 + ".png"),
        ("ü" * 300 + ".png", "ü" * 60 + ".png"),
    ],
)
def test_foreign_names_become_safe_ones(foreign: str, safe: str) -> None:
    assert safe_name(foreign) == safe


@given(st.text(st.characters(codec=None)))
def test_any_name_can_be_written_and_stays_as_it_is_the_second_time(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    folder = tmp_path_factory.getbasetemp()
    safe = safe_name(name)
    (folder / safe).touch()
    assert (folder / safe).parent == folder
    assert safe_name(safe) == safe
    (folder / safe).unlink()


def test_a_name_taken_twice_gets_a_number_and_so_does_its_mask(tmp_path: Path, picture: Callable[..., bytes]) -> None:
    root = tmp_path / "set"
    for number, suffix in enumerate(("png", "jpg", "png")):
        (mask := tmp_path / f"{number}.png").write_bytes(picture(number))
        place(root, picture(number), name=f"a.{suffix}", split="test", defect="bent", mask=mask if number else None)
    place(root, picture(9), name="a.png", split="train", defect="good")
    bent = read_mvtec(root).test.files
    assert [file.path.name for file in bent] == ["a-2.jpg", "a-3.png", "a.png"]
    assert [file.mask and file.mask.read_bytes() for file in bent] == [picture(1), picture(2), None]


def test_images_are_counted_as_the_reader_of_the_layout_does(category: Callable[..., Path]) -> None:
    root = category()
    dataset = read_mvtec(root)
    assert count(root) == Counts(len(dataset.train), (~dataset.test.labels).sum(), dataset.test.labels.sum())


def merging(old: Path, new: Path, workshop: Path, **more: Any) -> AbstractContextManager[None]:
    workshop.mkdir(parents=True)
    return Moves("old", now(), moves_into(old, new, out=workshop / "out", **more)).made(workshop)


def test_merging_keeps_every_image_with_its_own_mask(category: Callable[..., Path], tmp_path: Path) -> None:
    old, new = category("old"), category("new")
    other = b"another mask"
    (new / "ground_truth/bent/000_mask.png").write_bytes(other)
    with merging(old, new, tmp_path / ".token/work"):
        pass
    assert count(old) == Counts(6, 4, 4)
    masks = {file.path.name: file.mask for file in read_mvtec(old).test if file.mask}
    assert set(masks) == {"000.png", "000-2.png"}
    assert masks["000-2.png"].read_bytes() == other


def test_an_image_takes_the_name_of_the_one_that_it_replaces(category: Callable[..., Path], tmp_path: Path) -> None:
    old, new = category("old"), category("new")
    with merging(old, new, tmp_path / ".token/work", replacing=old / "test/bent/000.png"):
        pass
    assert sorted(path.name for path in (old / "test/bent").iterdir()) == ["000.png", "001-2.png", "001.png"]
    assert (tmp_path / ".token/work/out/ground_truth/bent/000_mask.png").exists()


def test_a_merge_that_fails_gives_everything_back(category: Callable[..., Path], tmp_path: Path) -> None:
    old, new = category("old"), category("new")
    before = sorted(old.rglob("*")), images(new)
    replacing = old / "test/bent/000.png"
    with pytest.raises(ZeroDivisionError), merging(old, new, tmp_path / ".token/work", replacing=replacing):
        raise ZeroDivisionError
    assert (sorted(old.rglob("*")), images(new)) == before


def images(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file())
