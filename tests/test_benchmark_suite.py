"""The arithmetic and the writing of the benchmarks; what they measure is for them to say."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from benchmarks.suite import __main__ as suite
from benchmarks.suite import machine, rendering
from benchmarks.suite.rows import Row, alone, exponent, faster, not_measured, share
from benchmarks.suite.turns import in_turns

OURS, THEIRS = [1.0, 2.0, 4.0, 1.0, 5.0], [3.0, 4.0, 20.0, 2.0, 5.0]


def test_a_ratio_is_the_median_of_the_rounds_and_not_of_the_times():
    row = faster("a", OURS, THEIRS, unit="ms", scale=1e3)
    ratios = np.array(THEIRS) / np.array(OURS)
    assert (row.ratio, row.low, row.high) == (np.median(ratios), ratios.min(), ratios.max())
    assert (row.ours, row.theirs) == (2000.0, 4000.0)


def test_a_share_is_ours_of_theirs():
    assert share("a", OURS, THEIRS).ratio == np.median(np.array(OURS) / np.array(THEIRS))


def test_the_exponent_is_that_of_a_straight_line_through_logarithms():
    sizes, values = np.array([100.0, 1000.0, 10000.0]), np.array([2.1, 19.0, 260.0])
    assert exponent(sizes, values) == pytest.approx(np.polyfit(np.log(sizes), np.log(values), 1)[0], rel=1e-12)


@pytest.mark.parametrize(
    ("row", "met"),
    [
        (faster("a", OURS, THEIRS).aiming(2.0), True),
        (faster("a", OURS, THEIRS).aiming(2.1), False),
        (alone("a", OURS, unit="s").aiming(2.0, at_most=True), True),
        (alone("a", OURS, unit="s").aiming(1.9, at_most=True), False),
        (not_measured("a", "no card", target=2.0), None),
        (faster("a", OURS, THEIRS), None),
    ],
)
def test_a_target_is_met_on_its_own_side(row, met):
    assert row.met is met


def test_works_take_turns_and_the_first_round_does_not_count():
    order: list[str] = []
    seconds = in_turns({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, 2)
    assert "".join(order) == "ab" + "ab" + "ba"
    assert {name: len(times) for name, times in seconds.items()} == {"a": 2, "b": 2}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (0.0, "0.0000"),
        (0.0512, "0.0512"),
        (0.86, "0.86"),
        (45.67, "45.7"),
        (2345.6, "2,346"),
        (2e-7, "2.0e-07"),
    ],
)
def test_numbers_have_the_digits_that_count(value, text):
    assert rendering.number(value) == text


def test_a_page_keeps_what_was_written_by_hand():
    page = rendering.between_marks("# Title\n\nBefore.\n", "first")
    page = page.replace("# Title", "# Another title") + "\nAfter.\n"
    renewed = rendering.between_marks(page, "second")
    assert "second" in renewed
    assert "first" not in renewed
    assert renewed.startswith("# Another title\n\nBefore.\n")
    assert renewed.endswith("\nAfter.\n")
    assert rendering.between_marks(renewed, "second") == renewed


def test_subjects_that_were_not_run_keep_their_lines_on_the_same_machine_only(tmp_path, monkeypatch):
    def measured(name: str) -> dict[str, object]:
        row = {"what": name, "note": f"note of {name}"}
        return {name: {"title": name, "date": "2026-01-01", "seconds": 1.0, "rows": [row]}}

    suite.write(tmp_path, measured("extraction"))
    suite.write(tmp_path, measured("fitting"))
    assert list(json.loads((tmp_path / "benchmarks.json").read_text())["subjects"]) == ["extraction", "fitting"]
    page = (tmp_path / "benchmarks.md").read_text()
    assert "note of extraction" in page
    assert "note of fitting" in page
    here = machine.describe()
    monkeypatch.setattr(machine, "describe", lambda: {**here, "cores": 1000})
    suite.write(tmp_path, measured("files"))
    assert list(json.loads((tmp_path / "benchmarks.json").read_text())["subjects"]) == ["files"]


def test_a_pipe_in_a_name_does_not_break_the_table():
    text = rendering.markdown(
        {
            "machine": machine.describe(),
            "subjects": {"a": {"title": "A", "date": "", "seconds": 1, "rows": [{"what": "x | y"}]}},
        }
    )
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in lines} == {len(rendering.cells(Row("a"))) + 1}


def test_the_cheap_subjects_run_and_write(tmp_path):
    command = [
        sys.executable,
        "-m",
        "benchmarks.suite",
        "extraction",
        "fitting",
        "padim_patchcore",
        "gpu",
        "--quick",
        "--out",
        tmp_path,
    ]
    environment = {name: value for name, value in os.environ.items() if name != "GAD_BENCH_PYTHON"}
    ended = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)  # noqa: S603 - ourselves
    report = json.loads((tmp_path / "benchmarks.json").read_text())
    rows = [Row(**row) for subject in report["subjects"].values() for row in subject["rows"]]
    moved = next(row for row in rows if row.what.startswith("NPCA"))
    assert moved.ratio > 1
    assert moved.low <= moved.ratio <= moved.high
    assert moved.ours < moved.theirs
    assert all(row.note.startswith("not measured") for row in rows if row.measured is None)
    for row in rows:
        assert row.what in ended.stdout
        assert row.what in (tmp_path / "benchmarks.md").read_text()
    assert report["machine"]["cores"] == os.cpu_count()


def test_an_unknown_subject_is_refused():
    command = [sys.executable, "-m", "benchmarks.suite", "speed"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - ourselves
    assert ended.returncode == 2
    assert "extraction, files" in ended.stderr
