"""What somebody sees who looks through the folders of this machine for images."""

from pathlib import Path

import pytest

from gad_core.data.folders import Folder, check_folder, list_folder
from gad_core.errors import GadError


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("parts/train/good/0.png", "parts/test/dent/0.png", "loose/a.JPG", "loose/b.tif", "loose/notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "Empty").mkdir()
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    return tmp_path


def test_sub_folders_come_by_name_with_their_images_and_their_layout(tree):
    assert list_folder(tree).folders == (
        Folder(tree / "Empty", 0, category=False),
        Folder(tree / "loose", 2, category=False),
        Folder(tree / "parts", 0, category=True),
    )
    assert list_folder(tree / "loose").folder == Folder(tree / "loose", 2, category=False)


@pytest.mark.parametrize("name", ["parts", "loose", "parts/train/good"])
def test_a_folder_with_images_or_in_the_layout_passes(tree, name):
    assert check_folder(tree / name) == tree / name


@pytest.mark.parametrize(
    ("name", "words"),
    [("gone", "there is no"), ("loose/notes.txt", "is a file"), ("Empty", "there are no images"), (".", "no images")],
)
def test_a_folder_that_cannot_be_used_is_refused_before_any_work(tree, name, words):
    with pytest.raises(GadError, match=words):
        check_folder(tree / name)
