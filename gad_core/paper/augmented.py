"""Gaussians of augmented copies, fold by fold: the paper's own entry in Table I, and Table VI (Sec. IV-B, V-C)."""

from functools import partial
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from gad_core.data.datasets import Dataset
from gad_core.decision.chi_law import ChiLaw
from gad_core.decision.curves import auroc
from gad_core.decision.rates import exceedance
from gad_core.decision.sigma_table import LEVEL, REDUCTIONS, SIGMAS
from gad_core.decision.working_point import chi2, sigma_fpr
from gad_core.features.backbones import Backbone
from gad_core.gaussian.levels import sum_levels
from gad_core.gaussian.moments import Moments
from gad_core.gaussian.spectrum import Eigenbasis, Gaussian
from gad_core.gaussian.tuning import SUM, all_levels
from gad_core.paper.lab import Features, Lab
from gad_core.paper.units import Row, Unit
from gad_core.progress import Progress, Stages

_SECONDS_A_COPY = 0.012


def augmented_units(lab: Lab, backbones: tuple[Backbone, ...]) -> list[Unit]:
    """One unit for each category and network."""
    passes = lab.settings.scale.passes
    return [
        Unit(
            dataset.name,
            f"augmented-{backbone.name}",
            lab.facts(dataset, lab.fingerprint(backbone), passes, lab.augmentation(dataset).to_json()),
            10 + _SECONDS_A_COPY * passes * len(dataset.train),
            partial(augmented_rows, lab, dataset, backbone),
        )
        for dataset in lab.categories
        for backbone in backbones
    ]


def sigma_level(backbone: Backbone) -> int:
    """The level at which rates are promised: 7, or the last but one of a network that has fewer."""
    return LEVEL if backbone.n_levels > LEVEL else max(1, backbone.n_levels - 1)


def augmented_rows(lab: Lab, dataset: Dataset, backbone: Backbone, _: Path, progress: Progress) -> list[Row]:
    """AUROC of every level and the sum, and rates beyond n sigma at one level, all in percent."""
    n, folds = len(dataset.train), lab.settings.folds
    stages = Stages(progress, (lab.settings.scale.passes * n, len(dataset.test), folds * n))
    copies = lab.copies(dataset, backbone, slice(None), progress=stages(0))
    test = lab.features(dataset.test, backbone, progress=stages(1)).features
    rows = list[Row]()
    for fold, fitted in lab.normal_folds(dataset):
        gaussians = [fit_copied(copies[:, fitted, part]) for part in backbone.level_slices]
        rows += [{"fold": fold, "backbone": backbone.name, **row} for row in _fold(gaussians, backbone, dataset, test)]
        stages(2)(fold + 1, folds)
    return rows


def fit_copied(copies: Features) -> Gaussian:
    """The Gaussian of copies (passes, n, D), one pass at a time."""
    shift = copies[0].mean(axis=0, dtype=np.float64)
    with threadpool_limits(1, "blas"):
        moments = Moments.of(copies[0], shift=shift)
        for one in copies[1:]:
            moments = moments + Moments.of(one, shift=shift)
        basis = Eigenbasis.of(moments)
        heads, tails = zip(*map(basis.fourths, copies), strict=True)
        return basis.gaussian(np.sum(heads, axis=0), np.sum(tails, axis=0))


def _fold(gaussians: list[Gaussian], backbone: Backbone, dataset: Dataset, test: Features) -> list[Row]:
    labels, rows = dataset.test.labels, list[Row]()
    places = [g.coordinates(test[:, part]) for g, part in zip(gaussians, backbone.level_slices, strict=True)]
    at = sigma_level(backbone)
    for name, cut in REDUCTIONS.items():
        pairs = zip(gaussians, places, strict=True)
        by_level = np.stack([g.spectrum.distances(c, cut) for g, c in pairs], axis=1)
        scores = {str(level): by_level[:, level - 1] for level in all_levels(backbone)}
        scores[SUM] = sum_levels(by_level, all_levels(backbone))
        rows += [
            {"reduction": name, "level": level, "metric": "AUROC", "value": 100 * auroc(values, labels).value}
            for level, values in scores.items()
        ]
        spectrum, distances = gaussians[at - 1].spectrum, scores[str(at)]
        for sigma in SIGMAS:
            point = chi2(sigma_fpr(sigma), law=ChiLaw(spectrum.dimension(cut)), n_train=spectrum.n)
            for metric, kind in (("FPR", ~labels), ("TPR", labels)):
                share = exceedance(distances[kind], point.threshold).value
                rows.append(
                    {"reduction": name, "level": str(at), "sigma": sigma, "metric": metric, "value": 100 * share}
                )
    return rows
