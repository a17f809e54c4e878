"""Which pictures show the same part is read from names, folders or a table, and never guessed in silence."""

from pathlib import Path

import pytest

from gad_core.data.datasets import ImageFile, ImageSet
from gad_core.data.parts import in_parts, part_of, read_parts, way_of
from gad_core.errors import GadError


def images(*paths: str) -> ImageSet:
    return ImageSet(tuple(ImageFile(Path(path), f"{i:064x}") for i, path in enumerate(paths)))


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("partA_1.png", "partA"),
        ("partA_12.jpeg", "partA"),
        ("washer-7_2.png", "washer-7"),
        ("washer 7 (2).png", "washer 7"),
        ("lot.3.04.tif", "lot.3"),
        ("0001 2.bmp", "0001"),
        ("partA1.png", None),
        ("7.png", None),
        ("_1.png", None),
        ("partA_b.png", None),
    ],
)
def test_a_part_is_what_stands_before_the_last_number(name, part):
    assert part_of(name) == part


@pytest.mark.parametrize(
    ("paths", "way", "parts"),
    [
        (("x/a_1.png", "x/a_2.png", "x/b_1.png"), "names", ("a", "a", "b")),
        (("x/a/1.png", "x/a/2.png", "x/b/1.png"), "folders", ("a", "a", "b")),
        (("a/x_1.png", "a/y_1.png", "b/x_2.png"), "names", ("x", "y", "x")),
        (("a/img_1.png", "a/img_2.png", "b/img_1.png"), "folders", ("a", "a", "b")),
        (("x/a/1.png", "y/a/1.png", "y/a/2.png"), "folders", ("x/a", "y/a", "y/a")),
        (("one/a_1.png", "one/b_1.png", "two/a_2.png", "two/b_2.png"), "names", ("a", "b", "a", "b")),
    ],
)
def test_the_way_is_the_one_that_the_folders_suggest(paths, way, parts):
    assert way_of(images(*paths).files) == way
    assert in_parts(images(*paths)).groups == parts


def test_a_table_says_it_whatever_the_names(tmp_path):
    table = tmp_path / "parts.csv"
    table.write_text("path;part\nx/1.png;left\nx/2.png;left\n3.png;right\n")
    assert in_parts(images("/d/x/1.png", "/d/x/2.png", "/d/x/3.png"), read_parts(table)).groups == (
        "left",
        "left",
        "right",
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("file,part\n1.png,a\n", "needs the columns path and part"),
        ("path,part\n1.png,a\n1.png,b\n", "into two parts, a and b"),
        ("path,part\n2.png,a\n", r"table of parts has no line for .*1\.png"),
    ],
)
def test_a_table_that_does_not_say_it_is_refused(tmp_path, text, words):
    table = tmp_path / "parts.csv"
    table.write_text(text)
    with pytest.raises(GadError, match=words):
        in_parts(images("/d/1.png"), read_parts(table))


def test_a_name_that_tells_no_part_says_how_to_tell_it():
    with pytest.raises(GadError, match=r"front\.png tells no part; name pictures of one part partA_1"):
        in_parts(images("x/a_1.png", "x/front.png"))


def test_a_copy_is_no_repetition():
    twice = ImageSet((ImageFile(Path("a_1.png"), "f" * 64), ImageFile(Path("a_2.png"), "f" * 64)))
    with pytest.raises(GadError, match=r"a_1\.png and a_2\.png are the same picture"):
        in_parts(twice)
