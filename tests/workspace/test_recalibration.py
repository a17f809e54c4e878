"""A threshold that no longer holds is calibrated again on images from the line, as a newer detector."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gad_core.data.datasets import read_dataset
from gad_core.errors import GadError, SampleTooSmall
from gad_core.gaussian.detector_file import load_detector, read_summary
from gad_core.gaussian.tuning import Tuning, WorkingPoint
from gad_core.workspace.adoption import adopt
from gad_core.workspace.imports import add_folder
from gad_core.workspace.inspecting import inspect_files
from gad_core.workspace.on_line import OnLine, for_calibration, on_line
from gad_core.workspace.recalibration import recalibrate
from gad_core.workspace.rows import DetectorRow, InspectionRow, detector_state
from gad_core.workspace.sending import send
from gad_core.workspace.store import Store

Pictures = Callable[..., bytes]


@pytest.fixture
def rows(store: Store, deciding: DetectorRow, picture: Pictures) -> tuple[InspectionRow, ...]:
    """Nine new images of one lot."""
    inspect_files(store, deciding.id, [(f"{seed}.png", picture(seed)) for seed in range(40, 49)])
    return store.inspections.of([deciding.id])


def test_the_new_threshold_is_the_quantile_of_the_new_images(
    store: Store, deciding: DetectorRow, rows: tuple[InspectionRow, ...]
) -> None:
    made = recalibrate(store, deciding.id, [row.id for row in rows])
    detector = load_detector(made.path)
    point = detector.working_point
    assert point is not None
    assert detector.calibration is not None
    assert (point.method, point.target_fpr, point.n) == ("split-conformal", 0.2, 9)
    # Eq. of split-conformal: the ceil((n + 1)(1 - FPR))-th smallest, here the 8th of 9.
    assert point.threshold == pytest.approx(sorted(row.score for row in rows)[7], rel=2e-3)
    assert detector.calibration.digests == tuple(row.digest for row in rows)
    np.testing.assert_array_equal(detector.gaussians[6].mean, load_detector(deciding.path).gaussians[6].mean)


def test_it_is_a_newer_version_and_the_former_one_stays(
    store: Store, deciding: DetectorRow, rows: tuple[InspectionRow, ...], tmp_path: Path
) -> None:
    watch, before = store.watches.start(deciding.id, tmp_path), deciding.path.read_bytes()
    made = recalibrate(store, deciding.id, [row.id for row in rows])
    assert (made.name, made.follows, made.dataset_id) == ("six 2", deciding.id, deciding.dataset_id)
    assert read_summary(made.path).version != read_summary(deciding.path).version
    assert deciding.path.read_bytes() == before
    assert [one.id for one in store.watches.of(made.id)] == [watch.id]
    (decision,) = store.detectors.decisions(made.id)
    assert decision.note == "recalibrated with 9 images from the line, from six"
    assert decision.point == read_summary(made.path).working_point


def test_each_newer_version_takes_the_next_number(
    store: Store, deciding: DetectorRow, rows: tuple[InspectionRow, ...]
) -> None:
    names = [recalibrate(store, deciding.id, [row.id for row in rows]).name for _ in range(2)]
    store.detectors.rename(deciding.id, "six 7")
    names.append(recalibrate(store, deciding.id, [row.id for row in rows]).name)
    assert names == ["six 2", "six 3", "six 8"]


@pytest.mark.parametrize(("reject_fpr", "comes_along"), [(0.1, True), (0.05, False)])
def test_a_review_band_comes_along_where_the_images_carry_it(
    store: Store, deciding: DetectorRow, rows: tuple[InspectionRow, ...], reject_fpr: float, comes_along: bool
) -> None:
    detector, state = load_detector(deciding.path), detector_state(deciding)
    point = WorkingPoint("cross-conformal", 0.4, 3.3, 6, "by hand", reject_above=9.0, reject_fpr=reject_fpr)
    adopt(store, deciding, detector, detector.tuning, point, state=state)
    new = read_summary(recalibrate(store, deciding.id, [row.id for row in rows]).path).working_point
    assert new is not None
    highest = pytest.approx(max(row.score for row in rows), rel=2e-3)
    assert (new.reject_above, new.reject_fpr) == ((highest, 0.1) if comes_along else (None, None))


def test_too_few_images_and_images_that_are_gone_leave_everything_as_it_was(
    store: Store, deciding: DetectorRow, rows: tuple[InspectionRow, ...]
) -> None:
    with pytest.raises(SampleTooSmall, match="needs at least 4"):
        recalibrate(store, deciding.id, [row.id for row in rows[:2]])
    rows[3].path.unlink()
    for features in (store.cache).rglob("*"):
        if features.is_file():
            features.unlink()
    with pytest.raises(GadError, match="cannot be read any more"):
        recalibrate(store, deciding.id, [row.id for row in rows])
    assert [row.id for row in store.detectors.all()] == [deciding.id]


def test_images_of_the_fit_cannot_calibrate_it(store: Store, deciding: DetectorRow, picture: Pictures) -> None:
    inspect_files(store, deciding.id, [(f"{seed}.png", picture(seed)) for seed in range(6)])
    with pytest.raises(GadError, match="none of the 6 images is new"):
        recalibrate(store, deciding.id, [row.id for row in store.inspections.of([deciding.id])])


def test_a_content_that_came_twice_and_images_of_the_fit_count_for_nothing_more(
    store: Store, deciding: DetectorRow, rows: tuple[InspectionRow, ...], picture: Pictures
) -> None:
    inspect_files(store, deciding.id, [("again.png", picture(40)), ("fitted.png", picture(0))])
    made = recalibrate(store, deciding.id, [row.id for row in store.inspections.of([deciding.id])])
    point = read_summary(made.path).working_point
    assert point is not None
    assert point.n == 9
    assert "with 9 images" in store.detectors.decisions(made.id)[0].note


def test_an_image_that_was_overwritten_is_not_sent(
    store: Store, deciding: DetectorRow, rows: tuple[InspectionRow, ...], picture: Pictures
) -> None:
    rows[0].path.write_bytes(picture(99))
    with pytest.raises(GadError, match="holds another image meanwhile"):
        send(store, deciding.dataset_id or "", rows[:1])


def test_flagged_images_wait_for_a_verdict_before_they_calibrate(rows: tuple[InspectionRow, ...]) -> None:
    middle = sorted(row.score for row in rows)[4]
    rows = tuple(replace(row, threshold=middle) for row in rows)
    flagged, passed = ([row for row in rows if row.flagged == flag] for flag in (True, False))
    assert (len(flagged), len(passed)) == (4, 5)
    told = [replace(flagged[0], defective=False), replace(passed[0], defective=True), *flagged[1:], *passed[1:]]
    good, waiting = for_calibration(told)
    assert {row.id for row in good} == {flagged[0].id, *(row.id for row in passed[1:])}
    assert {row.id for row in waiting} == {row.id for row in flagged[1:]}


def test_only_scores_of_the_same_fit_and_reading_are_held_together(
    store: Store, deciding: DetectorRow, rows: tuple[InspectionRow, ...], picture: Pictures
) -> None:
    detector = load_detector(deciding.path)
    assert on_line(store, deciding, detector).rows == rows
    point = WorkingPoint("cross-conformal", 0.2, 3.0, 6, "of one level", level="7")
    adopt(store, deciding, detector, Tuning((7,)), point, state=detector_state(deciding))
    inspect_files(store, deciding.id, [("new.png", picture(60))])
    now = on_line(store, deciding, load_detector(deciding.path))
    assert ([row.name for row in now.rows], now.others) == (["new.png"], 9)


def test_scores_of_another_fit_are_not_held_with_these(
    store: Store, deciding: DetectorRow, rows: tuple[InspectionRow, ...]
) -> None:
    detector = load_detector(deciding.path)
    other = replace(detector, settings=replace(detector.settings, seed=7))
    assert on_line(store, deciding, other) == OnLine((), len(rows), 3.3)


def test_rates_are_those_of_the_threshold_in_force(
    store: Store, deciding: DetectorRow, rows: tuple[InspectionRow, ...]
) -> None:
    store.inspections.say([row.id for row in rows], False)
    detector, highest = load_detector(deciding.path), max(row.score for row in rows)
    point = WorkingPoint("cross-conformal", 0.2, highest + 1, 6, "higher")
    adopt(store, deciding, detector, detector.tuning, point, state=detector_state(deciding))
    found = on_line(store, deciding, load_detector(deciding.path)).achieved.false_alarms
    assert found is not None
    assert (found.count, found.n) == (0, 9)


def test_drift_is_that_of_the_images_in_their_order(
    store: Store, deciding: DetectorRow, rows: tuple[InspectionRow, ...], tmp_path: Path
) -> None:
    from gad_core.library.monitoring import monitor

    detector = load_detector(deciding.path)
    found = on_line(store, deciding, detector).drift(detector)
    expected = monitor(detector, [row.path for row in rows]).drift
    np.testing.assert_allclose(found.p_values, expected.p_values)
    assert (found.flagged, found.sentence) == (expected.flagged, expected.sentence)


def test_images_go_to_an_uploaded_data_set_as_they_are(
    store: Store, deciding: DetectorRow, rows: tuple[InspectionRow, ...]
) -> None:
    dataset = store.datasets.get(deciding.dataset_id or "")
    row = send(store, dataset.id, rows[:2])
    assert (row.id, row.counts.train) == (dataset.id, 8)
    row = send(store, dataset.id, rows[2:3], split="test", defect="bent")
    assert row.counts.test_defective == 1


def test_a_folder_of_the_server_is_copied_and_stays_as_it_is(
    store: Store, category: Callable[..., Path], deciding: DetectorRow, rows: tuple[InspectionRow, ...]
) -> None:
    root = category()
    before = sorted(root.rglob("*"))
    row = send(store, add_folder(store, root).id, rows[:1], split="test")
    assert (row.name, row.kind) == ("plug, with parts from the line", "upload")
    assert (row.counts.train, row.counts.test_normal, row.counts.test_defective) == (3, 3, 2)
    assert sorted(root.rglob("*")) == before
    (masked,) = [file for file in read_dataset(row.root).test if file.mask]
    assert masked.defect == "bent"
