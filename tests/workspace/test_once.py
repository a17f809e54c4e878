"""From upload to fitted detector, every image is decoded once and hashed once, and its features are read once."""

import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gad_core.data import images
from gad_core.data.datasets import read_dataset
from gad_core.data.images import decode, resize
from gad_core.errors import Cancelled
from gad_core.features.cache import FeatureCache
from gad_core.features.engines import load_engine
from gad_core.features.registry import get_backbone
from gad_core.gaussian.detector_file import load_detector
from gad_core.gaussian.fit import fit_images
from gad_core.gaussian.settings import FitSettings
from gad_core.workspace.imports import add_folder, add_upload, extend_upload
from gad_core.workspace.rows import DatasetRow
from gad_core.workspace.steps import fit_dataset
from gad_core.workspace.store import Store

N_IMAGES = 46  # of `stripes`, training and test images


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often files were decoded, hashed, and their features looked up in the cache."""
    counts: Counter[str] = Counter()
    load_engine(FitSettings().backbone)  # its weights are hashed as well, once a process

    def counted(owner: object, name: str, kind: str) -> None:
        original: Callable[..., object] = getattr(owner, name)

        def call(*args: object, **options: object) -> object:
            counts[kind] += 1
            return original(*args, **options)

        monkeypatch.setattr(owner, name, call)

    counted(images, "_load", "decoded")
    counted(hashlib, "file_digest", "hashed")
    counted(FeatureCache, "features", "looked up")
    return counts


def upload(store: Store, root: Path) -> DatasetRow:
    """The category `root` as an upload of its good parts and further ones of its test images."""
    row = add_upload(store, [(path.name, path.read_bytes()) for path in (root / "train/good").iterdir()], name="x")
    for folder in sorted((root / "test").iterdir()):
        files = [(path.name, path.read_bytes()) for path in folder.iterdir()]
        row = extend_upload(store, row.id, files, split="test", defect=folder.name)
    return row


def fit(store: Store, row: DatasetRow) -> None:
    settings = FitSettings(n_folds=2)
    assert fit_dataset(store, row.id, settings, cache=store.feature_cache()).n_train == 30
    store.read(row)  # as the pages do


def test_an_upload_is_decoded_once_and_hashed_once(store: Store, stripes: Path, work: Counter[str]) -> None:
    fit(store, upload(store, stripes))
    assert work == {"decoded": N_IMAGES, "hashed": N_IMAGES, "looked up": N_IMAGES}


def test_an_archive_is_decoded_once_and_hashed_once(
    store: Store, stripes: Path, tmp_path: Path, work: Counter[str]
) -> None:
    archive = Path(shutil.make_archive(str(tmp_path / "stripes"), "zip", stripes))
    fit(store, add_upload(store, [(archive.name, archive.read_bytes())], name="x"))
    assert work == {"decoded": N_IMAGES, "hashed": N_IMAGES, "looked up": N_IMAGES}


def test_a_folder_of_the_server_is_decoded_once_and_hashed_once(
    store: Store, stripes: Path, tmp_path: Path, work: Counter[str]
) -> None:
    root = shutil.copytree(stripes, tmp_path / "stripes")
    for path in root.rglob("*.png"):
        os.utime(path, (1e9, 1e9))  # it has lain there for a while
    fit(store, add_folder(store, root))
    assert work == {"decoded": N_IMAGES, "hashed": N_IMAGES, "looked up": N_IMAGES}


def test_what_the_door_keeps_is_what_an_extraction_would_decode(store: Store, stripes: Path) -> None:
    upload(store, stripes)
    cache, backbone = store.feature_cache(), get_backbone(FitSettings().backbone)
    for file in read_dataset(stripes).train.files[:3]:
        np.testing.assert_array_equal(
            cache.pixels(backbone, file.digest), resize(decode(file.path), backbone.input_size)
        )


def test_a_detector_is_the_same_bit_for_bit_as_one_from_the_images_alone(store: Store, stripes: Path) -> None:
    from gad_core.features.engines import load_engine

    row = add_folder(store, stripes)
    settings = FitSettings(n_folds=4, calibration_share=1 / 3)
    fitted = load_detector(fit_dataset(store, row.id, settings, cache=store.feature_cache()).path)
    alone = fit_images(read_dataset(stripes).train, load_engine(settings.backbone), settings).detector
    tests = fitted.calibration.features
    assert (fitted.training.digests, fitted.calibration.digests) == (
        alone.training.digests,
        alone.calibration.digests,
    )
    np.testing.assert_array_equal(fitted.scores(tests), alone.scores(tests))
    np.testing.assert_array_equal(
        fitted.left_out_distances(fitted.tuning.reduction), alone.left_out_distances(alone.tuning.reduction)
    )


def test_a_changed_image_of_a_folder_is_noticed_by_the_next_fit(store: Store, stripes: Path, tmp_path: Path) -> None:
    root = shutil.copytree(stripes, tmp_path / "stripes")
    row = add_folder(store, root)
    first, other = (root / "train/good" / name for name in ("000.png", "001.png"))
    first.write_bytes((root / "test/good/000.png").read_bytes())
    detector = load_detector(fit_dataset(store, row.id, FitSettings(n_folds=2), cache=store.feature_cache()).path)
    assert detector.training.digests[:2] == (images.content_digest(first), images.content_digest(other))


def test_an_import_cancelled_at_the_door_leaves_no_digests(store: Store, stripes: Path) -> None:
    def progress(done: int, total: int) -> None:
        if done == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        add_folder(store, stripes, progress=progress)
    assert not (store.cache / "digests").exists()
    assert store.datasets.all() == ()
