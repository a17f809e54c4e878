"""`gad sensitivity` in words, in JSON, and its examples as pictures; it gives the library's numbers."""

import json

import pytest

import gad_core as gad
from gad_core.data.images import decode

OPTIONS = ["--contrast", 0.4, "--size", 3, "--size", 9, "--size", 27, "--target-fpr", 0.1, "--seed", 2]


@pytest.fixture
def detector(run, stripes, tmp_path):
    assert run("fit", stripes, tmp_path / "stripes.gad", "--folds", 5)[0] == 0
    return tmp_path / "stripes.gad"


def test_json_is_what_the_library_gives(run, stripes, detector):
    status, out, _ = run("sensitivity", detector, stripes, *OPTIONS, "--json")
    settings = gad.SensitivitySettings(contrasts=(0.4,), sizes=(3, 9, 27), seed=2)
    found = gad.sensitivity(gad.load_detector(detector), gad.read_dataset(stripes), settings, target_fpr=0.1)
    assert status == 0
    assert json.loads(out) == json.loads(json.dumps(found.to_json()))


def test_words_say_what_was_drawn_and_that_it_is_not_real(run, stripes, detector, tmp_path):
    status, out, _ = run("sensitivity", detector, stripes, *OPTIONS, "--out", tmp_path / "examples")
    assert status == 0
    assert out.startswith("synthetic defects, which are not real ones")
    assert "147 drawn on 30 of 30 normal images" in out
    assert "settings by a90 at contrast 0.4:" in out
    pictures = sorted((tmp_path / "examples").iterdir())
    assert 1 <= len(pictures) <= 3
    assert all(path.name.startswith("spot_0.4_") and decode(path).shape == (64, 64, 3) for path in pictures)


def test_a_kind_that_does_not_exist_is_named(run, stripes, detector):
    status, out, err = run("sensitivity", detector, stripes, "--kind", "dent")
    assert (status, out) == (2, "")
    assert "'dent' is no kind of defect; choose one of spot, scratch" in err
