"""Fits again: with the settings that the file has now, with folds that suit the images, found where they are there."""

from pathlib import Path

import pytest

from gad_core.data.datasets import read_dataset
from gad_core.features.engines import load_engine
from gad_core.gaussian.detector_file import load_detector
from gad_core.gaussian.update import add_images, remove_images
from gad_core.workspace import steps
from gad_core.workspace.imports import add_folder
from gad_core.workspace.rows import DetectorRow
from gad_core.workspace.steps import find_fit, fit_dataset, settings_of, settings_without, try_demo
from gad_core.workspace.store import Store


def test_a_detector_updated_in_place_has_the_settings_of_its_file(store: Store, six: DetectorRow) -> None:
    images = read_dataset(store.datasets.get(six.dataset_id or "").root).train
    gone = images.where([i == 2 for i in range(6)])
    engine = load_engine(six.backbone)
    remove_images(load_detector(six.path), gone, engine).detector.save(six.path)
    assert settings_of(six).without == gone.digests
    add_images(load_detector(six.path), gone, engine).detector.save(six.path)
    assert settings_of(six).without == ()


def test_images_left_out_are_fewer_than_the_folds_were(store: Store, six: DetectorRow) -> None:
    digests = load_detector(six.path).training.digests[:2]
    settings = settings_without(six, digests)
    refit = fit_dataset(store, six.dataset_id or "", settings, cache=store.feature_cache())
    detector = load_detector(refit.path)
    assert (detector.n_train, detector.n_folds, set(settings_of(refit).without)) == (4, 4, set(digests))
    dataset = store.datasets.get(six.dataset_id or "")
    assert find_fit(store, dataset, settings) == refit
    assert find_fit(store, dataset, settings_without(refit, ())) == six


def test_a_detector_that_took_in_other_images_is_no_fit_of_the_data_set(
    store: Store, six: DetectorRow, stripes: Path
) -> None:
    dataset, settings = store.datasets.get(six.dataset_id or ""), settings_of(six)
    assert find_fit(store, dataset, settings) == six
    spare = read_dataset(stripes.parent / "spare").train
    add_images(load_detector(six.path), spare, load_engine(six.backbone)).detector.save(six.path)
    assert find_fit(store, dataset, settings) is None


def test_a_detector_whose_file_is_gone_is_passed_over(store: Store, six: DetectorRow) -> None:
    settings = settings_of(six)
    six.path.unlink()
    assert find_fit(store, store.datasets.get(six.dataset_id or ""), settings) is None


def test_progress_over_drawing_and_fitting_never_runs_backwards(
    store: Store, stripes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = add_folder(store, stripes)

    def draw(_store, _category, *, progress):
        for done in range(1, 221):
            progress(done, 220)
        return row

    monkeypatch.setattr(steps, "add_demo", draw)
    reports: list[tuple[int, int]] = []
    try_demo(
        store,
        "washer",
        backbone="tf_efficientnet_lite0",
        cache=store.feature_cache(),
        progress=lambda done, total: reports.append((done, total)),
    )
    assert reports == sorted(reports)
    assert {total for _, total in reports} == {440}
    assert reports[-1] == (440, 440)
