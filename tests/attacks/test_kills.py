"""Killed at any of its writes, an operation has happened or it has not, and nothing is left behind."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("resource", reason="forks, and has the kernel end a process within a write")

# Those whose writes are of several kinds; the others are tried when everything is.
_SAMPLED = (
    "adopt again",
    "relabel bent as torn",
    "extend",
    "fit",
    "export",
    "watch",
    "recalibrate",
)
_OTHERS = (
    "upload",
    "clear the bin of a detector",
    "inspect",
    "open",
    "adopt first",
    "withdraw",
    "restore",
    "relabel good as bent",
    "relabel bent as good",
    "upload ZIP",
    "demo",
    "import folder",
    "rename",
    "delete detector",
    "bring back",
    "clear the bin of a data set",
    "report",
    "say",
    "send",
    "send to a folder's copy",
    "baseline",
    "explain",
)
_MOST = 2  # points of an operation in a sample
Attack = Callable[[str], dict[str, Any]]


@pytest.fixture(scope="module")
def attack(everything: bool) -> Iterator[Attack]:
    """Kills an operation at its points, in a process that has loaded everything and forks before each."""
    memory = Path("/dev/shm")  # noqa: S108 - only the process dies, so nothing needs to reach a disk
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        process = subprocess.Popen(  # noqa: S603 - our own code
            [sys.executable, str(Path(__file__).with_name("kills.py")), folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
        )

        def ask(operation: str) -> dict[str, Any]:
            assert process.stdin is not None
            assert process.stdout is not None
            asked = {"operation": operation, "most": None if everything else _MOST, "seed": 17}
            process.stdin.write(json.dumps(asked) + "\n")
            process.stdin.flush()
            answer: dict[str, Any] = json.loads(process.stdout.readline())
            return answer

        with process:
            yield ask


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("operation", [*_SAMPLED, *_OTHERS])
def test_killed_at_any_write_it_has_happened_or_it_has_not(operation: str, attack: Attack, everything: bool) -> None:
    if operation in _OTHERS and not everything:
        pytest.skip("only with GAD_ATTACKS=all")
    answer = attack(operation)
    wrong = [point for point in answer["tried"] if point["where"] not in {"before", "after"}]
    assert wrong == []
    assert answer["clean"], "a folder of the process stayed after it had ended well"
    assert len(answer["tried"]) == (answer["points"] if everything else min(_MOST, answer["points"]))
    if everything and answer["changes"]:
        assert "before" in {point["where"] for point in answer["tried"]}
