"""Studies of deployment shift in the workspace: kept for a fit, a data set and a threshold as they are."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from gad_core.data.shifts import Shift
from gad_core.deployment.settings import ShiftSettings
from gad_core.gaussian.detector_file import load_detector
from gad_core.gaussian.settings import FitSettings
from gad_core.gaussian.tuning import Tuning, WorkingPoint
from gad_core.workspace.imports import add_folder
from gad_core.workspace.requests import read_request
from gad_core.workspace.rows import DatasetState
from gad_core.workspace.shift_runs import (
    ShiftKey,
    find_remedies,
    find_shift_study,
    remedies_on_dataset,
    remedies_path,
    study_on_dataset,
    study_path,
)
from gad_core.workspace.steps import fit_dataset
from gad_core.workspace.threshold_requests import ShiftRemedies, ShiftStudy

SETTINGS = ShiftSettings(kinds=("white balance",), n_normals=6, n_test=4)
POINT = WorkingPoint("cross-conformal", 0.1, 2.0, 30, "by hand")
TUNING, SHIFT = Tuning((6, 7)), Shift("white balance", 10)


@pytest.fixture
def rows(store, stripes):
    dataset = add_folder(store, stripes)
    return dataset, fit_dataset(store, dataset.id, FitSettings(n_folds=3, regions=None), cache=store.feature_cache())


@pytest.fixture
def reading(store):
    return {"tuning": TUNING, "point": POINT, "cache": store.feature_cache()}


def test_a_study_is_found_for_its_fit_its_images_and_its_threshold_alone(store, rows, reading):
    dataset, row = rows
    key = study_on_dataset(store, dataset.id, row.id, SETTINGS, **reading)
    detector = load_detector(row.path)
    assert key == ShiftKey.of(dataset.state, row.id, detector, TUNING, POINT)
    found = find_shift_study(store, key)
    assert (found.point, found.tuning, found.settings, len(found.steps)) == (POINT, TUNING, SETTINGS, 5)
    later = DatasetState(dataset.id, dataset.modified + timedelta(seconds=1))
    for others in (
        (later, row.id, detector, TUNING, POINT),
        (dataset.state, row.id, detector, TUNING, replace(POINT, threshold=3.0)),
        (dataset.state, row.id, detector, Tuning((7,)), POINT),
    ):
        assert find_shift_study(store, ShiftKey.of(*others)) is None
    study_path(store, key).write_text("{}")
    assert find_shift_study(store, key) is None


def test_remedies_are_kept_by_shift(store, rows, reading):
    dataset, row = rows
    key = remedies_on_dataset(store, dataset.id, row.id, SHIFT, **reading)
    found = find_remedies(store, key, SHIFT)
    assert (found.shift, found.as_it_is.tuning, found.as_it_is.clean.left_out.n) == (SHIFT, TUNING, 30)
    assert find_remedies(store, key, Shift("white balance", 5)) is None
    assert find_shift_study(store, key) is None
    remedies_path(store, key, SHIFT).write_text("{")
    assert find_remedies(store, key, SHIFT) is None


def test_both_go_with_their_detector(store, rows, reading):
    dataset, row = rows
    remedies_on_dataset(store, dataset.id, row.id, SHIFT, **reading)
    assert list(store.shifts.iterdir())
    store.detectors.remove(row.id)
    assert not list(store.shifts.iterdir())


@pytest.mark.parametrize(
    "request_", [ShiftStudy("d", "e", TUNING, POINT, SETTINGS), ShiftRemedies("d", "e", TUNING, POINT, SHIFT)]
)
def test_what_was_asked_for_is_read_back(request_):
    assert read_request(json.loads(json.dumps(request_.to_json()))) == request_
