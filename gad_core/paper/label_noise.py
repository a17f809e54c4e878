"""Table VIII: unlabelled defects among the normal training images, for Gaussians and for a classifier (Sec. V-D1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gad_core.baselines.classifier import FOLDS, Rows, fit_classifier, rotation
from gad_core.baselines.training import Samples, labelled
from gad_core.data.datasets import Dataset
from gad_core.decision.curves import auroc
from gad_core.features.backbones import Backbone
from gad_core.gaussian.reduction import ALL
from gad_core.gaussian.spectrum import fit_gaussian
from gad_core.paper.lab import Lab
from gad_core.paper.trained import pooled, seconds, sized, training
from gad_core.paper.units import Row, Unit
from gad_core.progress import Progress, Stages

#: Prevalence of mislabelled defects among the training images (Table VII).
CORRUPTION = (0.0, 0.01, 0.05, 0.10, 0.20)
#: Prevalence of labelled defects.
LABELLED = 0.05


@dataclass(frozen=True)
class Sample:
    """Rows to train on, each as often as it occurs: good ones, defects that are labelled, and defects called good."""

    normal: Rows
    labelled: Rows
    mislabelled: Rows

    @property
    def share(self) -> float:
        """Of the mislabelled defects among all."""
        return len(self.mislabelled) / (len(self.normal) + len(self.labelled) + len(self.mislabelled))


def draw(train: Rows, defects: Sequence[str | None], corruption: float, *, seed: int = 0) -> Sample:
    """Draw what a fold trains on from its rows; `defects` (all images) are the types, None for good ones.

    Half of the defects of every type are called good. Both halves are repeated or thinned until labelled ones make up
    5 % and mislabelled ones `corruption` of all, to the nearest image; every good image occurs once.
    """
    types = np.array([defects[row] or "" for row in train])
    normal, rng = train[types == ""], np.random.default_rng(seed)
    hidden = mislabelled_half(types, seed=seed)
    total = len(normal) / (1 - LABELLED - corruption)
    return Sample(
        normal,
        repeated(train[(types != "") & ~hidden], round(LABELLED * total), rng),
        repeated(train[hidden], round(corruption * total), rng),
    )


def mislabelled_half(types: NDArray[np.str_], *, seed: int = 0) -> NDArray[np.bool_]:
    """Flags (n,) of half of the images of every type but ""; odd ones go to the two halves in turn."""
    hidden, rng, odd = np.zeros(len(types), bool), np.random.default_rng(seed), 0
    for kind in sorted(set(types) - {""}):
        rows = rng.permutation(np.flatnonzero(types == kind))
        take = len(rows) // 2 + (odd if len(rows) % 2 else 0)
        odd = 1 - odd if len(rows) % 2 else odd
        hidden[rows[:take]] = True
    return hidden


def repeated(rows: Rows, size: int, rng: np.random.Generator) -> Rows:
    """So many of the rows, each as often as any other, give or take one."""
    if not size or not len(rows):
        return rows[:0]
    rounds = -(-size // len(rows))
    return np.concatenate([rng.permutation(rows) for _ in range(rounds)])[:size]


def label_noise_units(lab: Lab, backbone: Backbone) -> list[Unit]:
    """One unit for all Gaussians of a category, and one for each classifier that is trained."""
    learning = lab.settings.scale.classifier
    units = []
    for dataset in lab.categories:
        facts = lab.facts(dataset, lab.fingerprint(backbone))
        units.append(
            Unit(
                dataset.name,
                f"label-noise-{backbone.name}",
                facts,
                25,
                partial(gaussian_rows, lab, dataset, backbone),
            )
        )
        units += [
            Unit(
                dataset.name,
                f"label-noise-classifier-{backbone.name}-{100 * share:g}-{fold}",
                [facts, repr(learning), share],
                seconds(learning, len(dataset.train), sized(backbone, learning).input_size),
                partial(classifier_rows, lab, dataset, backbone, share, fold),
            )
            for share in CORRUPTION
            for fold in range(learning.folds)
        ]
    return units


def gaussian_rows(lab: Lab, dataset: Dataset, backbone: Backbone, _: Path, progress: Progress) -> list[Row]:
    """AUROC of the sum of all levels, labelled defects left out of the fit, on each fold's test images."""
    images = pooled(dataset)
    stages = Stages(progress, (len(images), FOLDS * len(CORRUPTION) * 20))
    features = lab.features(images, backbone, progress=stages(0)).features
    types = _types(dataset)
    rows = list[Row]()
    for fold in range(FOLDS):
        train, __, test = rotation(images, fold, lab.settings.seed)
        for share in CORRUPTION:
            sample = draw(train, types, share, seed=lab.settings.seed + fold)
            fitted = features[np.concatenate([sample.normal, sample.mislabelled])]
            scores = np.zeros(len(test))
            for part in backbone.level_slices:
                with threadpool_limits(1, "blas"):
                    gaussian = fit_gaussian(fitted[:, part])
                scores += gaussian.spectrum.distances(gaussian.coordinates(features[test, part]), ALL)
            value = 100 * auroc(scores, images.labels[test]).value
            rows.append({"method": "Mahalanobis, all levels", "fold": fold, **_row(share, sample, value)})
            stages(1)(len(rows), FOLDS * len(CORRUPTION))
    return rows


def classifier_rows(
    lab: Lab, dataset: Dataset, backbone: Backbone, share: float, fold: int, kept: Path, progress: Progress
) -> list[Row]:
    """AUROC of a classifier that takes the mislabelled defects for good, on the fold's test images."""
    images, stages = pooled(dataset), Stages(progress, (1, 20))
    shape = sized(backbone, lab.settings.scale.classifier)
    samples = labelled(images, lab.pixels(images, shape, progress=stages(0)))
    train, validation, test = rotation(images, fold, lab.settings.seed)
    sample = draw(train, _types(dataset), share, seed=lab.settings.seed + fold)
    rows = np.concatenate([sample.normal, sample.labelled, sample.mislabelled])
    targets = np.concatenate(
        [np.zeros(len(sample.normal)), np.ones(len(sample.labelled)), np.zeros(len(sample.mislabelled))]
    )
    chosen = samples[rows]
    scorer = fit_classifier(
        Samples(chosen.pixels, chosen.digests, targets.astype(np.float32)),
        samples[validation],
        shape,
        training(lab.settings.scale.classifier, lab.augmentation(dataset), lab.settings.seed),
        checkpoint=kept / "classifier.pt",
        progress=stages(1),
    )
    value = 100 * auroc(scorer.score_pixels(samples.pixels[test]), images.labels[test]).value
    return [{"method": "Fine-tuned classifier", "fold": fold, **_row(share, sample, value)}]


def _types(dataset: Dataset) -> list[str | None]:
    return [file.defect if file.anomalous else None for file in pooled(dataset)]


def _row(share: float, sample: Sample, value: float) -> Row:
    return {"corruption": share, "achieved": sample.share, "metric": "AUROC", "value": value}
