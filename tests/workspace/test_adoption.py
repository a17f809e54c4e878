"""Adoptions take turns, meet no other fit, and leave what was computed with the fit in force."""

import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from gad_core.attribution.category import CategoryExplanation
from gad_core.data.datasets import read_dataset
from gad_core.errors import GadError
from gad_core.features.engines import load_engine
from gad_core.gaussian.detector_file import load_detector, read_summary
from gad_core.gaussian.tuning import Tuning, WorkingPoint
from gad_core.gaussian.update import remove_images
from gad_core.workspace.adoption import adopt, on_record, restore, restore_decision
from gad_core.workspace.decisions import table, what
from gad_core.workspace.explanations import ExplanationKey, Run, find_run, keep_run
from gad_core.workspace.rows import Circumstances, DecisionRow, DetectorRow, detector_state
from gad_core.workspace.store import Store
from gad_core.workspace.tables import now

TUNING = Tuning((7,))


def point(value: float) -> WorkingPoint:
    return WorkingPoint("cross-conformal", 0.2, value, 6, "from 6 images")


def adopted(store: Store, row: DetectorRow, value: float, **more: Any) -> None:
    adopt(store, row, load_detector(row.path), TUNING, point(value), state=detector_state(row), **more)


def test_of_many_who_adopt_at_once_one_does_and_the_others_are_told(store: Store, six: DetectorRow) -> None:
    detector, state = load_detector(six.path), detector_state(six)

    def attempt(value: float) -> str | None:
        try:
            adopt(store, six, detector, TUNING, point(value), state=state)
        except GadError as error:
            return str(error)
        return None

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(attempt, (1.0, 2.0, 3.0, 4.0)))
    assert answers.count(None) == 1
    assert all("meanwhile" in answer for answer in answers if answer)
    (decision,) = store.detectors.decisions(six.id)
    assert read_summary(six.path).working_point == decision.point == point(1.0 + answers.index(None))
    assert [path.name for path in (store.home / "detectors").rglob("*") if path.is_file()] == [six.path.name]


def test_a_threshold_of_another_fit_does_not_come_back(store: Store, six: DetectorRow) -> None:
    own = load_detector(six.path).tuning
    adopted(store, six, 3.0)
    images = read_dataset(store.datasets.get(six.dataset_id or "").root).train
    fewer = remove_images(load_detector(six.path), images.where([True] + 5 * [False]), load_engine(six.backbone))
    fewer.detector.save(six.path)
    with pytest.raises(GadError, match="fitted again meanwhile"):
        restore(store, six, own, None)
    assert load_detector(six.path).tuning == TUNING


def test_a_threshold_that_comes_back_is_put_on_record(store: Store, six: DetectorRow) -> None:
    adopted(store, six, 3.0)
    adopted(store, six, 4.0)
    first = store.detectors.decisions(six.id)[1]
    restored = restore(store, six, TUNING, point(3.0))
    assert (what(restored), restored.restores) == ("restored", first.id)
    assert read_summary(six.path).working_point == point(3.0)
    assert store.detectors.decisions(six.id)[0] == restored
    assert [decision.point.threshold for decision in store.detectors.decisions(six.id)] == [3.0, 4.0, 3.0]


def test_an_auroc_goes_with_its_tuning(store: Store, six: DetectorRow) -> None:
    def row() -> DetectorRow:
        return store.detectors.get(six.id)

    adopted(store, six, 3.0, auroc=0.75)
    assert row().current_auroc == 0.75
    adopted(store, row(), 4.0)
    assert row().current_auroc == 0.75  # the same tuning
    other = replace(TUNING, levels=(5,))
    adopt(store, row(), load_detector(six.path), other, point(5.0), state=detector_state(six))
    assert row().current_auroc is None


def test_runs_over_the_category_outlive_an_adoption_and_its_undoing(store: Store, six: DetectorRow) -> None:
    own, dataset = load_detector(six.path).tuning, store.datasets.get(six.dataset_id or "")

    def key() -> ExplanationKey:
        return ExplanationKey(dataset.state, detector_state(six), TUNING, 10)

    keep_run(store.explanations, Run(key(), 0.9, CategoryExplanation(())))
    for change in (lambda: adopted(store, six, 3.0), lambda: restore(store, six, own, None)):
        change()
        run = find_run(store.explanations, key())
        assert run is not None
        assert run.auroc == 0.9
    load_detector(six.path).save(six.path)  # as an update from outside does
    assert find_run(store.explanations, key()) is None


def test_a_decision_says_who_why_for_which_fit_and_what_was_known(store: Store, six: DetectorRow) -> None:
    rates = {"left_out_fpr": 0.05, "left_out_interval": [0.01, 0.2], "left_out_n": 6, "test_fpr": None}
    circumstances = Circumstances("Ada", "= as agreed", rates)
    adopted(store, six, 3.0, circumstances=circumstances)
    (decision,) = store.detectors.decisions(six.id)
    assert (decision.who, decision.note, decision.rates) == ("Ada", "= as agreed", rates)
    assert decision.version == read_summary(six.path).version
    (line,) = table([decision])
    assert (line["what"], line["who"], line["note"]) == ("adopted", "Ada", "'= as agreed")
    assert (line["left_out_interval_low"], line["left_out_interval_high"]) == (0.01, 0.2)
    assert (line["tpr"], line["tpr_interval_low"], line["keep"]) == (None, None, "all")


def test_what_is_withdrawn_is_an_entry_and_holds_no_more(store: Store, six: DetectorRow) -> None:
    own = load_detector(six.path).tuning
    adopted(store, six, 3.0)
    restore(store, six, own, None, circumstances=Circumstances("Ada"))
    last, first = store.detectors.decisions(six.id)
    assert (last.withdrawn, last.point, last.who, first.withdrawn) == (True, point(3.0), "Ada", False)
    detector = load_detector(six.path)
    assert (detector.working_point, detector.tuning) == (None, own)
    adopted(store, six, 3.0)
    again = on_record(store, six.path, load_detector(six.path))
    assert again is not None
    assert again.id not in {last.id, first.id}


def test_an_earlier_decision_comes_back_as_a_new_entry(store: Store, six: DetectorRow) -> None:
    adopted(store, six, 3.0, circumstances=Circumstances("Ada", rates={"tpr": 0.9}))
    first = store.detectors.decisions(six.id)[0]
    adopted(store, six, 4.0)
    restored = restore_decision(store, six, first.id, who="Bob", note="back")
    assert read_summary(six.path).working_point == point(3.0)
    assert (restored.restores, restored.who, restored.rates) == (first.id, "Bob", {"tpr": 0.9})
    assert [what(one) for one in store.detectors.decisions(six.id)] == ["restored", "adopted", "adopted"]
    with pytest.raises(GadError, match="no decision 'nothing'"):
        restore_decision(store, six, "nothing")


def test_a_decision_of_an_unknown_fit_is_restored_while_that_fit_holds_alone(store: Store, six: DetectorRow) -> None:
    own = load_detector(six.path)
    old = DecisionRow("old", six.id, TUNING, point(5.0), now())
    store.detectors.rewrite(six, own.save, decision=old, state=detector_state(six), auroc=None)
    with pytest.raises(GadError, match="version unknown"):
        restore_decision(store, six, "old")
    adopted(store, six, 3.0)
    assert restore_decision(store, six, "old").restores == "old"


def test_a_decision_on_another_fit_is_not_restored(store: Store, six: DetectorRow) -> None:
    adopted(store, six, 3.0)
    first = store.detectors.decisions(six.id)[0]
    images = read_dataset(store.datasets.get(six.dataset_id or "").root).train
    remove_images(load_detector(six.path), images.where([True] + 5 * [False]), load_engine(six.backbone)).detector.save(
        six.path
    )
    with pytest.raises(GadError, match=f"made for version {first.version} of six"):
        restore_decision(store, six, first.id)


@pytest.mark.sqlite
def test_where_the_database_is_full_neither_file_nor_record_change(
    store: Store, six: DetectorRow, fill_up: Callable[[], None]
) -> None:
    adopted(store, six, 3.0)
    before = six.path.read_bytes()
    fill_up()
    with pytest.raises(GadError, match="disk is full"):
        adopted(store, six, 4.0, circumstances=Circumstances(note="x" * 100_000))
    assert six.path.read_bytes() == before
    assert len(store.detectors.decisions(six.id)) == 1


def test_killed_before_the_record_the_very_file_that_was_there_comes_back(
    store: Store, six: DetectorRow, spawn: Callable[..., "subprocess.Popen[str]"]
) -> None:
    before = detector_state(six)
    dying = spawn(_DIE, store.home, six.id)
    assert dying.wait(60) == 9
    assert read_summary(six.path).working_point == point(7.0)
    store.recover()
    assert store.detectors.decisions(six.id) == ()
    assert detector_state(six) == before
    assert [path.name for path in (store.home / "detectors").rglob("*") if path.is_file()] == [six.path.name]


def test_killed_before_the_record_a_later_decision_stays(
    store: Store, six: DetectorRow, spawn: Callable[..., "subprocess.Popen[str]"]
) -> None:
    assert spawn(_DIE, store.home, six.id).wait(60) == 9
    adopted(store, six, 3.0)
    store.recover()
    assert read_summary(six.path).working_point == point(3.0)
    assert [one.point for one in store.detectors.decisions(six.id)] == [point(3.0)]


_DIE = """
import os, sys
from pathlib import Path
from gad_core.gaussian.detector_file import load_detector
from gad_core.gaussian.tuning import Tuning, WorkingPoint
from gad_core.workspace.adoption import adopt
from gad_core.workspace.rows import detector_state
from gad_core.workspace.store import Store
replace = Path.replace
def dying(self, target):
    replace(self, target)
    if target == row.path:
        os._exit(9)
with Store(Path(sys.argv[1])) as store:
    row = store.detectors.get(sys.argv[2])
    detector, state = load_detector(row.path), detector_state(row)
    Path.replace = dying
    point = WorkingPoint("cross-conformal", 0.2, 7.0, 6, "from 6 images")
    adopt(store, row, detector, Tuning((7,)), point, state=state)
"""
