"""Runs over whole categories are found again as they were."""

from pathlib import Path

from gad_core.attribution.category import CategoryExplanation, Explained
from gad_core.attribution.explanation import Explanation, Undefined
from gad_core.gaussian.reduction import ALL
from gad_core.gaussian.tuning import Tuning
from gad_core.workspace.explanations import ExplanationKey, Run, find_run, keep_run, runs_on


def made(dataset: str = "d", levels: tuple[int, ...] = (6, 7)) -> Run:
    explanation = Explanation(*(float(value) for value in range(10)))
    images = (
        Explained("a", "bent", 12.5, 1e-7, explanation),
        Explained("b", "bent", 3.0, 0.0, Undefined("it is empty")),
    )
    key = ExplanationKey.of(dataset, "2026-01-01", "g", Tuning(levels, ALL), 10)
    return Run(key, 0.97, CategoryExplanation(images))


def test_a_run_comes_back_equal(tmp_path: Path) -> None:
    keep_run(tmp_path, made())
    assert find_run(tmp_path, made().key) == made()
    assert find_run(tmp_path, made(levels=(6,)).key) is None


def test_a_run_written_by_an_earlier_version_is_read(tmp_path: Path) -> None:
    keep_run(tmp_path, made())
    (file,) = (tmp_path / "explanations").iterdir()
    file.write_text(file.read_text().replace('"explanation":', '"found":'))
    assert find_run(tmp_path, made().key) == made()


def test_the_runs_of_a_data_set_are_its_own(tmp_path: Path) -> None:
    for run in (made(), made(levels=(5,)), made("other")):
        keep_run(tmp_path, run)
    assert {run.key.levels for run in runs_on(tmp_path, "d")} == {(6, 7), (5,)}
    assert runs_on(tmp_path / "nothing", "d") == ()
