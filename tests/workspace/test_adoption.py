"""Adoptions take turns, meet no other fit, and leave what was computed with the fit in force."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from gad_core.attribution.category import CategoryExplanation
from gad_core.data.datasets import read_dataset
from gad_core.errors import GadError
from gad_core.features.engines import load_engine
from gad_core.gaussian.detector_file import load_detector, read_summary
from gad_core.gaussian.tuning import Tuning, WorkingPoint
from gad_core.gaussian.update import remove_images
from gad_core.workspace.adoption import adopt, restore
from gad_core.workspace.explanations import ExplanationKey, Run, find_run, keep_run
from gad_core.workspace.rows import DetectorRow, detector_state
from gad_core.workspace.store import Store

TUNING = Tuning((7,))


def point(value: float) -> WorkingPoint:
    return WorkingPoint("cross-conformal", 0.2, value, 6, "from 6 images")


def adopted(store: Store, row: DetectorRow, value: float, **more: float) -> None:
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
    restore(store, six, TUNING, point(3.0))
    assert read_summary(six.path).working_point == point(3.0)
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
