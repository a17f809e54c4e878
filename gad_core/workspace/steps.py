"""The steps from images to a decision, each from one shelf of the workspace to the next."""

from collections.abc import Callable, Collection
from dataclasses import asdict, replace
from functools import partial

from gad_core.data.datasets import ImageSet, k_folds, read_dataset
from gad_core.decision.working_point import WorkingPoint
from gad_core.progress import Progress
from gad_core.features.cache import FeatureCache
from gad_core.features.engines import make_engine
from gad_core.features.extract import extract
from gad_core.features.networks import load_network
from gad_core.gaussian.detector import Adopted, Augmented, Detector
from gad_core.gaussian.detector_file import save_detector
from gad_core.gaussian.fit import fit_images
from gad_core.gaussian.tuning import Tuning
from gad_core.workspace.imports import add_demo
from gad_core.workspace.rows import DecisionRow, DetectorRow
from gad_core.workspace.store import Store


def fit_dataset(
    store: Store,
    dataset_id: str,
    *,
    backbone: str,
    cache: FeatureCache,
    n_folds: int | None = None,
    seed: int = 0,
    without: Collection[str] = (),
    apart: int = 0,
    augment: Augmented | None = None,
    grouped: Callable[[ImageSet], ImageSet] | None = None,
    progress: Progress | None = None,
) -> DetectorRow:
    """Fit a detector to a data set's normal images and put it on the shelf; digests in `without` are left out of it.

    `grouped` gives the normal images their groups, which are then left out of a fold together. One in `apart` images
    (0: none) is not fitted but kept for split-conformal thresholds, drawn by the seed.

    The test images go through the network as well, so that every page finds their features in the cache. Raises
    `GadError` for a network without weights, and where the data set is gone or cannot be fitted.
    """
    row = store.datasets.get(dataset_id)
    engine = make_engine(load_network(backbone))
    dataset = read_dataset(row.root)
    train = dataset.train.where([digest not in without for digest in dataset.train.digests])
    if grouped:
        train = grouped(train)
    calibration = None
    if apart:
        kept = k_folds(len(train), apart, groups=train.groups, seed=seed) == 0
        train, calibration = train.where(~kept), train.where(kept)
    extract(ImageSet(dataset.train.files + dataset.test.files), engine, cache=cache, progress=progress)
    fit = fit_images(
        train,
        engine,
        calibration=calibration,
        n_folds=n_folds,
        augment=augment,
        seed=seed,
        cache=cache,
        progress=progress if augment else None,
    )
    detector = fit.detector
    return store.detectors.add(
        partial(save_detector, detector),
        name=row.name,
        backbone=detector.backbone,
        settings={
            "folds": int(detector.folds.max()) + 1,
            "seed": seed,
            "without": sorted(without),
            "apart": apart,
            "augment": augment.to_json() if augment else None,
        },
        n_train=detector.n_train,
        dataset_id=dataset_id,
    )


def try_demo(
    store: Store, category: str, *, backbone: str, cache: FeatureCache, progress: Progress | None = None
) -> DetectorRow:
    """A demo category with a detector fitted to it; what is there already is used again."""
    dataset = add_demo(store, category, progress=progress)
    for row in store.detectors.all():
        if (row.dataset_id, row.backbone) == (dataset.id, backbone):
            return row
    return fit_dataset(store, dataset.id, backbone=backbone, cache=cache, progress=progress)


def adopt(
    store: Store, row: DetectorRow, detector: Detector, tuning: Tuning, level: str, point: WorkingPoint
) -> DecisionRow:
    """Make a threshold the detector's own, in its file and on record; earlier ones stay on record."""
    adopted = Adopted(level, point.method, point.target_fpr, point.threshold, point.how)
    save_detector(replace(detector, tuning=tuning, adopted=adopted), row.path)
    settings = {"levels": list(tuning.levels), "keep": str(tuning.reduction), "score": tuning.distance}
    return store.detectors.adopt(row.id, settings=settings, **asdict(adopted))
