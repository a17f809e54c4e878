"""A saved detector comes back bit for bit, and a file that is not sound is refused with the way out."""

import json
import time
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from gad_core.data.datasets import Refusal
from gad_core.errors import GadError
from gad_core.gaussian.detector_file import load_detector
from gad_core.gaussian.detector_writing import SCHEMA
from gad_core.gaussian.reduction import ALL, Reduction
from gad_core.gaussian.tuning import WorkingPoint


@pytest.fixture
def saved(detector, tmp_path):
    path = tmp_path / "part.gad"
    detector.save(path)
    return path


def test_a_reloaded_detector_scores_bit_for_bit(detector, saved, features):
    loaded = load_detector(saved)
    for keep in (ALL, Reduction("npca", 0.05), Reduction("pca", 0.9)):
        np.testing.assert_array_equal(
            loaded.distances(loaded.coordinates(features), keep),
            detector.distances(detector.coordinates(features), keep),
        )
        np.testing.assert_array_equal(loaded.left_out_distances(keep), detector.left_out_distances(keep))


def test_everything_else_comes_back_too(detector, tmp_path):
    point = WorkingPoint("cross-conformal", 0.05, 12.5, 50, "from 50 left-out images", level="2")
    detector = replace(detector, working_point=point, refused=(Refusal("bad.png", "no image"),))
    detector.save(tmp_path / "a.gad")
    loaded = load_detector(tmp_path / "a.gad")
    for field in ("settings", "fingerprint", "slices", "tuning", "working_point", "refused"):
        assert getattr(loaded, field) == getattr(detector, field)
    np.testing.assert_array_equal(loaded.folds, detector.folds)
    np.testing.assert_array_equal(loaded.references, detector.references)
    for images in ("training", "calibration"):
        ours, theirs = getattr(detector, images), getattr(loaded, images)
        assert (ours.digests, ours.groups) == (theirs.digests, theirs.groups)
        np.testing.assert_array_equal(ours.features, theirs.features)


def test_saving_leaves_one_file_and_replaces_an_older_one(detector, saved):
    replace(detector, fingerprint="9").save(saved)
    assert [path.name for path in saved.parent.iterdir()] == ["part.gad"]
    assert load_detector(saved).fingerprint == "9"


def test_the_same_detector_is_the_same_file_on_another_day(detector, saved, monkeypatch):
    tomorrow = time.time() + 86_400
    monkeypatch.setattr(time, "time", lambda: tomorrow)
    detector.save(saved.with_name("again.gad"))
    assert saved.with_name("again.gad").read_bytes() == saved.read_bytes()


def test_a_write_that_fails_leaves_the_older_file(detector, saved, monkeypatch):
    before = saved.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    with pytest.raises(GadError, match="No space left"):
        replace(detector, fingerprint="9").save(saved)
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == ["part.gad"]


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_cut_file_is_called_damaged(saved, share):
    data = saved.read_bytes()
    saved.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(GadError, match="damaged"):
        load_detector(saved)


def test_a_flipped_byte_is_called_damaged(saved):
    data = bytearray(saved.read_bytes())
    data[len(data) // 2] ^= 1
    saved.write_bytes(data)
    with pytest.raises(GadError, match="damaged"):
        load_detector(saved)


def rewrite(path, change):
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    change(parts)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)


def test_exchanged_tensors_fail_their_checksum(saved):
    rewrite(saved, lambda parts: parts.update({"tensors.safetensors": parts["tensors.safetensors"][:-8] + b"\0" * 8}))
    with pytest.raises(GadError, match="damaged"):
        load_detector(saved)


def test_a_newer_file_asks_for_an_update(saved):
    def age(parts):
        parts["detector.json"] = json.dumps(json.loads(parts["detector.json"]) | {"schema": SCHEMA + 1}).encode()

    rewrite(saved, age)
    with pytest.raises(GadError, match="newer version"):
        load_detector(saved)


def test_a_foreign_zip_or_picture_is_no_detector(tmp_path):
    foreign = tmp_path / "x.gad"
    foreign.write_bytes(b"\x89PNG and so on")
    with pytest.raises(GadError, match="not a detector"):
        load_detector(foreign)
    with zipfile.ZipFile(foreign, "w") as archive:
        archive.writestr("hello.txt", "hello")
    with pytest.raises(GadError, match="not a detector"):
        load_detector(foreign)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(GadError, match=r"nothing\.gad"):
        load_detector(tmp_path / "nothing.gad")


def test_no_pickle_is_inside(saved):
    with zipfile.ZipFile(saved) as archive:
        assert sorted(archive.namelist()) == ["detector.json", "tensors.safetensors"]
        json.loads(archive.read("detector.json"))
