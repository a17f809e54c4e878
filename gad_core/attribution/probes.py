"""Sanity checks on an attribution, and second opinions from other methods."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats
from scipy.cluster.hierarchy import linkage
from torch import Tensor, nn

from gad_core.attribution.attribution_map import Attribution
from gad_core.attribution.counterfactuals import Pixels, Scorer, blocks, spread
from gad_core.attribution.deep_shap import attribute
from gad_core.features.frozen import Network
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.torch_score import image_distances
from gad_core.gaussian.tuning import Tuning
from gad_core.progress import Progress

Array = NDArray[np.float64]

_CHUNK = 4  # images that a second opinion sends through the network at once: their maps stay below what malloc reuses
#: Steps from a reference to the image: eight agree with three times as many by 0.99 (rank correlation over blocks).
_STEPS = 8


def agreement(first: Array, second: Array) -> float:
    """Spearman correlation of the sums of two maps (S, S) over the same blocks."""
    return float(stats.spearmanr(*(blocks(values)[0].ravel() for values in (first, second))).statistic)


def stability(
    detector: Detector,
    network: Network,
    pixels: Pixels,
    *,
    tuning: Tuning | None = None,
    n_references: int = 10,
    draws: int = 4,
    progress: Progress | None = None,
) -> tuple[float, float]:
    """Mean and least agreement of the maps of several draws of references."""
    maps = []
    for seed in range(draws):
        if progress:
            progress(seed, draws)
        drawn = attribute(detector, network, pixels, tuning=tuning, n_references=n_references, seed=seed, split=False)
        maps.append(drawn.total)
    if progress:
        progress(draws, draws)
    pairs = [agreement(a, b) for a, b in combinations(maps, 2)]
    return float(np.mean(pairs)), float(np.min(pairs))


def randomised(network: Network, *, seed: int = 0) -> Network:
    """The network with the weights of every convolution and linear layer shuffled; it passes for the same one.

    Source: Adebayo et al. 2018, Sanity checks for saliency maps.
    """
    module = copy.deepcopy(network.module)
    generator = torch.Generator().manual_seed(seed)
    for layer in module.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            flat = layer.weight.data.flatten()
            layer.weight.data = flat[torch.randperm(len(flat), generator=generator)].view_as(layer.weight)
    return replace(network, read=lambda: module)


def randomisation(
    detector: Detector,
    network: Network,
    pixels: Pixels,
    attribution: Attribution,
    tuning: Tuning,
    *,
    progress: Progress | None = None,
) -> float:
    """Agreement of a map with that of the shuffled network: a map that does not depend on the weights stays at 1."""
    n = len(attribution.references)
    other = attribute(
        detector, randomised(network), pixels, tuning=tuning, n_references=n, split=False, progress=progress
    )
    return agreement(attribution.total, other.total)


@dataclass(frozen=True)
class Opinion:
    """Another method's map (S, S) and its agreement with ours."""

    name: str
    total: Array
    agreement: float


def integrated_gradients(
    detector: Detector,
    network: Network,
    pixels: Pixels,
    attribution: Attribution,
    tuning: Tuning,
    *,
    steps: int = _STEPS,
    progress: Progress | None = None,
) -> Opinion:
    """Integrated gradients from each of the same references, averaged; captum's. Source: Sundararajan et al. 2017.

    All of the references count, for they matter more than the steps between.
    """
    from captum.attr import IntegratedGradients  # noqa: PLC0415 - it takes long to import, and only this needs it

    score = _torch_score(detector, network, tuning)
    method = IntegratedGradients(score)
    image, references = _tensor(pixels[None]), _tensor(_references(detector, attribution))
    maps = []
    for done, reference in enumerate(references):
        if progress:
            progress(done, len(references))
        maps.append(method.attribute(image, baselines=reference[None], n_steps=steps, internal_batch_size=_CHUNK))
    if progress:
        progress(len(references), len(references))
    total = torch.cat(maps).mean(0).mean(0).double().numpy()  # over references, then channels
    return Opinion("integrated gradients", total, agreement(attribution.total, total))


def partition_values(
    image: Pixels,
    normal: Pixels,
    attribution: Attribution,
    score: Scorer,
    *,
    evaluations: int = 400,
    progress: Progress | None = None,
) -> Opinion:
    """Shapley-like values of blocks that give way to a normal image, without looking into the network; shap's.

    The coalitions follow a hierarchy of neighbouring blocks (Owen values). Source: Lundberg & Lee 2017; Owen 1977.
    """
    import shap  # noqa: PLC0415 - it takes seconds to import, and only this check needs it

    shape = image.shape[:2]
    grid, side = blocks(np.zeros(shape))
    places = np.stack(np.meshgrid(*map(np.arange, grid.shape), indexing="ij"), axis=-1).reshape(-1, 2)
    done = 0

    def scores(present: NDArray[Any]) -> Array:
        nonlocal done
        chunks = []
        for start in range(0, len(present), _CHUNK):
            masks = [spread(row.reshape(grid.shape), side, shape)[..., None] for row in present[start : start + _CHUNK]]
            chunks.append(score(np.stack([np.where(mask > 0.5, image, normal) for mask in masks])))
            done += len(masks)
            if progress:
                progress(min(done, evaluations), evaluations)
        return np.concatenate(chunks)

    masker = shap.maskers.Partition(np.zeros((1, grid.size)), clustering=linkage(places, "average"))
    explainer = shap.PartitionExplainer(scores, masker)
    values = explainer(np.ones((1, grid.size)), max_evals=evaluations, silent=True).values[0]
    total = spread(values.reshape(grid.shape), side, shape) / side**2
    return Opinion("partition explainer", total, agreement(attribution.total, total))


def captum_infidelity(
    detector: Detector,
    network: Network,
    pixels: Pixels,
    attribution: Attribution,
    tuning: Tuning,
    *,
    samples: int = 40,
    progress: Progress | None = None,
) -> float:
    """Captum's infidelity, normalized, under exchanges of random squares for a reference's, over that of no map.

    0: what a square adds to the map tells how far the score falls; 1: it tells nothing. Source: Yeh et al. 2019.
    """
    from captum.metrics import infidelity  # noqa: PLC0415 - as above

    score, image = _torch_score(detector, network, tuning), _tensor(pixels[None])
    references = _tensor(_references(detector, attribution))
    done = 0
    shape, (grid, side) = pixels.shape[:2], blocks(np.zeros(pixels.shape[:2]))

    def measure(values: Tensor) -> float:
        generator = np.random.default_rng(0)

        def exchange(inputs: Tensor) -> tuple[Tensor, Tensor]:
            nonlocal done
            if progress:
                progress(min(done, 2 * samples), 2 * samples)
            done += len(inputs)
            squares = [spread(_square(len(grid), generator), side, shape) for _ in inputs]
            gone = torch.from_numpy(np.stack(squares)[:, None]).to(inputs).expand_as(inputs)
            others = references[generator.integers(len(references), size=len(inputs))]
            return gone, torch.where(gone > 0, others, inputs)

        options = {"n_perturb_samples": samples, "max_examples_per_batch": min(_CHUNK, samples), "normalize": True}
        return float(infidelity(score, exchange, image, values, **options))

    ours = torch.from_numpy(attribution.rgb.sum(axis=0)[None]).float()
    return measure(ours) / measure(torch.zeros_like(ours))


def _square(across: int, generator: np.random.Generator) -> Array:
    """A random square of between a fifth and three fifths of a grid (across, across): 1 in it, 0 elsewhere."""
    side = generator.integers(round(0.2 * across), round(0.6 * across), endpoint=True)
    top, left = generator.integers(across - side, size=2, endpoint=True)
    square = np.zeros((across, across))
    square[top : top + side, left : left + side] = 1
    return square


def _torch_score(detector: Detector, network: Network, tuning: Tuning) -> Any:
    module = copy.deepcopy(network.module)
    distances = image_distances(detector, tuning, module, network.backbone, dtype=torch.float32)
    return lambda x: distances(x).sum(1)


def _tensor(pixels: Sequence[Any] | Pixels) -> Tensor:
    return torch.from_numpy(np.asarray(pixels)).permute(0, 3, 1, 2).float()


def _references(detector: Detector, attribution: Attribution) -> Pixels:
    assert detector.references is not None  # noqa: S101 - `attribute` has used them
    return detector.references[list(attribution.references)]
