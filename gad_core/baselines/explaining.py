"""Deep SHAP of what is not a Gaussian: a classifier's logit, an auto-encoder's mean error (Table X)."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gad_core.attribution.deep_shap import GAP_LIMIT
from gad_core.attribution.propagation import deep_shap
from gad_core.baselines.autoencoder import AutoEncoder
from gad_core.baselines.classifier import Classifier
from gad_core.baselines.scorer import Array
from gad_core.baselines.training import as_tensor
from gad_core.errors import NotExplained
from gad_core.progress import Progress


@dataclass(frozen=True)
class Maps:
    """Attributions of n images: signed channel means (n, S, S), scores (n,), and by how much the sums miss (n,)."""

    maps: Array
    scores: Array
    gaps: Array  # |sum over all channels - (score - mean reference score)|, in parts of the larger of these


def explain_logit(
    module: Classifier, pixels: NDArray[np.uint8], references: NDArray[np.uint8], *, progress: Progress | None = None
) -> Maps:
    """Attribute the logit at pixels (n, S, S, 3) against references (R, S, S, 3)."""
    return _explained(module, lambda own: own.forward, pixels, references, progress)


def explain_map_mean(
    module: AutoEncoder, pixels: NDArray[np.uint8], references: NDArray[np.uint8], *, progress: Progress | None = None
) -> Maps:
    """Attribute the mean error of an auto-encoder in the same way."""
    return _explained(
        module, lambda own: lambda images: own.errors(images).mean(dim=(1, 2)), pixels, references, progress
    )


def _explained(
    module: nn.Module,
    score: Callable[[Any], Callable[[Tensor], Tensor]],
    pixels: NDArray[np.uint8],
    references: NDArray[np.uint8],
    progress: Progress | None,
) -> Maps:
    """In float32, and in float64 where that misses; raises `NotExplained` where both do."""
    for dtype in (torch.float32, torch.float64):
        own = copy.deepcopy(module).cpu().to(dtype).eval().requires_grad_(False)
        function = score(own)
        maps, scores = deep_shap(
            lambda images, function=function: [function(images)],
            as_tensor(pixels).to(dtype),
            as_tensor(references).to(dtype),
            split=False,
            reference_batch=1,
            progress=progress,
        )
        sums = maps.double().sum(dim=(1, 2, 3, 4)).numpy()
        own_scores, means = scores[:, 0, 0].double().numpy(), scores[:, 1:, 0].double().mean(dim=1).numpy()
        gaps = np.abs(sums - (own_scores - means)) / np.maximum(np.abs(own_scores - means), np.abs(own_scores))
        if gaps.max(initial=0.0) <= GAP_LIMIT:
            return Maps(maps.double().sum(1).mean(dim=1).numpy(), own_scores, gaps)
    raise NotExplained(f"the attributions miss the score by {gaps.max():.1e} of it; train the network further")
