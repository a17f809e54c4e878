"""The steps from images to a detector, each from one shelf of the workspace to the next."""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gad_core.data.datasets import ImageSet
from gad_core.data.demo.photos import PARTS, places
from gad_core.data.groups import default_folds
from gad_core.decision.curves import auroc
from gad_core.errors import GadError
from gad_core.features.cache import FeatureCache
from gad_core.features.engines import load_engine
from gad_core.features.extract import extract
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.detector_file import read_summary
from gad_core.gaussian.fit import fit_images
from gad_core.gaussian.settings import FitSettings
from gad_core.gaussian.tuning import Tuning
from gad_core.progress import Progress, Stages
from gad_core.workspace.imports import add_demo, find_demo
from gad_core.workspace.rows import DatasetRow, DetectorRow
from gad_core.workspace.store import Store


def fit_dataset(
    store: Store,
    dataset_id: str,
    settings: FitSettings,
    *,
    cache: FeatureCache,
    progress: Progress | None = None,
) -> DetectorRow:
    """Fit a detector to a data set's normal images and put it on the shelf.

    The test images go through the network as well, so that every page finds their features in the cache. Raises
    `GadError` for a network without weights, and where the data set is gone or cannot be fitted.
    """
    store.check_open()
    row = store.datasets.get(dataset_id)
    engine = load_engine(settings.backbone, cache=cache)
    dataset = store.read(row)
    n, passes = len(dataset.train), settings.augmented.passes if settings.augmented else 0
    stages = Stages(progress, (n + len(dataset.test), n * passes))
    both = ImageSet(dataset.train.files + dataset.test.files)
    known = extract(both, engine, regions=settings.regions_on(engine.network.backbone), cache=cache, progress=stages(0))
    test = known.of(dataset.test)
    detector = fit_images(dataset.train, engine, settings, known=known, cache=cache, progress=stages(1)).detector
    return store.detectors.add(
        detector.save,
        name=row.name,
        settings=detector.settings,
        n_train=detector.n_train,
        dataset_id=dataset_id,
        auroc=auroc_of(detector, detector.tuning, test.features, test.images.labels),
    )


def auroc_of(
    detector: Detector, tuning: Tuning, features: NDArray[np.float32], anomalous: NDArray[np.bool_]
) -> float | None:
    """AUROC of a tuning on test features (m, sum C), in [0, 1]; None without good and defective ones."""
    if not anomalous.any() or anomalous.all():
        return None
    return auroc(detector.scores(features, tuning), anomalous).value


def try_demo(
    store: Store, category: str, *, backbone: str, cache: FeatureCache, progress: Progress | None = None
) -> DetectorRow:
    """A demo category with a detector fitted to it; what is there already is used again."""
    photos = len(places(next(iter(PARTS))))  # of every category, good enough for a bar
    stages = Stages(progress, (0 if find_demo(store, category) else photos, photos))
    dataset = add_demo(store, category, progress=stages(0))
    for row in store.detectors.all():
        if (row.dataset_id, row.backbone) == (dataset.id, backbone):
            return row
    return fit_dataset(store, dataset.id, FitSettings(backbone=backbone), cache=cache, progress=stages(1))


def settings_of(row: DetectorRow) -> FitSettings:
    """What a detector was fitted with, as its file says: an update in place may have changed it since the fit.

    Files of the first version do not name the images left out, which the row does, and always name the folds: where
    those are as many as suit the images, nobody has asked for a number.
    """
    summary = read_summary(row.path)
    settings, digests = summary.settings, set(summary.digests)
    groups = dict(settings.groups) if isinstance(settings.groups, tuple) else {}
    suitable = default_folds(summary.n_left_out, groups=[groups.get(digest) for digest in summary.digests])
    return replace(
        settings,
        without=settings.without or tuple(digest for digest in row.settings.without if digest not in digests),
        n_folds=None if settings.n_folds == suitable else settings.n_folds,
    )


def settings_without(row: DetectorRow, digests: Collection[str]) -> FitSettings:
    """A detector's settings, but with these images left out and no others."""
    return settings_of(row).leaving_out(tuple(digests))


def find_fit(store: Store, dataset: DatasetRow, settings: FitSettings) -> DetectorRow | None:
    """A detector fitted with these settings to the images that the data set has now."""
    for row in store.detectors.all():
        if (row.dataset_id, row.backbone) == (dataset.id, settings.backbone) and row.created > dataset.modified:
            with suppress(GadError):  # a file that is gone or damaged is no fit
                as_fitted = row.n_train == read_summary(row.path).n_train  # no other images came in since
                if as_fitted and settings_of(row) == settings:
                    return row
    return None


def augmented_twin(store: Store, detector: DetectorRow) -> DetectorRow | None:
    """The newest fit to the same data set that differs in having augmented copies, or none."""
    for row in store.detectors.all():
        same = (row.dataset_id, row.backbone) == (detector.dataset_id, detector.backbone)
        if same and bool(row.settings.augmented) != bool(detector.settings.augmented):
            return row
    return None
