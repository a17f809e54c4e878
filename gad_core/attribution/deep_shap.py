"""Deep SHAP of the detector's own score: how much each pixel adds to its distance (Sec. V-E)."""

import copy
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gad_core.errors import NotExplained
from gad_core.attribution.rules import RULES, PairRules
from gad_core.errors import GadError
from gad_core.progress import Progress
from gad_core.features.backbones import Backbone
from gad_core.features.levels import level_maps, spatial_mean
from gad_core.features.networks import Network, Pixels
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.spectrum import NULL_RATIO, Gaussian
from gad_core.gaussian.tuning import Tuning

Precision = Literal["float32", "float64"]
Scores = Callable[[Tensor], Tensor]  # images (N, 3, S, S) -> distances (N, L), a column a level
Columns = Callable[[Tensor], Sequence[Tensor]]  # the same as L tensors (N,)

#: Attributions that miss their sum by more are computed again in float64, and refused where that misses too.
GAP_LIMIT = 1e-3
#: The explained score may differ by so much from the detector's own.
_SCORE_TOLERANCE = 1e-5
_BUDGET = 640e6  # bytes for one batch of references: on two cores larger ones are no faster
_SHARE_OF_MEMORY = 0.4  # of what is free, where that is less
_BACKWARD = 1.2  # bytes that an image takes in all, by those that its forward pass keeps


@dataclass(frozen=True)
class Attribution:
    """Signed attributions in units of distance; their sum is the image's score less the references' mean score."""

    levels: tuple[int, ...]  # 1-based, those that were summed
    rgb: NDArray[np.float64]  # (L, 3, S, S), a map a level; (1, 3, S, S) where they were not told apart
    scores: NDArray[np.float64]  # (L,) distance of the image at each level
    reference_scores: NDArray[np.float64]  # (L,) the references' means
    gap: float  # |sum of the map - difference| / max(|difference|, score)
    precision: Precision
    rules: str
    references: tuple[int, ...]  # which of the detector's references

    @property
    def score(self) -> float:
        """The image's score: the sum over the levels."""
        return float(self.scores.sum())

    @property
    def reference_score(self) -> float:
        """The references' mean score."""
        return float(self.reference_scores.sum())

    @property
    def by_level(self) -> NDArray[np.float64]:
        """Channel means (L, S, S)."""
        return np.asarray(self.rgb.mean(axis=1))

    @property
    def total(self) -> NDArray[np.float64]:
        """The map of the whole score: the channel mean, added over the levels (S, S)."""
        return np.asarray(self.by_level.sum(axis=0))


def attribute(
    detector: Detector,
    network: Network,
    pixels: Pixels,
    *,
    tuning: Tuning | None = None,
    n_references: int = 10,
    seed: int = 0,
    split: bool = True,
    reference_batch: int | None = None,
    precision: Precision | None = None,
    progress: Progress | None = None,
) -> Attribution:
    """Attribute the score of an image (S, S, 3) to its pixels, against normal references drawn from the detector.

    `split` gives one map a level, which takes a backward pass each. Without `precision` float32 is tried first, and
    float64 where the gap exceeds `GAP_LIMIT`. Progress counts references. The network is not touched: everything
    happens on a private copy. Raises `GadError` where the detector holds no references or another network's weights,
    and `NotExplained` where the rules do not apply.
    """
    detector.check_weights(network.fingerprint)
    tuning = tuning or detector.tuning
    chosen = _draw(detector, n_references, seed)
    references = detector.references[list(chosen)] if detector.references is not None else pixels[None]
    stack = np.concatenate([pixels[None], references])  # (1 + R, S, S, 3)
    kinds: tuple[Precision, ...] = (precision,) if precision else ("float32", "float64")
    for kind in kinds:
        found = _attribute(detector, network, stack, tuning, kind, split, reference_batch, progress)
        if found.gap <= GAP_LIMIT and found.error <= _SCORE_TOLERANCE:
            break
    if not found.error <= _SCORE_TOLERANCE:
        # A network that throws the result of an in-place call away, or mixes rows, computes something else there.
        raise NotExplained(
            f"the score that the rules explain is not the detector's (off by {found.error:.1e} of it); this network "
            "cannot be explained, choose a backbone of the list"
        )
    if not found.gap <= GAP_LIMIT:
        raise NotExplained(
            f"the attributions miss the score by {found.gap:.1e} of it in {found.kind}; choose other levels, fewer "
            "components or another backbone"
        )
    return Attribution(tuning.levels, *found.parts, found.gap, found.kind, RULES, chosen)


def deep_shap(
    scores: Scores | Columns,
    image: Tensor,
    references: Tensor,
    *,
    split: bool = True,
    reference_batch: int | None = None,
    progress: Progress | None = None,
) -> tuple[Tensor, Tensor]:
    """Attributions (L, C, H, W) of `scores` at an image (1, C, H, W), and the scores (1 + R, L) of all images.

    The image comes first, then the references. Without `split` the first axis is 1 and holds the sum over the columns.
    `scores` must treat each row alone; where it gives its columns one by one, each is followed back through what
    leads to it and no further.
    """
    n = len(references)
    sums: list[Tensor] = []
    seen: list[Tensor] = []
    batch = reference_batch or n
    for start in range(0, n, batch):
        if progress:
            progress(start, n)
        part = references[start : start + batch]
        x = torch.cat([image, part]).requires_grad_()
        with torch.enable_grad():
            with PairRules(len(x)):
                found = scores(x)
            columns = list(found.unbind(1) if isinstance(found, Tensor) else found)  # L times (1 + R,)
        step = image - part
        maps = []
        for some in [[column] for column in columns] if split else [columns]:
            seeds = [torch.ones_like(column) for column in some]
            (multipliers,) = torch.autograd.grad(some, x, seeds, retain_graph=some[-1] is not columns[-1])
            maps.append((step * multipliers[1:]).sum(0))
        sums.append(torch.stack(maps))
        rows = torch.stack([column.detach() for column in columns], dim=1)  # (1 + R, L)
        seen.append(rows[1:] if seen else rows)
    if progress:
        progress(n, n)
    return torch.stack(sums).sum(0) / n, torch.cat(seen)


def level_distances(
    module: nn.Module, backbone: Backbone, detector: Detector, tuning: Tuning, *, dtype: torch.dtype
) -> Scores:
    """The detector's distance as torch sees it: pixels (N, 3, S, S) in [0, 255] to distances (N, L) in float64."""
    columns = _level_columns(module, backbone, detector, tuning, dtype=dtype)
    return lambda x: torch.stack(list(columns(x)), dim=1)


def _level_columns(
    module: nn.Module, backbone: Backbone, detector: Detector, tuning: Tuning, *, dtype: torch.dtype
) -> Columns:
    heads = [_head(detector.gaussians[level - 1], tuning) for level in tuning.levels]
    highest = max(tuning.levels)

    def columns(x: Tensor) -> list[Tensor]:
        maps = level_maps(module, backbone, x.to(dtype), up_to=highest)
        return [head(spatial_mean(maps[level - 1])) for level, head in zip(tuning.levels, heads, strict=True)]

    return columns


def _head(gaussian: Gaussian, tuning: Tuning) -> Callable[[Tensor], Tensor]:
    """Pooled features (N, D) to distances (N,): a linear map, squares, their sum and its root."""
    spectrum, mean = gaussian.spectrum, torch.from_numpy(gaussian.mean)
    if tuning.distance == "sed" and tuning.reduction.kind == "all":
        varies = gaussian.variance > NULL_RATIO * gaussian.variance.max()
        scale = np.where(varies, 1 / np.sqrt(np.where(varies, gaussian.variance, 1.0)), 0.0)
        whiten = torch.from_numpy(np.diag(scale))
    else:
        kept, weights, null_weight = spectrum.precision(tuning.reduction, tuning.distance)
        columns = [gaussian.basis[:, kept] * np.sqrt(weights)]
        if null_weight:  # the part of a vector that lies outside the eigenbasis, by projection: never negative
            columns.append(np.sqrt(null_weight) * (np.eye(len(gaussian.mean)) - gaussian.basis @ gaussian.basis.T))
        whiten = torch.from_numpy(np.concatenate(columns, axis=1))
    return lambda pooled: (((pooled.double() - mean) @ whiten).square()).sum(1).sqrt()


@dataclass(frozen=True)
class _Found:
    parts: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
    gap: float
    error: float  # of the explained score, relative to the detector's
    kind: Precision


def _attribute(
    detector: Detector,
    network: Network,
    stack: NDArray[np.uint8],
    tuning: Tuning,
    kind: Precision,
    split: bool,
    reference_batch: int | None,
    progress: Progress | None,
) -> _Found:
    dtype = torch.float64 if kind == "float64" else torch.float32
    module = copy.deepcopy(network.module).to(dtype)
    scores = _level_columns(module, network.backbone, detector, tuning, dtype=dtype)
    images = torch.from_numpy(stack).permute(0, 3, 1, 2).to(dtype)  # (1 + R, 3, S, S)
    plain, kept_bytes = _plain(scores, images[:1])
    maps, seen = deep_shap(
        scores,
        images[:1],
        images[1:],
        split=split,
        reference_batch=reference_batch or _affordable(kept_bytes),
        progress=progress,
    )
    by_numpy = _detector_distances(detector, module, network.backbone, images[:1], tuning)
    own, means = seen[0].numpy(), seen[1:].mean(0).numpy()
    error = max(_relative(own, plain.numpy()), _relative(own, by_numpy))
    rgb = maps.double().numpy()
    difference = float(own.sum() - means.sum())
    gap = abs(float(rgb.sum()) - difference) / max(abs(difference), float(own.sum()), np.finfo(float).tiny)
    return _Found((rgb, own, means), gap, error, kind)


def _relative(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Largest difference (L,), in parts of b."""
    return float(np.max(np.abs(a - b) / np.maximum(np.abs(b), np.finfo(np.float32).tiny)))


def _plain(scores: Columns, image: Tensor) -> tuple[Tensor, int]:
    """The score without the rules, and the bytes that a forward pass of one image keeps for its backward pass."""
    kept = 0

    def count(tensor: Tensor) -> Tensor:
        nonlocal kept
        kept += tensor.numel() * tensor.element_size()
        return tensor.detach()  # the tensor itself would hold its own graph: a cycle that is never freed

    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
        columns = scores(image.clone().requires_grad_())
    return torch.cat(list(columns)).detach(), kept


def _affordable(kept_bytes: int) -> int:
    """References that go through at once in a part of the memory that is free."""
    try:
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not every system tells
        free = int(_BUDGET / _SHARE_OF_MEMORY)
    return max(1, int(min(_SHARE_OF_MEMORY * free, _BUDGET) / (_BACKWARD * max(kept_bytes, 1))) - 1)


def _detector_distances(
    detector: Detector, module: nn.Module, backbone: Backbone, image: Tensor, tuning: Tuning
) -> NDArray[np.float64]:
    """What the detector itself says of the network's features (L,)."""
    with torch.inference_mode():
        maps = level_maps(module, backbone, image, up_to=max(tuning.levels))
        pooled: Sequence[Any] = [spatial_mean(level).double().numpy() for level in maps]
    gaussians = [(detector.gaussians[level - 1], pooled[level - 1]) for level in tuning.levels]
    rows = [g.spectrum.distances(g.coordinates(X), tuning.reduction, distance=tuning.distance) for g, X in gaussians]
    return np.concatenate(rows)


def _draw(detector: Detector, n: int, seed: int) -> tuple[int, ...]:
    if detector.references is None or not len(detector.references):
        raise GadError("this detector was saved without reference images, which attributions need; fit it again")
    if n < 1:
        raise GadError(f"attributions need at least one reference image, got {n}")
    order = np.random.default_rng(seed).permutation(len(detector.references))
    return tuple(sorted(order[:n].tolist()))
