"""What decides an experiment, which images its folds are fitted to, and which type of defect is held out."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from gad_core.baselines.classifier import rotation
from gad_core.baselines.one_class_svm import fit_one_class_svms
from gad_core.data.datasets import Dataset, ImageFile, ImageSet
from gad_core.data.groups import k_folds
from gad_core.features.engines import load_engine
from gad_core.features.registry import get_backbone
from gad_core.paper import trained
from gad_core.paper.held_out import held_out_type
from gad_core.paper.lab import Lab
from gad_core.paper.on_features import feature_rows
from gad_core.paper.settings import PaperSettings
from gad_core.paper.trained import pooled

LITE0 = get_backbone("tf_efficientnet_lite0")
TYPES = ["good"] * 8 + ["crack"] * 5 + ["hole"] * 5 + ["stain"] * 5


def images(defects: list[str], start: int = 0) -> ImageSet:
    return ImageSet(tuple(ImageFile(None, f"{start + i:064x}", defect) for i, defect in enumerate(defects)))


@pytest.fixture
def nut() -> Dataset:
    return Dataset("nut", Path("nut"), images(["good"] * 30), images(TYPES, start=100))


def quiet(done: int, total: int) -> None:
    """Report to nobody."""


def lab_of(data: Dataset) -> Lab:
    return Lab((data,), PaperSettings(folds=3), load_engine, Path("nowhere"), None)


def features_by_set(monkeypatch, train: np.ndarray, test: np.ndarray) -> None:
    def features(self, images, backbone, **kwargs):
        return SimpleNamespace(features=train if len(images) == len(train) else test)

    monkeypatch.setattr(Lab, "features", features)


def test_other_images_labels_folds_or_seeds_are_other_facts(nut):
    lab = lab_of(nut)
    first = nut.train.files[0]
    for other in (
        replace(nut, train=ImageSet((replace(first, digest="f" * 64), *nut.train.files[1:]))),
        replace(nut, test=images(["good"] * 9 + TYPES[9:], start=100)),
    ):
        assert lab.facts(other) != lab.facts(nut)
    for settings in (PaperSettings(folds=4), PaperSettings(folds=3, seed=1)):
        assert replace(lab, settings=settings).facts(nut) != lab.facts(nut)


def test_the_type_that_lies_farthest_from_all_others_is_held_out(nut, monkeypatch):
    rng, width = np.random.default_rng(0), sum(LITE0.channels)
    test = 0.1 * rng.normal(size=(len(TYPES), width))
    for kind, place in (("crack", 3.0), ("hole", 4.0), ("stain", 9.0)):
        test[np.array(TYPES) == kind] += place
    features_by_set(monkeypatch, rng.normal(size=(30, width)), test)
    assert held_out_type(lab_of(nut), nut, LITE0) == "stain"


def test_one_class_svms_are_fitted_to_the_images_of_their_fold(nut, monkeypatch):
    rng, width = np.random.default_rng(1), 49 * 500 + sum(LITE0.channels)
    train, test = rng.normal(size=(30, width)).astype(np.float32), rng.normal(size=(len(TYPES), width))
    test[nut.test.labels] *= 1.02  # hardly to be told apart
    test = test.astype(np.float32)
    features_by_set(monkeypatch, train, test)
    rows = feature_rows(lab_of(nut), nut, LITE0, Path("nowhere"), quiet)
    folds = k_folds(30, 3, seed=0)
    for fold in range(3):
        scores = fit_one_class_svms(train[folds != fold], LITE0.level_slices).scores(test)
        (own,) = [
            row["value"]
            for row in rows
            if (row["fold"], row["method"], row["metric"]) == (fold, "oc-SVM, all levels", "AUROC")
        ]
        assert own == pytest.approx(100 * roc_auc_score(nut.test.labels, scores))


def test_a_classifiers_area_is_that_of_its_scores_on_the_images_of_its_test_fold(nut, monkeypatch):
    """Pixels that say which image they are, and a scorer of random but known scores."""
    whole = pooled(nut)
    pixels = np.arange(len(whole), dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 3), np.uint8)
    known = np.random.default_rng(3).random(len(whole)) + 0.3 * whole.labels

    def fit(train, validation, backbone, training, *, checkpoint, progress):
        assert not set(train.digests) & set(validation.digests)
        return SimpleNamespace(score_pixels=lambda some: known[some[:, 0, 0, 0]])

    monkeypatch.setattr(Lab, "pixels", lambda *_, **__: pixels)
    monkeypatch.setattr(trained, "fit_classifier", fit)
    for fold in range(2):
        (row,) = trained.classifier_rows(lab_of(nut), nut, LITE0, fold, Path("nowhere"), quiet)
        tested = rotation(whole, fold, 0)[2]
        assert row["value"] == pytest.approx(100 * roc_auc_score(whole.labels[tested], known[tested]))
