"""A folder watched from the shell: its file of lines is its memory."""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from gad_core.data.datasets import Refusal, read_dataset
from gad_core.errors import GadError
from gad_core.export.sinks import read_lines
from gad_core.features.engines import load_engine
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.fit import fit_images
from gad_core.gaussian.settings import FitSettings
from gad_core.library.judging import score
from gad_core.library.watching import watch_folder

ROOT = Path(__file__).parents[1]


class Stopped(Exception):
    """Raised in place of a wait."""


@pytest.fixture(scope="module")
def detector(stripes) -> Detector:
    return fit_images(read_dataset(stripes).train, load_engine(FitSettings().backbone), FitSettings()).detector


def lay(path: Path, source: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, path)
    os.utime(path, (then := time.time() - 60, then))
    return path


def looked(detector: Detector, folder: Path, lines: Path) -> list:
    """All that comes until nothing new is there."""

    def stop(_: float) -> None:
        raise Stopped

    found: list = []
    with suppress(Stopped):
        for one in watch_folder(detector, folder, lines, wait=stop):
            found += one if isinstance(one, list) else [one]
    return found


def test_it_says_what_score_says_and_each_image_once(detector, stripes, tmp_path):
    folder, lines = tmp_path / "line", tmp_path / "out.jsonl"
    first = [lay(folder / "lot 1" / f"{i}.png", stripes / f"test/blot/00{i}.png") for i in range(3)]
    found = looked(detector, folder, lines)
    assert [one["score"] for one in found] == pytest.approx([row["score"] for row in score(detector, first).rows])
    assert [(one["path"], one["lot"]) for one in found] == [(f"lot 1/{i}.png", "lot 1") for i in range(3)]
    lay(folder / "new.png", stripes / "test/good/000.png")
    assert [one["path"] for one in looked(detector, folder, lines)] == ["new.png"]
    assert [line["path"] for line in read_lines(lines)] == [*(f"lot 1/{i}.png" for i in range(3)), "new.png"]


def test_what_cannot_be_read_is_told_and_waits_for_a_change(detector, stripes, tmp_path):
    folder, lines = tmp_path / "line", tmp_path / "out.jsonl"
    bad = lay(folder / "bad.png", stripes / "test/good/000.png")
    bad.write_bytes(b"nothing")
    os.utime(bad, (then := time.time() - 60, then))
    (refusal,) = looked(detector, folder, lines)
    assert isinstance(refusal, Refusal)
    assert refusal.path == "bad.png"
    lay(bad, stripes / "test/good/000.png")
    assert [one["path"] for one in looked(detector, folder, lines)] == ["bad.png"]


def test_an_image_that_breaks_off_is_told(detector, stripes, tmp_path):
    folder = tmp_path / "line"
    cut = lay(folder / "cut.png", stripes / "test/good/000.png")
    cut.write_bytes(cut.read_bytes()[:3000])
    os.utime(cut, (then := time.time() - 60, then))
    lay(folder / "whole.png", stripes / "test/good/001.png")
    found = looked(detector, folder, tmp_path / "out.jsonl")
    assert [one["path"] for one in found if isinstance(one, dict)] == ["whole.png"]
    assert [one.path for one in found if isinstance(one, Refusal)] == ["cut.png"]


def test_a_sink_that_is_away_is_asked_until_it_answers(detector, stripes, tmp_path):
    class Away:
        def __init__(self) -> None:
            self.taken: list = []
            self.asked = 0

        def send(self, results) -> None:
            self.asked += 1
            if self.asked < 3:
                raise GadError("away")
            self.taken += results

        def close(self) -> None:
            """Nothing to close."""

    away = Away()
    lay(tmp_path / "line/a.png", stripes / "test/good/000.png")
    watching = watch_folder(detector, tmp_path / "line", tmp_path / "out.jsonl", sinks=[away], wait=lambda _: None)
    results = next(watching)
    watching.close()
    assert (away.taken, away.asked) == (results, 3)
    assert read_lines(tmp_path / "out.jsonl") == results


def test_the_target_that_is_asked_for_decides(detector, stripes, tmp_path):
    lay(tmp_path / "line/a.png", stripes / "test/good/000.png")
    watching = watch_folder(detector, tmp_path / "line", tmp_path / "out.jsonl", target_fpr=0.2)
    (one,) = next(watching)
    watching.close()
    assert one["threshold"] == score(detector, tmp_path / "line", target_fpr=0.2).verdict.threshold


def test_options_that_do_not_go_together_are_refused(run, detector, tmp_path):
    detector.save(tmp_path / "d.gad")
    status, _, err = run("score", tmp_path / "d.gad", tmp_path, "--watch", tmp_path / "o.jsonl", "--fdr", "0.1")
    assert (status, "does not go with --fdr" in err) == (2, True)
    status, _, err = run("score", tmp_path / "d.gad", tmp_path, "--sink", tmp_path / "o.jsonl")
    assert (status, "--sink goes with --watch" in err) == (2, True)


def test_a_file_of_another_kind_is_no_memory(detector, tmp_path):
    (tmp_path / "notes.jsonl").write_text("hello\n")
    with pytest.raises(GadError, match="does not hold results"):
        next(watch_folder(detector, tmp_path, tmp_path / "notes.jsonl"))


def test_more_than_a_folder_is_refused(run, detector, stripes, tmp_path):
    detector.save(tmp_path / "d.gad")
    status, _, err = run("score", tmp_path / "d.gad", stripes / "test/good/000.png", "--watch", tmp_path / "o.jsonl")
    assert (status, "takes one folder" in err) == (2, True)


def test_the_command_goes_on_where_it_was_stopped(detector, stripes, tmp_path):
    detector.save(tmp_path / "d.gad")
    folder, lines = tmp_path / "line", tmp_path / "out.jsonl"
    command = [sys.executable, "-m", "gad_core", "score", tmp_path / "d.gad", folder, "--watch", lines]
    for name in ("a.png", "b.png"):
        lay(folder / name, stripes / "test/good/000.png")
        process = subprocess.Popen(  # noqa: S603 - our own command
            list(map(str, command)), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 60
        while name not in {line["path"] for line in read_lines(lines)} and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert [line["path"] for line in read_lines(lines)] == ["a.png", "b.png"]
