"""Forged and damaged detector files: refused with the field's name, or read to the very same numbers."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gad_core.errors import GadError
from gad_core.gaussian.detector_file import load_detector, read_summary
from tests.attacks import detector_files as forging

#: `make attack` takes all of them; otherwise a sample that differs in nothing from run to run.
ALL = os.environ.get("GAD_ATTACKS") == "all"
N_FLIPS = 4000 if ALL else 150
_EVERY = 1 if ALL else 2


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("sound") / "part.gad"
    forging.make_file(path)
    return path.read_bytes()


@pytest.fixture(scope="module")
def expected(sound, tmp_path_factory) -> list[np.ndarray]:
    path = tmp_path_factory.mktemp("expected") / "part.gad"
    path.write_bytes(sound)
    return forging.numbers(load_detector(path))


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "part.gad"


def outcome(path: Path, expected: list[np.ndarray]) -> str | None:
    """The reason for which a file is refused; None where it says what the sound one says, to the last bit."""
    try:
        detector = load_detector(path)
    except GadError as error:
        return str(error)
    read_summary(path)  # takes what has been taken whole
    for ours, theirs in zip(forging.numbers(detector), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    return None


def assert_outcome(found: str | None, reason: str | None) -> None:
    if reason is None:
        assert found is None
    else:
        assert found is not None
        assert reason in found
        assert "part.gad" in found


@pytest.mark.parametrize("forgery", list(forging.forgeries())[::_EVERY], ids=lambda forgery: forgery.name)
def test_a_forgery_is_refused_by_its_field_or_scores_as_before(sound, expected, path, forgery):
    path.write_bytes(forging.forged(sound, forgery))
    assert_outcome(outcome(path, expected), forgery.refused)


@pytest.mark.parametrize("archive", list(forging.archives()), ids=lambda archive: archive.name)
def test_an_odd_archive_is_refused_or_scores_as_before(sound, expected, path, archive):
    path.write_bytes(archive.make(sound))
    assert_outcome(outcome(path, expected), archive.refused)


@pytest.mark.parametrize("where", ["anywhere", "directory"])
def test_a_flipped_byte_is_noticed_or_changes_no_score(sound, expected, path, where):
    rng = np.random.default_rng(7)
    start = 0 if where == "anywhere" else sound.index(b"PK\1\2")
    places = [*range(70), *range(start, len(sound))] if where == "directory" else range(len(sound))
    for place in rng.choice(places, N_FLIPS):
        data = bytearray(sound)
        data[place] ^= int(rng.integers(1, 256))
        path.write_bytes(data)
        found = outcome(path, expected)
        assert found is None or "damaged" in found or "not a detector file" in found, place


def test_a_review_band_is_not_adopted_without_its_numbers(sound, path):
    head, tensors = forging.read(sound)
    head["working_point"]["threshold"] = float("nan")
    path.write_bytes(forging.write(head, tensors))
    with pytest.raises(GadError, match="threshold: should be a finite number"):
        read_summary(path)


@pytest.mark.parametrize("kind", ["json", "lying json", "tensors"])
def test_a_file_that_would_unpack_to_a_thousand_times_its_size_is_refused_in_little_memory(path, kind):
    path.write_bytes(forging.bomb(kind, 1 << 28))
    assert path.stat().st_size < 1 << 19
    child = """
import resource, sys
from gad_core.errors import GadError
from gad_core.gaussian.detector_file import load_detector
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    load_detector(sys.argv[1])
except GadError as error:
    print(error, file=sys.stderr)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    command = [sys.executable, "-c", child, path]
    run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)  # noqa: S603
    assert "part.gad is damaged" in run.stderr
    assert int(run.stdout) < 50 << 10  # KiB
