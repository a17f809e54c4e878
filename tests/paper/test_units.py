"""Units of work: done once, told apart by what decides them."""

import json

import pytest

from gad_core.errors import Cancelled, GadError
from gad_core.paper.units import Unit, run_units


def counting(category, what, facts, value, done):
    def run(kept, progress):
        kept.mkdir(parents=True)
        (kept / "half").write_text("x")
        progress(1, 2)
        done.append(what)
        return [{"value": value}]

    return Unit(category, what, facts, 3, run)


def test_what_is_done_is_read_and_not_done_again(tmp_path):
    done = []
    units = [counting("nut", name, [1], value, done) for value, name in enumerate("abc")]
    first = run_units(units[:2], tmp_path)
    again = run_units(units, tmp_path)
    assert done == ["a", "b", "c"]
    assert again[units[0].name] == first[units[0].name] == [{"category": "nut", "value": 0}]
    assert sorted(path.suffix for path in tmp_path.iterdir() if path.is_file()) == [".json"] * 3
    assert not list((tmp_path / "unfinished").iterdir())


def test_other_facts_are_another_unit(tmp_path):
    done = []
    run_units([counting("nut", "a", {"seed": seed}, seed, done) for seed in (0, 1)], tmp_path)
    assert len(done) == 2


def test_equal_units_of_two_tables_are_done_once(tmp_path):
    done = []
    run_units([counting("nut", "a", [1], 0, done), counting("nut", "a", [1], 0, done)], tmp_path)
    assert done == ["a"]


def test_a_damaged_result_is_made_again(tmp_path):
    done = []
    unit = counting("nut", "a", [1], 7, done)
    run_units([unit], tmp_path)
    path = tmp_path / f"{unit.name}.json"
    path.write_text(path.read_text()[:10])
    assert run_units([unit], tmp_path)[unit.name][0]["value"] == 7
    assert json.loads(path.read_text()) == [{"category": "nut", "value": 7}]


def test_the_bar_is_one_and_never_runs_back(tmp_path):
    reports = []
    units = [counting("nut", name, [1], 0, []) for name in "ab"]
    run_units(units, tmp_path, progress=lambda *report: reports.append(report))
    assert reports == [(15, 60), (30, 60), (45, 60), (60, 60)]


def test_a_cancelled_unit_leaves_what_it_kept_for_the_next_time(tmp_path):
    def run(kept, progress):
        kept.mkdir(parents=True, exist_ok=True)
        (kept / "epoch").write_text("1")
        raise Cancelled

    unit = Unit("nut", "a", [1], 1, run)
    with pytest.raises(Cancelled):
        run_units([unit], tmp_path)
    assert (tmp_path / "unfinished" / unit.name / "epoch").read_text() == "1"


def test_a_folder_that_cannot_be_written_is_refused_with_the_way_out(tmp_path):
    (tmp_path / "file").write_text("")
    unit = Unit("nut", "a", [1], 1, lambda *_: [])
    with pytest.raises(GadError, match="choose another folder"):
        run_units([unit], tmp_path / "file" / "deeper")
