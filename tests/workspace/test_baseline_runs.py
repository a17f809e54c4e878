"""Baselines run on data sets of the workspace: kept, replaced, and of the images as they are."""

import json
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from gad_core.baselines import named
from gad_core.baselines.neighbours import fit_neighbours
from gad_core.errors import GadError
from gad_core.features.engines import load_engine
from gad_core.features.extract import extract
from gad_core.workspace.baseline_runs import run_on_dataset, runs_of
from gad_core.workspace.imports import add_folder
from gad_core.workspace.requests import Baseline, PaperTable, read_request
from gad_core.workspace.rows import DatasetState

LITE0 = "tf_efficientnet_lite0"


@pytest.fixture
def row(store, stripes):
    return add_folder(store, stripes)


def test_a_run_has_the_scores_of_the_test_images(store, row):
    run_on_dataset(store, row.id, "neighbours", backbone=LITE0, cache=store.feature_cache())
    (run,) = runs_of(store, row.state)
    data, engine = store.read(row), load_engine(LITE0)
    train, test = (extract(images, engine, cache=store.feature_cache()) for images in (data.train, data.test))
    expected = fit_neighbours(train.features, engine.network.backbone.level_slices).scores(test.features)
    np.testing.assert_allclose([run.outcome.scores[digest] for digest in data.test.digests], expected)
    assert run.outcome.n_bytes == train.features.nbytes
    assert run.outcome.milliseconds > 0


def test_a_later_run_takes_the_place_of_the_earlier_and_other_images_have_none(store, row):
    for _ in range(2):
        run_on_dataset(store, row.id, "one-class-svm", backbone=LITE0, cache=store.feature_cache())
    assert [run.name for run in runs_of(store, row.state)] == ["one-class-svm"]
    assert runs_of(store, DatasetState(row.id, row.modified + timedelta(seconds=1))) == ()


def test_a_damaged_run_is_none(store, row):
    run = run_on_dataset(store, row.id, "coreset", backbone=LITE0, cache=store.feature_cache())
    path = store.comparisons / f"{run.id}.json"
    path.write_text(path.read_text()[:40])
    assert runs_of(store, row.state) == ()
    path.write_text(json.dumps({"name": 3}))
    assert runs_of(store, row.state) == ()


@pytest.mark.parametrize("name", ["auto-encoder", "classifier"])
def test_a_trained_baseline_scores_every_test_image_and_leaves_nothing_behind(store, row, name, monkeypatch):
    monkeypatch.setattr(named, "AUTOENCODER", replace(named.AUTOENCODER, epochs=1))
    monkeypatch.setattr(named, "CLASSIFIER", replace(named.CLASSIFIER, epochs=1))
    outcome = run_on_dataset(store, row.id, name, backbone=LITE0, cache=store.feature_cache()).outcome
    assert set(outcome.scores) == set(store.read(row).test.digests)
    assert len(set(outcome.scores.values())) == len(outcome.scores)
    assert outcome.n_bytes > 10**7
    assert not [path for path in (store.cache / "training").rglob("*") if path.is_file()]


def test_an_unknown_baseline_is_refused_with_those_that_there_are(store, row):
    with pytest.raises(GadError, match="choose one of neighbours, coreset"):
        run_on_dataset(store, row.id, "oracle", backbone=LITE0, cache=store.feature_cache())


@pytest.mark.parametrize("request_", [Baseline("d", "coreset", LITE0), PaperTable("d", "II", LITE0)])
def test_what_was_asked_for_is_read_back(request_):
    assert read_request(json.loads(json.dumps(request_.to_json()))) == request_
