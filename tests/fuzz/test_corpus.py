"""The inputs that fuzzing has found and kept: each is taken well or refused in the door's own words."""

from pathlib import Path

import pytest

from tests.fuzz.doors import DOORS

CORPUS = Path(__file__).parent / "corpus"
KEPT = sorted(path for path in CORPUS.rglob("*") if path.is_file())


@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_kept_input_is_taken_or_refused(path):
    DOORS[path.parent.name](path.read_bytes())


@pytest.mark.parametrize("door", DOORS)
def test_every_door_has_kept_inputs_that_are_small(door):
    sizes = [path.stat().st_size for path in KEPT if path.parent.name == door]
    assert len(sizes) >= 5
    assert max(sizes) <= 4096
