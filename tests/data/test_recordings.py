"""How images were recorded: by their headers, and by tables beside them."""

import numpy as np
import pytest
from PIL import Image

from gad_core.data.datasets import read_mvtec
from gad_core.data.images import recorded
from gad_core.data.recordings import UNKNOWN, recordings, recordings_beside, recordings_in
from gad_core.errors import GadError, ImageRefused


@pytest.fixture
def files(tmp_path):
    """A PNG of one size, a JPEG of another with its camera, and a grey PNG."""
    folder = tmp_path / "test" / "good"
    folder.mkdir(parents=True)
    (tmp_path / "train" / "good").mkdir(parents=True)
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(256, size=(20, 30, 3), dtype=np.uint8)).save(folder / "a.png")
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Maker", "Lens 5"
    Image.fromarray(rng.integers(256, size=(10, 10, 3), dtype=np.uint8)).save(folder / "b.jpg", exif=exif)
    Image.fromarray(rng.integers(256, size=(20, 30), dtype=np.uint8)).save(folder / "c.png")
    Image.fromarray(rng.integers(256, size=(9, 9), dtype=np.uint8)).save(tmp_path / "train" / "good" / "d.png")
    return read_mvtec(tmp_path).test


def test_the_headers_say_format_size_colours_and_camera(files):
    assert recordings(files) == {
        "format": ("PNG", "JPEG", "PNG"),
        "size": ("30 x 20", "10 x 10", "30 x 20"),
        "colours": ("RGB", "RGB", "L"),
        "camera": (UNKNOWN, "Maker Lens 5", UNKNOWN),
    }


def test_a_file_that_is_gone_is_unknown(files):
    files.files[1].path.unlink()
    found = recordings(files)
    assert found["format"] == ("PNG", UNKNOWN, "PNG")
    assert "camera" not in found
    with pytest.raises(ImageRefused):
        recorded(files.files[1].path)


def test_each_column_of_a_table_is_a_property_and_an_image_without_a_line_is_unknown(files):
    table = b"file;lot;shift\ngood/a.png;7;\nb.jpg;8;night\nelsewhere.png;9;day\n"
    assert recordings_in(files, table, name="t.csv") == {
        "lot": ("7", "8", UNKNOWN),
        "shift": (UNKNOWN, "night", UNKNOWN),
    }


def test_a_table_in_the_data_sets_folder_is_read_by_itself(files, tmp_path):
    assert recordings_beside(files, tmp_path) == {}
    (tmp_path / "recordings.csv").write_text("file,camera\na.png,left\nb.jpg,right\nc.png,left\n")
    assert recordings_beside(files, tmp_path) == {"camera": ("left", "right", "left")}
    (tmp_path / "groups.csv").write_text("file,group\nb.jpg,F\n")
    assert recordings_beside(files, tmp_path)["group"] == (UNKNOWN, "F", UNKNOWN)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (b"name,lot\na.png,7\n", "needs the column file"),
        (b"file\na.png\n", "no column beside"),
        (b"file,lot\na.png,7\na.png,8\n", "puts a.png into two lots"),
        (b"\xff\xfe", "no UTF-8 text"),
        (b"", "needs the column file"),
    ],
)
def test_what_is_no_table_of_recordings_is_refused(files, table, words):
    with pytest.raises(GadError, match=words):
        recordings_in(files, table, name="t.csv")
