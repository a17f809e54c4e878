"""Table IX: a classifier on the defect types that it has seen, and on one that it has not (Sec. V-D2)."""

from functools import partial
from pathlib import Path

import numpy as np

from gad_core.baselines.classifier import fit_classifier, rotation
from gad_core.baselines.training import labelled
from gad_core.data.datasets import Dataset
from gad_core.decision.curves import auroc
from gad_core.features.backbones import Backbone
from gad_core.paper.categories import COMBINED, HELD_OUT
from gad_core.paper.lab import Lab
from gad_core.paper.label_noise import LABELLED, repeated
from gad_core.paper.trained import pooled, seconds, sized, training
from gad_core.paper.units import Row, Unit
from gad_core.progress import Progress, Stages

_MIN_TYPES = 2


def held_out_units(lab: Lab, backbone: Backbone) -> list[Unit]:
    """One unit for each fold of each category with two types of defects at least."""
    learning = lab.settings.scale.classifier
    return [
        Unit(
            dataset.name,
            f"held-out-{backbone.name}-{fold}",
            lab.facts(dataset, lab.fingerprint(backbone), repr(learning)),
            seconds(learning, 3 * len(dataset.train) // 5, sized(backbone, learning).input_size),
            partial(held_out_rows, lab, dataset, backbone, fold),
        )
        for dataset in lab.categories
        if len(types_of(dataset)) >= _MIN_TYPES
        for fold in range(learning.folds)
    ]


def types_of(dataset: Dataset) -> list[str]:
    """The types of defects by name, without the one that is made of several."""
    return sorted({file.defect for file in dataset.test if file.anomalous} - {COMBINED})


def held_out_type(lab: Lab, dataset: Dataset, backbone: Backbone) -> str:
    """The paper's choice (Table XII), or the type whose mean features lie farthest from any other type's.

    Features are those of the last level, each in standard deviations of the normal images.
    """
    types = types_of(dataset)
    if HELD_OUT.get(dataset.name) in types:
        return HELD_OUT[dataset.name]
    part = backbone.level_slices[-1]
    train, test = (lab.features(images, backbone).features[:, part] for images in (dataset.train, dataset.test))
    spread = train.std(axis=0)
    scaled = test / np.where(spread > 0, spread, 1)
    defects = np.array(dataset.test.defects)
    means = np.stack([scaled[defects == kind].mean(axis=0) for kind in types])
    apart = np.linalg.norm(means[:, None] - means[None], axis=2) + np.diag(np.full(len(types), np.inf))
    return types[int(apart.min(axis=1).argmax())]


def held_out_rows(
    lab: Lab, dataset: Dataset, backbone: Backbone, fold: int, kept: Path, progress: Progress
) -> list[Row]:
    """AUROC of the fold's good test images: against its defects of the seen types, and all of the held-out one."""
    images, stages = pooled(dataset), Stages(progress, (1, 20))
    out = held_out_type(lab, dataset, backbone)
    defects, labels = np.array(images.defects), images.labels
    shape = sized(backbone, lab.settings.scale.classifier)
    seen = labels & (defects != out) & (defects != COMBINED)
    samples = labelled(images, lab.pixels(images, shape, progress=stages(0)))
    train, validation, test = rotation(images, fold, lab.settings.seed)
    normal = train[~labels[train]]
    shown = repeated(
        train[seen[train]], round(LABELLED * len(normal) / (1 - LABELLED)), np.random.default_rng(lab.settings.seed)
    )
    scorer = fit_classifier(
        samples[np.concatenate([normal, shown])],
        samples[validation[~labels[validation] | seen[validation]]],
        shape,
        training(lab.settings.scale.classifier, lab.augmentation(dataset), lab.settings.seed),
        checkpoint=kept / "classifier.pt",
        progress=stages(1),
    )
    scores = scorer.score_pixels(samples.pixels)
    good = np.isin(np.arange(len(images)), test) & ~labels
    groups = {"seen types": np.isin(np.arange(len(images)), test) & seen, "held-out type": defects == out}
    rows = list[Row]()
    for column, anomalous in groups.items():
        chosen = good | anomalous
        value = 100 * auroc(scores[chosen], labels[chosen]).value
        rows.append({"fold": fold, "column": column, "held_out": out, "metric": "AUROC", "value": value})
    return rows
