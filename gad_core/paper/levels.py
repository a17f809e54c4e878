"""Tables II to V: AUROC of every level and of the sum, by distance, by network and by reduction (Sec. V-A, V-B)."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from gad_core.data.datasets import Dataset
from gad_core.decision.curves import auroc
from gad_core.features.backbones import Backbone
from gad_core.gaussian.levels import sum_levels
from gad_core.gaussian.reduction import ALL, NPCA_1, Reduction
from gad_core.gaussian.spectrum import fit_gaussian
from gad_core.gaussian.tuning import SUM, Distance, all_levels
from gad_core.paper.lab import Lab
from gad_core.paper.units import Row, Unit
from gad_core.progress import Progress, Stages

#: The columns of Table II.
DISTANCES: Mapping[str, Distance] = {"L2": "l2", "SED": "sed", "Mahalanobis": "mahalanobis"}
#: The columns of Table V.
REDUCTIONS: Mapping[str, Reduction] = {
    "all": ALL,
    "PCA 99 %": Reduction("pca", 0.99),
    "PCA 95 %": Reduction("pca", 0.95),
    "NPCA 1 %": NPCA_1,
    "NPCA 0.1 %": Reduction("npca", 0.001),
    "NPCA 0.01 %": Reduction("npca", 0.0001),
}
_SECONDS = 8


def level_units(lab: Lab, backbones: tuple[Backbone, ...]) -> list[Unit]:
    """One unit for each category and network, which all four tables share."""
    return [
        Unit(
            dataset.name,
            f"levels-{backbone.name}",
            lab.facts(dataset, lab.fingerprint(backbone)),
            _SECONDS,
            partial(level_rows, lab, dataset, backbone),
        )
        for dataset in lab.categories
        for backbone in backbones
    ]


def level_rows(lab: Lab, dataset: Dataset, backbone: Backbone, _: Path, progress: Progress) -> list[Row]:
    """AUROC in percent of every fold's Gaussians on all test images, without augmentation."""
    stages = Stages(progress, (len(dataset.train), len(dataset.test), lab.settings.folds))
    train = lab.features(dataset.train, backbone, progress=stages(0)).features
    test = lab.features(dataset.test, backbone, progress=stages(1)).features
    labels, rows = dataset.test.labels, list[Row]()
    cells = [(name, "all", distance, ALL) for name, distance in DISTANCES.items()]
    cells += [("Mahalanobis", name, "mahalanobis", cut) for name, cut in REDUCTIONS.items() if name != "all"]
    for fold, fitted in lab.normal_folds(dataset):
        with threadpool_limits(1, "blas"):
            gaussians = [fit_gaussian(train[fitted, part]) for part in backbone.level_slices]
        places = [g.coordinates(test[:, part]) for g, part in zip(gaussians, backbone.level_slices, strict=True)]
        for distance, reduction, kind, cut in cells:
            pairs = zip(gaussians, places, strict=True)
            by_level = np.stack([g.spectrum.distances(c, cut, distance=kind) for g, c in pairs], axis=1)
            scores = {str(level): by_level[:, level - 1] for level in all_levels(backbone)}
            scores[SUM] = sum_levels(by_level, all_levels(backbone))
            common = {"fold": fold, "backbone": backbone.name, "distance": distance, "reduction": reduction}
            rows += [
                {**common, "level": level, "metric": "AUROC", "value": 100 * auroc(values, labels).value}
                for level, values in scores.items()
            ]
        stages(2)(fold + 1, lab.settings.folds)
    return rows
