"""What the command line is given wrong ends in a sentence and status 2, and what it writes is harmless."""

import csv
import os
from errno import ENOSPC
from pathlib import Path

import pytest

from gad_core.command_line.output import say, write_csv
from gad_core.data.opening import refuse_special
from gad_core.data.placing import placed
from gad_core.errors import GadError
from gad_core.export.sinks import JsonLines, read_lines
from gad_core.workspace.place import default_home


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["explain", "a.gad", "a.png", "--seed", "-1"], "'--seed'"),
        (["explain", "a.gad", "a.png", "--references", "0"], "'--references'"),
        (["fit", "parts", "a.gad", "--seed", "-1"], "'--seed'"),
        (["fit", "parts", "a.gad", "--folds", "²"], "from 2 on"),
        (["fit", "parts", "a.gad", "--folds", "9" * 5000], "from 2 on"),
        (["fit", "self", "a.gad"], "Too many levels of symbolic links"),
        (["fit", "pipe", "a.gad"], "is a file; give the folder"),
        (["fit", "parts", "a.gad", "--groups", "pipe"], "it is a pipe, not a file"),
        (["fit", "parts", "a.gad", "--roi", "pipe"], "it is a pipe, not a file"),
        (["fit", "parts", "a.gad", "--calibration", "self"], "Too many levels of symbolic links"),
        (["monitor", "a.gad", "a.png", "--seed", "-1"], "'--seed'"),
        (["sensitivity", "a.gad", "parts", "--seed", "-1"], "'--seed'"),
        (["demo", "parts", "--seed", "-1"], "'--seed'"),
        (["demo", "self/more"], "cannot be written to self/more"),
        (["paper", "I", "parts", "--seed", "-1"], "'--seed'"),
        (["paper", "I", "parts", "--folds", "1"], "'--folds'"),
        (["report", "a.gad", "parts", "a.html", "--images", "-1"], "'--images'"),
        (["report", "a.gad", "parts", "a.html", "--attributions", "-1"], "'--attributions'"),
        (["serve", "a.gad", "--port", "99999"], "'--port'"),
        (["serve", "a.gad", "--port", "-1"], "'--port'"),
        (["evaluate", "self", "parts"], "there is no detector file"),
    ],
)
def test_a_wrong_number_or_path_ends_in_a_sentence(arguments, words, run, stripes: Path, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("self").symlink_to("self")
    Path("parts").symlink_to(stripes)
    os.mkfifo("pipe")
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert words in err
    assert "Traceback" not in err


def test_a_workspace_in_nobodys_home_folder_is_refused() -> None:
    with pytest.raises(GadError, match=r"no home folder for the workspace ~nosuchuser; name a folder with GAD_HOME"):
        default_home({"GAD_HOME": "~nosuchuser"})


def test_results_that_find_no_room_end_in_a_sentence(run, monkeypatch) -> None:
    def full(**_: object) -> None:
        raise OSError(ENOSPC, "No space left on device")

    monkeypatch.setattr("gad_core.command_line.app", full)
    status, _, err = run("weights")
    assert (status, err) == (2, "error: the results cannot be written (No space left on device); free some space\n")


def test_no_cell_of_a_table_is_a_formula_and_numbers_stay_numbers(tmp_path: Path) -> None:
    write_csv(
        tmp_path / "a.csv", [{"path": "=1+1.png", "score": -1.5, "lot": None}, {"path": "\udcff.png", "score": 2}]
    )
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["path"] for row in rows] == ["'=1+1.png", "\\udcff.png"]
    assert [row["score"] for row in rows] == ["-1.5", "2"]


@pytest.mark.parametrize("table", ["gone/a.csv", "."])
def test_a_table_that_cannot_be_written_is_named(table: str, tmp_path: Path) -> None:
    with pytest.raises(GadError, match=r"cannot write .*; choose a file that you may write"):
        write_csv(tmp_path / table, [{"path": "a.png"}])


def test_a_name_commands_no_terminal(capsys) -> None:
    say("normal \x1b[31mred\x1b[0m a\nb \u202etxt \udcff")
    assert capsys.readouterr().out == "normal \\x1b[31mred\\x1b[0m a\\nb \\u202etxt \\udcff\n"


def test_nothing_is_put_in_the_place_of_a_pipe_or_a_device(tmp_path: Path) -> None:
    os.mkfifo(pipe := tmp_path / "pipe.jsonl")
    writers = (lambda: placed(pipe).__enter__(), lambda: JsonLines(pipe), lambda: read_lines(pipe))
    for write in writers:
        with pytest.raises(GadError, match=r"it is a pipe, not a file|choose another file"):
            write()
    assert pipe.is_fifo()
    with pytest.raises(OSError, match="it is a device, not a file"):
        refuse_special(Path("/dev/null"))
