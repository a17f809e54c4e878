"""Files that stayed as they were are not opened again; whatever has changed is."""

import os
import time
from pathlib import Path

import numpy as np
import pytest

from gad_core.data import digests as module
from gad_core.data.datasets import look_at, read_folder
from gad_core.data.digests import Digests
from gad_core.data.images import content_digest, encode_png
from gad_core.errors import ImageRefused


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three images that nobody has touched for a minute."""
    folder = tmp_path / "parts"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.png").write_bytes(encode_png(np.full((8, 8), number, np.uint8)))
        _age(folder / f"{number}.png")
    return folder


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were opened to be looked at."""
    names: list[str] = []

    def look(path: Path) -> str:
        names.append(path.name)
        return look_at(path)

    monkeypatch.setattr(module, "look_at", look)
    return names


def _age(path: Path) -> None:
    minute_ago = time.time_ns() - 60 * 10**9
    os.utime(path, ns=(minute_ago, minute_ago))


def _read(root: Path) -> tuple[str, ...]:
    digests = Digests(root.parent / "known" / "parts.json", root)
    read = read_folder(root, look=digests.look).digests
    digests.save()
    return read


def test_files_as_they_were_are_not_opened_again(root: Path, opened: list[str]) -> None:
    first = _read(root)
    assert opened == ["0.png", "1.png", "2.png"]
    assert _read(root) == _read(root) == first
    assert len(opened) == 3


def test_a_file_written_again_is_noticed(root: Path) -> None:
    _read(root)
    (root / "1.png").write_bytes(encode_png(np.full((8, 8), 77, np.uint8)))
    assert _read(root) == tuple(content_digest(root / f"{number}.png") for number in range(3))


def test_files_that_changed_names_are_noticed_though_size_and_time_are_the_same(root: Path) -> None:
    os.utime(root / "1.png", ns=((root / "0.png").stat().st_mtime_ns,) * 2)
    before = _read(root)
    (root / "0.png").rename(root / "x")
    (root / "1.png").rename(root / "0.png")
    (root / "x").rename(root / "1.png")
    assert _read(root) == (before[1], before[0], before[2])


def test_a_file_that_has_only_just_changed_is_opened_again(root: Path, opened: list[str]) -> None:
    (root / "1.png").touch()
    _read(root)
    opened.clear()
    _read(root)
    assert opened == ["1.png"]


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"0.png": 3}', '{"0.png": [[1, 2], "x"]}', "\x00" * 40])
def test_a_damaged_memory_knows_nothing_and_is_written_anew(root: Path, opened: list[str], damage: str) -> None:
    first = _read(root)
    (root.parent / "known" / "parts.json").write_text(damage)
    assert _read(root) == first
    assert len(opened) == 6
    assert _read(root) == first
    assert len(opened) == 6


def test_what_was_refused_is_looked_at_again(root: Path, opened: list[str]) -> None:
    (root / "1.png").write_bytes(b"no image")
    _age(root / "1.png")
    _read(root)
    opened.clear()
    assert len(_read(root)) == 2
    assert opened == ["1.png"]


def test_a_file_that_is_gone_is_refused_in_words(root: Path) -> None:
    with pytest.raises(ImageRefused, match="cannot be read"):
        Digests(root / "known.json", root).look(root / "gone.png")


def test_files_that_are_gone_are_forgotten(root: Path) -> None:
    _read(root)
    (root / "1.png").unlink()
    _read(root)
    assert "1.png" not in (root.parent / "known" / "parts.json").read_text()
