"""The baselines that can be run on a data set by name, each with its scores of the test images and what it costs."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gad_core.baselines.autoencoder import AutoEncoderScorer, fit_autoencoder
from gad_core.baselines.classifier import FOLDS, fit_classifier, rotation
from gad_core.baselines.coreset import fit_coreset
from gad_core.baselines.neighbours import fit_neighbours
from gad_core.baselines.one_class_svm import fit_one_class_svms
from gad_core.baselines.scorer import Features, OnFeatures, Scorer, fit_on_features
from gad_core.baselines.training import Samples, Training, labelled
from gad_core.data.augment_settings import preset
from gad_core.data.datasets import Dataset, ImageSet
from gad_core.errors import GadError
from gad_core.features.cache import FeatureCache
from gad_core.features.engines import Engine
from gad_core.features.extract import read_pixels
from gad_core.features.regions import GRID, Regions, region_levels
from gad_core.progress import Progress, Stages

#: How networks are trained where nobody waits for hours; each says so beside its numbers.
CLASSIFIER = Training(epochs=3, batch_size=16, rate=3e-4)
AUTOENCODER = Training(epochs=20, batch_size=16, rate=1e-3)
AUTOENCODER_SIZE = 64

_TIMED = 16  # images
_REPETITIONS = 3  # of which the least time counts


@dataclass(frozen=True)
class Work:
    """What a baseline works with."""

    engine: Engine
    folder: Path  # of what is kept on the way
    cache: FeatureCache | None = None
    progress: Progress | None = None


@dataclass(frozen=True)
class Outcome:
    """Scores of the test images that could be read, by digest, and what the baseline costs."""

    scores: Mapping[str, float]
    fit_seconds: float
    milliseconds: float  # to score an image, the network included
    n_bytes: int  # what was learned, a frozen network left out


@dataclass(frozen=True)
class Named:
    """One baseline."""

    title: str
    says: str  # what it does, in one sentence
    run: Callable[[Dataset, Work], Outcome]


def run_baseline(name: str, dataset: Dataset, work: Work) -> Outcome:
    """Run one of `BASELINES`; raises `GadError` for another name, and where the data set does not suit it."""
    if name not in BASELINES:
        raise GadError(f"there is no baseline {name!r}; choose one of {', '.join(BASELINES)}")
    if not len(dataset.train) or not len(dataset.test):
        raise GadError("a baseline is fitted to good parts and scored on test images; add the missing images on Data")
    return BASELINES[name].run(dataset, work)


def _on_features(fit: Callable[[Features, Work], OnFeatures], *, by_region: bool) -> Callable[[Dataset, Work], Outcome]:
    def run(dataset: Dataset, work: Work) -> Outcome:
        backbone = work.engine.network.backbone
        regions = Regions(*GRID, region_levels(backbone)) if by_region else None
        stages = Stages(work.progress, (len(dataset.train), len(dataset.test)))
        begun = time.perf_counter()
        scorer = fit_on_features(
            lambda features: fit(features, work),
            dataset.train,
            work.engine,
            regions=regions,
            cache=work.cache,
            progress=stages(0),
        )
        return _outcome(scorer, dataset.test, begun, work, stages(1))

    return run


def _one_class_svms(features: Features, work: Work) -> OnFeatures:
    return fit_one_class_svms(features, work.engine.network.backbone.level_slices)


def _neighbours(features: Features, work: Work) -> OnFeatures:
    return fit_neighbours(features, work.engine.network.backbone.level_slices)


def _coreset(features: Features, work: Work) -> OnFeatures:
    backbone = work.engine.network.backbone
    return fit_coreset(features, Regions(*GRID, region_levels(backbone)).slices(backbone.level_slices))


def _autoencoder(dataset: Dataset, work: Work) -> Outcome:
    sized = replace(work.engine.network.backbone, input_size=AUTOENCODER_SIZE)
    stages = Stages(work.progress, (1, 20, 1))
    begun = time.perf_counter()
    images, pixels = read_pixels(dataset.train, sized, cache=work.cache, progress=stages(0))
    samples = Samples(pixels, images.digests, np.zeros(len(pixels), np.float32))
    training = replace(AUTOENCODER, augmentation=preset(dataset.name).without("noise"))
    module = fit_autoencoder(samples, training, checkpoint=work.folder / "autoencoder.pt", progress=stages(1))
    return _outcome(AutoEncoderScorer(module, sized, cache=work.cache), dataset.test, begun, work, stages(2))


def _classifier(dataset: Dataset, work: Work) -> Outcome:
    """Every test image is scored by the network that has not seen it."""
    backbone = work.engine.network.backbone
    pooled = ImageSet(dataset.train.files + dataset.test.files)
    stages = Stages(work.progress, (1, *[20] * FOLDS))
    begun = time.perf_counter()
    images, pixels = read_pixels(pooled, backbone, cache=work.cache, progress=stages(0))
    samples, scores = labelled(images, pixels), dict[str, float]()
    training = replace(CLASSIFIER, augmentation=preset(dataset.name))
    for fold in range(FOLDS):
        train, validation, test = rotation(images, fold, training.seed)
        checkpoint = work.folder / f"classifier-{fold}.pt"
        scorer = fit_classifier(
            samples[train], samples[validation], backbone, training, checkpoint=checkpoint, progress=stages(1 + fold)
        )
        scores |= dict(zip((images.digests[row] for row in test), scorer.score_pixels(pixels[test]), strict=True))
    seconds, tested = time.perf_counter() - begun, set(dataset.test.digests)
    own = {digest: float(score) for digest, score in scores.items() if digest in tested}
    return Outcome(own, seconds, _milliseconds(scorer, pixels), scorer.n_bytes)


def _outcome(scorer: Scorer, test: ImageSet, begun: float, work: Work, progress: Progress) -> Outcome:
    seconds = time.perf_counter() - begun
    scored = scorer.score(test, progress=progress)
    backbone = scorer.backbone if isinstance(scorer, AutoEncoderScorer) else work.engine.network.backbone
    _, pixels = read_pixels(ImageSet(scored.images.files[:_TIMED]), backbone, cache=work.cache)
    scores = dict(zip(scored.images.digests, scored.scores.tolist(), strict=True))
    return Outcome(scores, seconds, _milliseconds(scorer, pixels), scorer.n_bytes)


def _milliseconds(scorer: Scorer, pixels: np.ndarray) -> float:
    some, times = pixels[:_TIMED], []
    for _ in range(_REPETITIONS):
        begun = time.perf_counter()
        scorer.score_pixels(some)
        times.append(time.perf_counter() - begun)
    return 1000 * min(times) / max(len(some), 1)


#: By name, in the order in which they are offered.
BASELINES: Mapping[str, Named] = {
    "neighbours": Named(
        "k nearest neighbours",
        "Mean distance to the 5 nearest good parts, summed over the levels.",
        _on_features(_neighbours, by_region=False),
    ),
    "coreset": Named(
        "Coreset of regions",
        "Distance of the strangest region from a tenth of all good parts' regions (the idea of PatchCore).",
        _on_features(_coreset, by_region=True),
    ),
    "one-class-svm": Named(
        "One-class SVM",
        "RBF kernel, nu 0.5, minus the decision function summed over the levels.",
        _on_features(_one_class_svms, by_region=False),
    ),
    "auto-encoder": Named(
        "Auto-encoder",
        f"Mean squared error of a network that rebuilds good parts; {AUTOENCODER.epochs} epochs at "
        f"{AUTOENCODER_SIZE} px.",
        _autoencoder,
    ),
    "classifier": Named(
        "Fine-tuned classifier",
        f"Trained on labelled defects, {CLASSIFIER.epochs} epochs; each test image is scored by a network that has not "
        "seen it.",
        _classifier,
    ),
}
