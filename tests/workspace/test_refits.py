"""Fits again: with the settings that the file has now, with folds that suit the images, found where they are there."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gad_core.data.datasets import read_dataset
from gad_core.features.engines import load_engine
from gad_core.gaussian.detector_file import load_detector
from gad_core.gaussian.settings import FitSettings
from gad_core.gaussian.update import add_images, remove_images
from gad_core.workspace import steps
from gad_core.workspace.imports import add_folder, add_upload
from gad_core.workspace.rows import DetectorRow
from gad_core.workspace.steps import find_fit, fit_dataset, settings_of, settings_without, try_demo
from gad_core.workspace.store import Store


@pytest.fixture
def fitted(store: Store, picture: Callable[..., bytes]) -> DetectorRow:
    """Six uploaded images, each left out once."""
    dataset = add_upload(store, [(f"{seed}.png", picture(seed)) for seed in range(6)], name="six")
    return fit_dataset(store, dataset.id, FitSettings(n_folds=6, n_references=0), cache=store.feature_cache())


def test_a_detector_updated_in_place_has_the_settings_of_its_file(store: Store, fitted: DetectorRow) -> None:
    images = read_dataset(store.datasets.get(fitted.dataset_id or "").root).train
    gone = images.where([i == 2 for i in range(6)])
    engine = load_engine(fitted.backbone)
    remove_images(load_detector(fitted.path), gone, engine).detector.save(fitted.path)
    assert settings_of(fitted).without == gone.digests
    add_images(load_detector(fitted.path), gone, engine).detector.save(fitted.path)
    assert settings_of(fitted).without == ()


def test_images_left_out_are_fewer_than_the_folds_were(store: Store, fitted: DetectorRow) -> None:
    digests = load_detector(fitted.path).training.digests[:2]
    settings = settings_without(fitted, digests)
    refit = fit_dataset(store, fitted.dataset_id or "", settings, cache=store.feature_cache())
    detector = load_detector(refit.path)
    assert (detector.n_train, detector.n_folds, set(settings_of(refit).without)) == (4, 4, set(digests))
    dataset = store.datasets.get(fitted.dataset_id or "")
    assert find_fit(store, dataset, settings) == refit
    assert find_fit(store, dataset, settings_without(refit, ())) == fitted


def test_a_detector_that_took_in_other_images_is_no_fit_of_the_data_set(
    store: Store, fitted: DetectorRow, stripes: Path
) -> None:
    dataset, settings = store.datasets.get(fitted.dataset_id or ""), settings_of(fitted)
    assert find_fit(store, dataset, settings) == fitted
    spare = read_dataset(stripes.parent / "spare").train
    add_images(load_detector(fitted.path), spare, load_engine(fitted.backbone)).detector.save(fitted.path)
    assert find_fit(store, dataset, settings) is None


def test_a_detector_whose_file_is_gone_is_passed_over(store: Store, fitted: DetectorRow) -> None:
    settings = settings_of(fitted)
    fitted.path.unlink()
    assert find_fit(store, store.datasets.get(fitted.dataset_id or ""), settings) is None


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
