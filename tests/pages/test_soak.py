"""The soak in small: two people for a few seconds; `make soak` is the whole."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(600),  # minutes, where other work has the cores
    pytest.mark.skipif(os.environ.get("GAD_ATTACKS") != "all", reason="only with GAD_ATTACKS=all"),
]

ROOT = Path(__file__).parents[2]


def test_two_people_at_once_meet_no_error_and_no_wrong_number(chromium, stripes, tmp_path):
    report = tmp_path / "report.json"
    options = {"sessions": 2, "seconds": 12, "after": 0, "images": 1, "seeds": 1, "json": report}
    command = [sys.executable, "-m", "benchmarks.soak", str(stripes)]
    command += [f"--{name}={value}" for name, value in options.items()]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    assert process.returncode == 0, process.stdout + process.stderr
    found = json.loads(report.read_text())
    assert {name: found[name] for name in ("wrong", "trouble", "log", "lost")} == {
        "wrong": [],
        "trouble": [],
        "log": [],
        "lost": [],
    }
    assert found["checked"] > 10
