"""A pretrained network fine-tuned end to end to tell defects from good parts: what labels would buy (Sec. IV-B)."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch.nn.functional as F
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from torch import Tensor, nn

from gad_core.baselines.scorer import Array, Scored
from gad_core.baselines.training import Samples, Training, in_batches, seeded_, train, weight_bytes
from gad_core.data.datasets import ImageSet
from gad_core.errors import GadError
from gad_core.features.backbones import Backbone
from gad_core.features.cache import FeatureCache
from gad_core.features.extract import read_pixels
from gad_core.features.levels import normalise
from gad_core.features.networks import trainable_network
from gad_core.progress import Progress

Rows = NDArray[np.intp]

#: Three train, one validates, one tests.
FOLDS = 5


class Classifier(nn.Module):
    """A backbone with one output: the logit of a defect."""

    def __init__(self, backbone: Backbone, *, seed: int = 0) -> None:
        """With the backbone's pretrained weights; raises `GadError` where they are out of reach."""
        super().__init__()
        self.backbone = backbone
        self.network = trainable_network(backbone, n_outputs=1)
        seeded_(self.network.get_classifier(), seed)

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits (N,) of pixels (N, 3, S, S) in [0, 255]."""
        logits: Tensor = self.network(normalise(pixels, self.backbone))
        return logits[:, 0]


@dataclass(frozen=True)
class ClassifierScorer:
    """A trained classifier, whose logit is the score."""

    module: Classifier
    cache: FeatureCache | None = None

    @property
    def n_bytes(self) -> int:
        """Its weights."""
        return weight_bytes(self.module)

    def score_pixels(self, pixels: NDArray[np.uint8]) -> Array:
        """Logits (n,) of pixels (n, S, S, 3)."""
        return in_batches(self.module, pixels)

    def score(self, images: ImageSet, *, progress: Progress | None = None) -> Scored:
        """Read and score images."""
        found, pixels = read_pixels(images, self.module.backbone, cache=self.cache, progress=progress)
        return Scored(found, self.score_pixels(pixels))


def fit_classifier(
    samples: Samples,
    validation: Samples,
    backbone: Backbone,
    training: Training,
    *,
    checkpoint: Path | None = None,
    progress: Progress | None = None,
) -> ClassifierScorer:
    """Fine-tune on labelled samples by binary cross-entropy; the epoch of the best validation AUROC is kept.

    Targets are 1 for defects. Raises `GadError` where either set lacks a class.
    """
    for what, one in (("training", samples), ("validation", validation)):
        if len(np.unique(one.targets)) < 2:
            raise GadError(f"a classifier needs good parts and defects among its {what} images; add the missing kind")
    module = Classifier(backbone, seed=training.seed)

    def loss(module: nn.Module, pixels: Tensor, targets: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(module(pixels), targets)

    def validate(module: nn.Module) -> float:
        return float(roc_auc_score(validation.targets, in_batches(module, validation.pixels)))

    train(module, loss, samples, training, validate=validate, checkpoint=checkpoint, progress=progress)
    return ClassifierScorer(module)


def rotation(images: ImageSet, fold: int, seed: int) -> tuple[Rows, Rows, Rows]:
    """The images that train, validate and test in a fold: 3/1/1 of five, stratified by label.

    Raises `GadError` with fewer than five images of a kind.
    """
    labels = images.labels
    if min(np.count_nonzero(labels), np.count_nonzero(~labels)) < FOLDS:
        raise GadError(f"a classifier's folds need at least {FOLDS} good parts and {FOLDS} defects; add images")
    parts = StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(labels, labels)
    by_fold = [test for _, test in parts]
    test, validation = by_fold[fold], by_fold[(fold + 1) % FOLDS]
    rest = np.setdiff1d(np.arange(len(images)), np.concatenate([test, validation]))
    return rest, validation, test
