"""What is trained for Tables I and XIII: auto-encoders on normal images, classifiers on labelled ones (Sec. IV-B)."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from gad_core.attribution.masks import mask_of
from gad_core.baselines.autoencoder import cca_scores, error_maps, fit_autoencoder, map_means, smallest_defect
from gad_core.baselines.classifier import FOLDS, ClassifierScorer, fit_classifier, rotation
from gad_core.baselines.training import Samples, Training, labelled
from gad_core.data.augment_settings import Augmentation
from gad_core.data.datasets import Dataset, ImageSet
from gad_core.decision.curves import auroc
from gad_core.features.backbones import Backbone
from gad_core.features.registry import get_backbone
from gad_core.paper.categories import SMALLEST
from gad_core.paper.lab import Lab
from gad_core.paper.settings import Learning
from gad_core.paper.units import Row, Unit, name_of
from gad_core.progress import Progress, Stages

AUTOENCODER = "resnet18"
_AT_ONCE = 224 * 224 * 25.0  # pixels that two cores train on in a second, roughly


def training(learning: Learning, augmentation: Augmentation | None, seed: int) -> Training:
    """How a network is trained, of a scale."""
    return Training(
        epochs=learning.epochs,
        batch_size=learning.batch_size,
        rate=learning.rate,
        patience=learning.patience,
        augmentation=augmentation,
        seed=seed,
    )


def sized(backbone: Backbone, learning: Learning) -> Backbone:
    """A network whose images have the size of a scale, where that names one."""
    return replace(backbone, input_size=learning.size or backbone.input_size)


def seconds(learning: Learning, n_samples: int, size: int) -> float:
    """What a training takes, roughly."""
    return 5 + learning.epochs * n_samples * size**2 / _AT_ONCE


def pooled(dataset: Dataset) -> ImageSet:
    """Training and test images together: what the classifier's folds are dealt from."""
    return ImageSet(dataset.train.files + dataset.test.files)


def classifier_units(lab: Lab, backbones: tuple[Backbone, ...]) -> list[Unit]:
    """One unit for each category, network and fold of the scale."""
    learning = lab.settings.scale.classifier
    return [
        Unit(
            dataset.name,
            f"classifier-{backbone.name}-{fold}",
            lab.facts(dataset, lab.fingerprint(backbone), repr(learning)),
            seconds(learning, 3 * len(pooled(dataset)) // FOLDS, sized(backbone, learning).input_size),
            partial(classifier_rows, lab, dataset, backbone, fold),
        )
        for dataset in lab.categories
        for backbone in backbones
        for fold in range(learning.folds)
    ]


def classifier_rows(
    lab: Lab, dataset: Dataset, backbone: Backbone, fold: int, _: Path, progress: Progress
) -> list[Row]:
    """AUROC of a fold's classifier."""
    area = classified(lab, dataset, backbone, fold, progress)[1]
    own = {"fold": fold, "backbone": backbone.name, "method": "Fine-tuned classifier"}
    return [{**own, "metric": "AUROC", "value": area}]


def classified(
    lab: Lab, dataset: Dataset, backbone: Backbone, fold: int, progress: Progress
) -> tuple[ClassifierScorer, float]:
    """Train a fold's classifier, or read it where that was done; and its AUROC on the fold's test images."""
    learning, images = lab.settings.scale.classifier, pooled(dataset)
    backbone, stages = sized(backbone, learning), Stages(progress, (1, 20))
    samples = labelled(images, lab.pixels(images, backbone, progress=stages(0)))
    train, validation, test = rotation(images, fold, lab.settings.seed)
    name = name_of(dataset.name, f"classifier-{fold}", lab.facts(dataset, lab.fingerprint(backbone), repr(learning)))
    scorer = fit_classifier(
        samples[train],
        samples[validation],
        backbone,
        training(learning, lab.augmentation(dataset), lab.settings.seed),
        checkpoint=lab.folder / "models" / f"{name}.pt",
        progress=stages(1),
    )
    return scorer, 100 * auroc(scorer.score_pixels(samples.pixels[test]), images.labels[test]).value


def autoencoder_units(lab: Lab) -> list[Unit]:
    """One unit for each category and fold of the scale."""
    learning = lab.settings.scale.autoencoder
    return [
        Unit(
            dataset.name,
            f"autoencoder-{fold}",
            lab.facts(dataset, repr(learning), SMALLEST.get(dataset.name)),
            seconds(learning, 4 * len(dataset.train) // 5, 2 * (learning.size or 224)),
            partial(autoencoder_rows, lab, dataset, fold),
        )
        for dataset in lab.categories
        for fold in range(min(learning.folds, lab.settings.folds))
    ]


def autoencoder_rows(lab: Lab, dataset: Dataset, fold: int, kept: Path, progress: Progress) -> list[Row]:
    """AUROC of map-mean and of connected components on all test images."""
    learning = lab.settings.scale.autoencoder
    shape = sized(get_backbone(AUTOENCODER), learning)
    stages = Stages(progress, (1, 20, 2))
    train = lab.pixels(dataset.train, shape, progress=stages(0))
    fitted = dict(lab.normal_folds(dataset))[fold]
    samples = Samples(train, dataset.train.digests, np.zeros(len(train), np.float32))[fitted]
    module = fit_autoencoder(
        samples,
        training(learning, lab.augmentation(dataset).without("noise"), lab.settings.seed),
        checkpoint=kept / "autoencoder.pt",
        progress=stages(1),
    )
    maps = error_maps(module, lab.pixels(dataset.test, shape, progress=stages(2)))
    masks = [mask_of(file) for file in dataset.test if file.mask]
    smallest = SMALLEST.get(dataset.name) or smallest_defect([mask.astype(bool) for mask in masks])
    scores = {"map-mean": map_means(maps), "CCA": cca_scores(maps, smallest)}
    own = {"fold": fold, "backbone": AUTOENCODER, "metric": "AUROC"}
    return [
        {**own, "method": f"Auto-encoder, {name}", "value": 100 * auroc(values, dataset.test.labels).value}
        for name, values in scores.items()
    ]
