"""Deep SHAP of the detector's own score: how much each pixel adds to its distance (Sec. V-E)."""

import copy
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gad_core.attribution.rules import RULES, PairRules
from gad_core.errors import GadError, NotExplained
from gad_core.features.backbones import Backbone
from gad_core.features.levels import level_maps, spatial_mean
from gad_core.features.networks import Network, Pixels
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.torch_score import Columns, Distances, image_columns
from gad_core.gaussian.tuning import Tuning
from gad_core.progress import Progress, Stages

Precision = Literal["float32", "float64"]

#: Attributions that miss their sum by more are computed again in float64, and refused where that misses too.
GAP_LIMIT = 1e-3
#: The explained score may differ by so much from the detector's own.
_SCORE_TOLERANCE = 1e-5
_BUDGET = 640e6  # bytes for one batch of references: on two cores larger ones are no faster
_SHARE_OF_MEMORY = 0.4  # of what is free, where that is less
_BACKWARD = 1.2  # bytes that an image takes in all, by those that its forward pass keeps


@dataclass(frozen=True)
class Attribution:
    """Signed attributions in units of distance; their sum is the image's score less the references' mean score.

    Parameters
    ----------
    levels : tuple of int
        Levels that were summed, counted from 1.
    rgb : ndarray, shape (L, 3, S, S)
        A map a level; (1, 3, S, S) where they were not told apart.
    scores : ndarray, shape (L,)
        Distance of the image at each level.
    reference_scores : ndarray, shape (L,)
        The references' mean distances.
    gap : float
        |sum of the map - difference| / max(|difference|, score).
    precision : {"float32", "float64"}
        In which the network was run.
    rules : str
        Name of the rule set: completeness alone does not fix an attribution.
    references : tuple of int
        Which of the detector's references were used.

    Examples
    --------
    >>> import gad_core as gad
    >>> detector = gad.load_detector("parts.gad")
    >>> attribution = gad.explain(detector, "parts/test/blot/000.png", n_references=2).attribution
    >>> difference = attribution.score - attribution.reference_score
    >>> bool(abs(attribution.rgb.sum() - difference) < 1e-3 * attribution.score)
    True
    """

    levels: tuple[int, ...]
    rgb: NDArray[np.float64]
    scores: NDArray[np.float64]
    reference_scores: NDArray[np.float64]
    gap: float
    precision: Precision
    rules: str
    references: tuple[int, ...]

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
    float64 where the gap exceeds `GAP_LIMIT`. Progress counts the references of the first attempt. The network is not
    touched: everything happens on a private copy. Raises `GadError` where the detector holds no references or another
    network's weights, and `NotExplained` where the rules do not apply.
    """
    detector.check_weights(network.fingerprint)
    tuning = tuning or detector.tuning
    chosen = _draw(detector, n_references, seed)
    references = detector.references[list(chosen)] if detector.references is not None else pixels[None]
    stack = np.concatenate([pixels[None], references])  # (1 + R, S, S, 3)
    kinds: tuple[Precision, ...] = (precision,) if precision else ("float32", "float64")
    # The second attempt is rare: the count stands at its end meanwhile, rather than at a half in all other cases.
    stages = Stages(progress, (len(references), 0))
    for stage, kind in enumerate(kinds):
        attempt = _attempt(detector, network, stack, tuning, kind, split, reference_batch, stages(stage))
        if attempt.gap <= GAP_LIMIT and attempt.error <= _SCORE_TOLERANCE:
            break
    if not attempt.error <= _SCORE_TOLERANCE:
        # A network that throws the result of an in-place call away, or mixes rows, computes something else there.
        raise NotExplained(
            f"the score that the rules explain is not the detector's (off by {attempt.error:.1e} of it); this network "
            "cannot be explained, choose a backbone of the list"
        )
    if not attempt.gap <= GAP_LIMIT:
        raise NotExplained(
            f"the attributions miss the score by {attempt.gap:.1e} of it in {attempt.precision}; choose other levels, "
            "fewer components or another backbone"
        )
    return Attribution(tuning.levels, *attempt.parts, attempt.gap, attempt.precision, RULES, chosen)


def deep_shap(
    scores: Distances | Columns,
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
    distances: list[Tensor] = []
    batch = reference_batch or n
    for start in range(0, n, batch):
        if progress:
            progress(start, n)
        part = references[start : start + batch]
        x = torch.cat([image, part]).requires_grad_()
        with torch.enable_grad():
            with PairRules(len(x)):
                out = scores(x)
            columns = list(out.unbind(1) if isinstance(out, Tensor) else out)  # L times (1 + R,)
        step = image - part
        maps = []
        for some in [[column] for column in columns] if split else [columns]:
            seeds = [torch.ones_like(column) for column in some]
            (multipliers,) = torch.autograd.grad(some, x, seeds, retain_graph=some[-1] is not columns[-1])
            maps.append((step * multipliers[1:]).sum(0))
        sums.append(torch.stack(maps))
        rows = torch.stack([column.detach() for column in columns], dim=1)  # (1 + R, L)
        distances.append(rows[1:] if distances else rows)
    if progress:
        progress(n, n)
    return torch.stack(sums).sum(0) / n, torch.cat(distances)


@dataclass(frozen=True)
class _Attempt:
    parts: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
    gap: float
    error: float  # of the explained score, relative to the detector's
    precision: Precision


def _attempt(
    detector: Detector,
    network: Network,
    stack: NDArray[np.uint8],
    tuning: Tuning,
    precision: Precision,
    split: bool,
    reference_batch: int | None,
    progress: Progress | None,
) -> _Attempt:
    dtype = torch.float64 if precision == "float64" else torch.float32
    module = copy.deepcopy(network.module).to(dtype)
    scores = image_columns(detector, tuning, module, network.backbone, dtype=dtype)
    images = torch.from_numpy(stack).permute(0, 3, 1, 2).to(dtype)  # (1 + R, 3, S, S)
    plain, kept_bytes = _plain(scores, images[:1])
    maps, distances = deep_shap(
        scores,
        images[:1],
        images[1:],
        split=split,
        reference_batch=reference_batch or _affordable(kept_bytes),
        progress=progress,
    )
    by_numpy = _detector_distances(detector, module, network.backbone, images[:1], tuning)
    own, means = distances[0].numpy(), distances[1:].mean(0).numpy()
    error = max(_relative(own, plain.numpy()), _relative(own, by_numpy))
    rgb = maps.double().numpy()
    difference = float(own.sum() - means.sum())
    gap = abs(float(rgb.sum()) - difference) / max(abs(difference), float(own.sum()), np.finfo(float).tiny)
    return _Attempt((rgb, own, means), gap, error, precision)


def _relative(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Largest difference (L,), in parts of b."""
    return float(np.max(np.abs(a - b) / np.maximum(np.abs(b), np.finfo(np.float32).tiny)))


def _plain(scores: Columns, image: Tensor) -> tuple[Tensor, int]:
    """Compute the score without the rules, and the bytes that one image's forward pass keeps for its backward pass."""
    kept = 0

    def count(tensor: Tensor) -> Tensor:
        nonlocal kept
        kept += tensor.numel() * tensor.element_size()
        return tensor.detach()  # the tensor itself would hold its own graph: a cycle that is never freed

    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
        columns = scores(image.clone().requires_grad_())
    return torch.cat(list(columns)).detach(), kept


def _affordable(kept_bytes: int) -> int:
    """Choose how many references go through at once, in a part of the memory that is free."""
    try:
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not every system tells
        free = int(_BUDGET / _SHARE_OF_MEMORY)
    return max(1, int(min(_SHARE_OF_MEMORY * free, _BUDGET) / (_BACKWARD * max(kept_bytes, 1))) - 1)


def _detector_distances(
    detector: Detector, module: nn.Module, backbone: Backbone, image: Tensor, tuning: Tuning
) -> NDArray[np.float64]:
    """Ask the detector itself for its distances at the network's features (L,)."""
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
