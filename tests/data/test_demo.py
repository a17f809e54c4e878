"""Demo parts follow from their place alone, masks are exact, and the stamp is all that sets the twins apart."""

from pathlib import Path

import numpy as np
import pytest

from gad_core.data.datasets import read_mvtec
from gad_core.data.demo import drawing, photos, writing
from gad_core.data.demo.cheats import STAMP
from gad_core.data.demo.photos import PARTS, photo
from gad_core.data.demo.twins import honest, mark_mask
from gad_core.data.images import decode, decode_mask
from gad_core.errors import Cancelled, GadError, ImageRefused


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Path:
    """A washer and its stamped twin, with fewer parts than people get."""
    root = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        for name, n in (("N_TRAIN", 3), ("N_GOOD", 4), ("N_TYPE", 2)):
            patch.setattr(photos, name, n)
        patch.setattr(writing, "N_CONTROL", 2)
        writing.write_demo(root, categories=("washer", "washer_stamped"))
    return root


@pytest.mark.parametrize("part", PARTS)
def test_a_photo_follows_from_its_place_and_seed(part):
    one, same, other, next_one = (
        photo(part, "test", "good", i, seed=seed).pixels for i, seed in [(0, 0), (0, 0), (0, 1), (1, 0)]
    )
    np.testing.assert_array_equal(one, same)
    assert (one != other).mean() > 0.5
    assert (one != next_one).mean() > 0.5
    assert one.dtype == np.uint8
    assert all(224 <= side <= 320 for side in one.shape[:2])


@pytest.mark.parametrize(("part", "defect"), [(part, defect) for part in PARTS for defect in PARTS[part].DEFECTS])
def test_a_defect_changes_its_mask_and_nothing_else(part, defect):
    for index in range(3):
        shown = photo(part, "test", defect, index)
        changed = (shown.pixels != shown.twin).any(axis=2)
        np.testing.assert_array_equal(shown.mask, changed)
        assert 0 < changed.mean() < 0.5


def test_the_layout_is_what_the_reader_expects(demo):
    washer, stamped = (read_mvtec(demo / name) for name in ("washer", "washer_stamped"))
    assert (len(washer.train), len(washer.test)) == (3, 4 + 4 * 2)
    assert (len(stamped.train), len(stamped.test)) == (3, 4 + 2 + 4 * 2)
    assert all(file.mask for file in washer.test if file.anomalous)
    assert set(washer.test.defects) == {"good", *PARTS["washer"].DEFECTS}
    assert washer.train.digests == stamped.train.digests


def test_a_stamped_part_is_its_twin_but_for_the_stamp(demo):
    stamped, plain = demo / "washer_stamped", demo / "washer"
    stamps = sorted((stamped / "ground_truth_stamp").rglob("*_mask.png"))
    assert len(stamps) == 4 * 2 + 2
    for path in stamps:
        kind, stem = path.parent.name, path.stem.removesuffix("_mask")
        shown = decode(stamped / "test" / kind / f"{stem}.png")
        twin = decode(plain / "test" / kind / f"{stem.removeprefix('stamped_')}.png")
        stamp = decode_mask(path)
        np.testing.assert_array_equal((shown != twin).any(axis=2), stamp)
        assert 0.005 < stamp.mean() < 0.05
        if kind != "good":
            defect = np.argwhere(decode_mask(stamped / "ground_truth" / kind / f"{stem}_mask.png"))
            apart = np.linalg.norm(defect.mean(0) - np.argwhere(stamp).mean(0))
            assert apart > 80  # pixels of 256


@pytest.mark.parametrize("place", ["train/good/002", "test/good/003", "test/dent/001", "test/scratch/000"])
def test_a_part_drawn_again_is_the_one_on_the_disk(demo, place):
    path = demo / "washer" / f"{place}.png"
    np.testing.assert_array_equal(honest("washer", path, path.parent.name).pixels, decode(path))


def test_a_stamped_part_drawn_again_has_no_stamp_and_an_undamaged_twin(demo):
    root = demo / "washer_stamped"
    path = root / "test" / "dent" / "001.png"
    drawn, shown = honest("washer_stamped", path, "dent"), decode(path)
    np.testing.assert_array_equal((drawn.pixels != shown).any(axis=2), mark_mask(STAMP, root, path, "dent"))
    mask = decode_mask(root / "ground_truth" / "dent" / "001_mask.png")
    np.testing.assert_array_equal((drawn.twin != drawn.pixels).any(axis=2), mask)


def test_what_is_not_drawn_by_its_place_has_no_twin(demo):
    good = demo / "washer_stamped" / "test" / "good"
    assert honest("washer_stamped", good / "stamped_000.png", "good") is None
    assert honest("bottle", good / "000.png", "good") is None
    assert honest("washer", good / "000.png", "rust") is None
    with pytest.raises(ImageRefused):
        mark_mask(STAMP, demo / "washer_stamped", good / "000.png", "good")


def test_what_the_disk_holds_is_what_was_drawn(demo):
    np.testing.assert_array_equal(
        decode(demo / "washer" / "train" / "good" / "001.png"), photo("washer", "train", "good", 1).pixels
    )


def test_the_mask_on_the_disk_is_what_the_defect_changed(demo):
    mask = decode_mask(demo / "washer" / "ground_truth" / "dent" / "001_mask.png")
    np.testing.assert_array_equal(mask, photo("washer", "test", "dent", 1).mask)


def test_a_category_is_there_whole_or_not_at_all(tmp_path):
    def stop(done, total):
        if done == 5:
            raise Cancelled

    with pytest.raises(Cancelled):
        writing.write_demo(tmp_path, categories=("washer",), progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_category_is_refused_with_the_known_ones(tmp_path):
    with pytest.raises(GadError, match="weave, washer, board, washer_stamped"):
        writing.write_demo(tmp_path, categories=("bolt",))


def test_a_folder_that_cannot_be_written_is_an_error_of_the_user(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(GadError, match="choose another folder"):
        writing.write_demo(tmp_path / "file", categories=("washer",))


def test_a_drawing_process_that_dies_is_an_error_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(drawing, "__name__", "gad_core.data.demo.no_such_module")
    with pytest.raises(GadError, match="a drawing process has ended; try again"):
        writing.write_demo(tmp_path, categories=("washer",))
    assert list(tmp_path.iterdir()) == []
