"""Images that belong together, from a table or their folders, and the folds that keep them together."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.model_selection import GroupKFold

from gad_core.data.datasets import ImageFile, ImageSet
from gad_core.data.groups import default_folds, in_groups, k_folds, read_groups
from gad_core.errors import GadError


def images_of(n: int) -> ImageSet:
    return ImageSet(tuple(ImageFile(Path(f"/lots/{i % 3}/{i:03}.png"), f"{i:064x}") for i in range(n)))


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_groups_are_found_by_the_end_of_the_path(separator: str, tmp_path: Path) -> None:
    table = tmp_path / "groups.csv"
    lines = [("file", "camera", "group"), ("000.png", "x", "A"), (r"1\001.png", "x", "B"), ("lots/2/002.png", "x", "")]
    table.write_text("\r\n".join(separator.join(line) for line in lines), "utf-8-sig")
    images = in_groups(images_of(3), read_groups(table))
    assert images.groups == ("A", "B", None)
    assert images.digests == images_of(3).digests


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,group\n", "needs the columns file and group, got 'name,group'"),
        ("", "needs the columns file and group"),
        ("file,group\n000.png,A\n", r"has no line for .*001\.png"),
        ("file,group\n000.png,A\n000.png,B\n", "two groups, A and B"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused(text: str, message: str, tmp_path: Path) -> None:
    table = tmp_path / "groups.csv"
    table.write_text(text)
    with pytest.raises(GadError, match=message):
        in_groups(images_of(2), read_groups(table))


def test_a_name_that_means_two_images_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "groups.csv"
    table.write_text("file,group\na.png,A\n")
    twins = ImageSet((ImageFile(Path("/x/a.png"), "1"), ImageFile(Path("/y/a.png"), "2")))
    with pytest.raises(GadError, match=r"a\.png in .* means both /x/a\.png and /y/a\.png"):
        in_groups(twins, read_groups(table))
    table.write_text("file,group\nx/a.png,A\ny/a.png,B\n")
    assert in_groups(twins, read_groups(table)).groups == ("A", "B")


def test_a_table_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "groups.csv").write_bytes(b"\x89PNG\r\n")
    with pytest.raises(GadError, match="is no UTF-8 text; save it as CSV"):
        read_groups(tmp_path / "groups.csv")
    with pytest.raises(GadError, match=r"there is no .*; check the path"):
        read_groups(tmp_path / "gone.csv")


def test_images_of_one_folder_are_a_group() -> None:
    groups = in_groups(images_of(5), "folder").groups
    assert groups == ("/lots/0", "/lots/1", "/lots/2", "/lots/0", "/lots/1")


def test_a_table_of_digests_leaves_images_that_it_lacks_alone() -> None:
    images = images_of(3)
    table = ((images.digests[2], "B"), (images.digests[0], "A"))
    assert in_groups(images, table).groups == ("A", None, "B")


# Folds


@pytest.mark.parametrize(("n", "k"), [(10, 2), (103, 20), (7, 7)])
def test_folds_of_single_images_differ_by_at_most_one(n: int, k: int) -> None:
    sizes = np.bincount(k_folds(n, k), minlength=k)
    assert sizes.sum() == n
    assert len(sizes) == k
    assert np.ptp(sizes) <= 1


def test_groups_stay_together_and_folds_are_as_even_as_scikit_learn_makes_them() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        groups = [f"lot {g}" for g in rng.integers(0, 12, 150)]
        folds = k_folds(150, 5, groups=groups)
        assert all(len({fold for fold, g in zip(folds, groups, strict=True) if g == lot}) == 1 for lot in set(groups))
        oracle = [len(test) for _, test in GroupKFold(5).split(groups, groups=groups)]
        assert sorted(np.bincount(folds)) == sorted(oracle)


def test_images_without_a_group_stand_alone() -> None:
    groups = ["A"] * 10 + [None] * 10
    folds = k_folds(20, 2, groups=groups)
    assert len(set(folds[:10])) == 1
    assert np.bincount(folds).tolist() == [10, 10]
    assert len(set(folds[10:])) == 1  # the other fold, alone


def test_the_seed_makes_the_folds() -> None:
    np.testing.assert_array_equal(k_folds(50, 5, seed=1), k_folds(50, 5, seed=1))
    assert (k_folds(50, 5, seed=1) != k_folds(50, 5, seed=2)).any()


def test_every_image_is_as_often_in_every_fold() -> None:
    counts = sum(np.eye(4)[k_folds(10, 4, seed=seed)] for seed in range(4000)) / 4000
    expected = np.tile([0.3, 0.3, 0.2, 0.2], (10, 1))  # fold sizes 3, 3, 2, 2
    np.testing.assert_allclose(counts, expected, atol=0.03)


@pytest.mark.parametrize(("n", "k", "groups"), [(5, 6, None), (5, 1, None), (6, 3, ["A", "B"] * 3)])
def test_a_number_of_folds_that_cannot_be_made_is_refused(n: int, k: int, groups: list[str] | None) -> None:
    with pytest.raises(GadError, match=f"got {k}; change k or add groups"):
        k_folds(n, k, groups=groups)


def test_default_folds_are_many_for_few_images_but_never_more_than_groups() -> None:
    assert [default_folds(n) for n in (5, 20, 1000, 1001, 5000, 5001)] == [5, 20, 20, 10, 10, 5]
    assert default_folds(300, groups=["A", "B", "C"] * 100) == 3
    assert default_folds(300, groups=["A", None, None] * 100) == 20
