"""Hostile and odd inputs: each is read as it is or refused with its reason, and none hangs.

A sample by default; all of them with GAD_ATTACKS=all (`make attack`).
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.attacks import archives, images, paths, tables
from tests.attacks.attack import Attack, check

_DOORS = (images, archives, paths, tables)
_ALL = [(module, attack) for module in _DOORS for attack in module.attacks()]
_EVERY = 1 if os.environ.get("GAD_ATTACKS") == "all" else 5
_MOST = 300  # MB that any of the images may take above what the program does


def test_there_are_enough_of_them_and_each_has_a_name_of_its_own() -> None:
    assert len({attack.name for _, attack in _ALL}) == len(_ALL) >= 220


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("module", "attack"),
    _ALL[::_EVERY],
    ids=[attack.name.encode("unicode_escape").decode() for _, attack in _ALL[::_EVERY]],
)
def test_it_is_read_as_it_is_or_refused_with_its_reason(module, attack: Attack, tmp_path: Path) -> None:
    check(attack, *module.door(attack.build(tmp_path)))


def test_no_image_takes_more_memory_than_an_honest_one() -> None:
    code = f"""
import resource, sys
from pathlib import Path
from tests.attacks import images
chosen = list(images.attacks())[::{_EVERY}]
chosen += [one for one in images.attacks() if "megapixels" in one.name or "bomb" in one.name]
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for attack in chosen:
    images.door(attack.build(Path()))
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    root = Path(__file__).parents[2]
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        check=True,
    )
    assert int(done.stdout) < _MOST
