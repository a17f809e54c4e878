"""Studies of synthetic defects in the workspace: kept, replaced, and of the fit and the images as they are."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from gad_core.detectability.plan import SensitivitySettings
from gad_core.gaussian.detector_file import load_detector
from gad_core.gaussian.settings import FitSettings
from gad_core.gaussian.tuning import WorkingPoint
from gad_core.workspace.adoption import adopt
from gad_core.workspace.imports import add_folder
from gad_core.workspace.requests import read_request
from gad_core.workspace.rows import DatasetState, detector_state
from gad_core.workspace.sensitivity_runs import Measured, find_study, measure_on_dataset, path_of
from gad_core.workspace.steps import fit_dataset
from gad_core.workspace.threshold_requests import Sensitivity

SETTINGS = SensitivitySettings(contrasts=(0.4,), sizes=(3, 9, 27))
POINT = WorkingPoint("cross-conformal", 0.1, 2.0, 30, "by hand")


@pytest.fixture
def rows(store, stripes):
    dataset = add_folder(store, stripes)
    return dataset, fit_dataset(store, dataset.id, FitSettings(n_folds=3), cache=store.feature_cache())


def measured(store, rows, point=POINT):
    dataset, row = rows
    tuning = load_detector(row.path).tuning
    return measure_on_dataset(
        store, dataset.id, row.id, SETTINGS, tuning=tuning, point=point, cache=store.feature_cache()
    )


def test_a_study_is_found_for_its_fit_and_its_images_alone(store, rows):
    key = measured(store, rows)
    found = find_study(store, key)
    assert (found.point, found.settings, len(found.draws)) == (POINT, SETTINGS, 147)
    later = DatasetState(key.dataset.id, key.dataset.modified + timedelta(seconds=1))
    assert find_study(store, replace(key, dataset=later)) is None
    assert find_study(store, replace(key, fitted_to="0" * 64)) is None


def test_it_stays_when_a_threshold_is_adopted_and_goes_for_a_later_one(store, rows):
    dataset, row = rows
    key = measured(store, rows)
    detector = load_detector(row.path)
    adopt(store, row, detector, detector.tuning, POINT, state=detector_state(row))
    assert Measured.of(dataset.state, row.id, load_detector(row.path)) == key
    assert measured(store, rows, replace(POINT, threshold=3.0)) == key
    assert find_study(store, key).point.threshold == 3.0


def test_a_damaged_study_is_none(store, rows):
    key = measured(store, rows)
    path = path_of(store, key)
    path.write_text(path.read_text()[:50])
    assert find_study(store, key) is None
    path.write_text(json.dumps({"of": key.to_json(), "found": {}}))
    assert find_study(store, key) is None


def test_what_was_asked_for_is_read_back(store, rows):
    request = Sensitivity("d", "e", load_detector(rows[1].path).tuning, POINT, SETTINGS)
    assert read_request(json.loads(json.dumps(request.to_json()))) == request
