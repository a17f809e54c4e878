"""Table X: explanation score and AUROC of Gaussians on several networks, and of a fine-tuned classifier (Sec. V-E)."""

from functools import partial
from math import dist
from pathlib import Path

import numpy as np

from gad_core.attribution.category import explain_category
from gad_core.attribution.explanation import Explanation, explain_score
from gad_core.attribution.masks import mask_of
from gad_core.baselines.classifier import rotation
from gad_core.baselines.explaining import explain_logit
from gad_core.data.datasets import Dataset, ImageSet
from gad_core.decision.curves import auroc
from gad_core.features.backbones import Backbone
from gad_core.features.regions import Regions, default_regions, region_levels
from gad_core.gaussian.fit import fit_images
from gad_core.gaussian.settings import FitSettings
from gad_core.gaussian.tuning import Tuning, all_levels, regional
from gad_core.paper.lab import Lab
from gad_core.paper.trained import classified, pooled, sized
from gad_core.paper.units import Row, Unit
from gad_core.progress import Progress, Stages

_SECONDS_A_PAIR = 0.25  # an image and a reference
_FOLD = 0  # of the classifier: its own test images are explained
_DETECTOR_FOLDS = 2  # nothing here is left out; the fewer, the sooner


def explanation_units(lab: Lab, backbones: tuple[Backbone, ...]) -> list[Unit]:
    """Two units for each category with masks and each network, and one for a classifier on the first."""
    scale, units = lab.settings.scale, list[Unit]()
    for dataset in lab.categories:
        masked = _masked(dataset.test)
        if not len(masked):
            continue
        pairs = len(_chosen(lab, masked)) * scale.n_references
        facts = [scale.explained, scale.n_references]
        units += [
            Unit(
                dataset.name,
                f"explained-{backbone.name}-{'regions' if tuning.pool else 'levels'}",
                lab.facts(dataset, lab.fingerprint(backbone), facts),
                3 + pairs * _SECONDS_A_PAIR,
                partial(gaussian_rows, lab, dataset, backbone, name, tuning),
            )
            for backbone in backbones
            for name, tuning in _tunings(backbone).items()
        ]
        main = backbones[0]
        units.append(
            Unit(
                dataset.name,
                f"explained-classifier-{main.name}",
                lab.facts(dataset, lab.fingerprint(main), facts, repr(scale.classifier)),
                20 + pairs * _SECONDS_A_PAIR,
                partial(classifier_rows, lab, dataset, main),
            )
        )
    return units


def gaussian_rows(
    lab: Lab, dataset: Dataset, backbone: Backbone, name: str, tuning: Tuning, _: Path, progress: Progress
) -> list[Row]:
    """A detector of all training images at a tuning, explained at masked defects."""
    scale, engine = lab.settings.scale, lab.engine_of(backbone.name)
    chosen = _chosen(lab, _masked(dataset.test))
    stages = Stages(progress, (5, len(chosen) * scale.n_references))
    settings = FitSettings(
        backbone=backbone.name,
        tuning=tuning,
        n_folds=_DETECTOR_FOLDS,
        seed=lab.settings.seed,
        n_references=scale.n_references,
        regions="auto" if tuning.pool else None,
    )
    detector = fit_images(dataset.train, engine, settings, cache=lab.cache, progress=stages(0)).detector
    scores = detector.scores(lab.features(dataset.test, backbone, regions=detector.regions).features)
    found = explain_category(
        detector,
        engine.network,
        chosen,
        n_references=scale.n_references,
        seed=lab.settings.seed,
        cache=lab.cache,
        progress=stages(1),
    )
    area = 100 * auroc(scores, dataset.test.labels).value
    explanations = [one.explanation for one in found.images]
    return _rows(name, backbone, area, [one for one in explanations if isinstance(one, Explanation)])


def classifier_rows(lab: Lab, dataset: Dataset, backbone: Backbone, _: Path, progress: Progress) -> list[Row]:
    """A fine-tuned classifier, explained at masked defects that it was not trained on."""
    scale, images = lab.settings.scale, pooled(dataset)
    backbone, stages = sized(backbone, scale.classifier), Stages(progress, (2, 1))
    scorer, area = classified(lab, dataset, backbone, _FOLD, stages(0))
    train, __, test = rotation(images, _FOLD, lab.settings.seed)
    tested = np.isin(np.arange(len(images)), test)
    chosen = _chosen(lab, _masked(images.where(tested)))
    normal = images.where(np.isin(np.arange(len(images)), train) & ~images.labels)
    picked = np.random.default_rng(lab.settings.seed).permutation(len(normal)) < scale.n_references
    references = lab.pixels(normal.where(picked), backbone)
    maps = explain_logit(scorer.module, lab.pixels(chosen, backbone), references, progress=stages(1)).maps
    pairs = [explain_score(one, mask_of(file)) for one, file in zip(maps, chosen, strict=True)]
    return _rows("Fine-tuned classifier", backbone, area, [one for one in pairs if isinstance(one, Explanation)])


def _tunings(backbone: Backbone) -> dict[str, Tuning]:
    regions = default_regions(backbone) or Regions(7, 7, region_levels(backbone))
    return {
        "Mahalanobis, all levels": Tuning(all_levels(backbone)),
        "Mahalanobis, regions": regional(regions.levels),
    }


def _masked(images: ImageSet) -> ImageSet:
    return images.where([file.anomalous and file.mask is not None for file in images])


def _chosen(lab: Lab, images: ImageSet) -> ImageSet:
    """Those that are explained: all, or so many at random."""
    most = lab.settings.scale.explained
    if most is None or len(images) <= most:
        return images
    return images.where(np.random.default_rng(lab.settings.seed).permutation(len(images)) < most)


def _rows(name: str, backbone: Backbone, area: float, explanations: list[Explanation]) -> list[Row]:
    """Explanation score, AUROC, and the distance of the two from (100, 100)."""
    if not explanations:
        return []
    score = float(np.mean([one.score for one in explanations]))
    numbers = {"Explanation score": score, "AUROC": area, "Distance": dist((area, score), (100, 100))}
    own = {"method": name, "backbone": backbone.name, "n_explained": len(explanations), "fold": _FOLD}
    return [{**own, "metric": metric, "value": value} for metric, value in numbers.items()]
