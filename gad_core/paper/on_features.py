"""One-class SVMs, nearest neighbours and Gaussians by region, on the same features and the same folds (Table I)."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from gad_core.baselines.coreset import fit_coreset
from gad_core.baselines.neighbours import fit_neighbours
from gad_core.baselines.one_class_svm import fit_one_class_svms
from gad_core.data.datasets import Dataset
from gad_core.data.groups import default_folds, k_folds
from gad_core.decision.curves import Array, auroc
from gad_core.features.backbones import Backbone
from gad_core.features.regions import Regions, default_regions, region_levels
from gad_core.gaussian.by_region import fit_regions
from gad_core.gaussian.tuning import regional
from gad_core.paper.lab import Features, Lab
from gad_core.paper.units import Row, Unit
from gad_core.progress import Progress, Stages

#: Each takes features of normal images and gives what scores further ones.
Fit = Callable[[Features], Callable[[Features], Array]]
_SECONDS = 40


def feature_units(lab: Lab, backbones: tuple[Backbone, ...]) -> list[Unit]:
    """One unit for each category and network."""
    return [
        Unit(
            dataset.name,
            f"on-features-{backbone.name}",
            lab.facts(dataset, lab.fingerprint(backbone)),
            _SECONDS,
            partial(feature_rows, lab, dataset, backbone),
        )
        for dataset in lab.categories
        for backbone in backbones
    ]


def feature_rows(lab: Lab, dataset: Dataset, backbone: Backbone, _: Path, progress: Progress) -> list[Row]:
    """AUROC in percent, seconds to fit and milliseconds to score an image, features being there."""
    stages = Stages(progress, (len(dataset.train), len(dataset.test), 10 * lab.settings.folds))
    regions = default_regions(backbone) or Regions(7, 7, region_levels(backbone))
    train = lab.features(dataset.train, backbone, regions=regions, progress=stages(0)).features
    test = lab.features(dataset.test, backbone, regions=regions, progress=stages(1)).features
    rows = list[Row]()
    for fold, fitted in lab.normal_folds(dataset):
        for name, fit in _methods(backbone, regions, lab.settings.seed).items():
            begun = time.perf_counter()
            score = fit(train[fitted])
            ready = time.perf_counter()
            scores = score(test)
            numbers = {
                "AUROC": 100 * auroc(scores, dataset.test.labels).value,
                "fit, s": ready - begun,
                "score, ms": 1000 * (time.perf_counter() - ready) / len(test),
            }
            rows += [
                {"fold": fold, "backbone": backbone.name, "method": name, "metric": metric, "value": value}
                for metric, value in numbers.items()
            ]
        stages(2)(fold + 1, lab.settings.folds)
    return rows


def _methods(backbone: Backbone, regions: Regions, seed: int) -> Mapping[str, Fit]:
    slices = backbone.level_slices
    by_region = regions.slices(slices)
    return {
        "oc-SVM, all levels": lambda X: fit_one_class_svms(X, slices).scores,
        "k nearest neighbours, all levels": lambda X: fit_neighbours(X, slices).scores,
        "Coreset of regions": lambda X: fit_coreset(X, by_region, seed=seed).scores,
        "Mahalanobis, regions": partial(_regions, regions=regions, slices=slices, seed=seed),
    }


def _regions(X: Features, *, regions: Regions, slices: tuple[slice, ...], seed: int) -> Callable[[Features], Array]:
    tuning = regional(regions.levels)
    folds = k_folds(len(X), default_folds(len(X)), seed=seed)
    fit = fit_regions(X, regions, slices, folds, reduction=tuning.reduction, usual=())
    return lambda test: fit.scores(test, tuning)
