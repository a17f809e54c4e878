"""Deep SHAP of the detector's own score: how much each pixel adds to its distance (Sec. V-E)."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gad_core.attribution.attribution_map import Attribution, Precision, completeness_gap
from gad_core.attribution.memory import Sizes, affordable
from gad_core.attribution.propagation import deep_shap
from gad_core.attribution.rules import POOLED, RULES
from gad_core.errors import GadError, NotExplained
from gad_core.features.backbones import Backbone
from gad_core.features.frozen import Network, Pixels
from gad_core.features.levels import level_maps, pooled_levels, spatial_mean
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.torch_score import image_columns
from gad_core.gaussian.tuning import Tuning
from gad_core.progress import Progress, Stages

#: Attributions that miss their sum by more are computed again in float64, and refused where that misses too.
GAP_LIMIT = 1e-3
#: The explained score may differ by so much from the detector's own.
SCORE_TOLERANCE = 1e-5
_CHECKED = 8  # images whose score is asked of the detector at once


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
    (attribution,) = attribute_all(
        detector,
        network,
        pixels[None],
        tuning=tuning,
        n_references=n_references,
        seed=seed,
        split=split,
        reference_batch=reference_batch,
        precision=precision,
        progress=progress,
    )
    return attribution


def attribute_all(
    detector: Detector,
    network: Network,
    images: NDArray[np.uint8],
    *,
    tuning: Tuning | None = None,
    n_references: int = 10,
    seed: int = 0,
    split: bool = True,
    reference_batch: int | None = None,
    precision: Precision | None = None,
    progress: Progress | None = None,
) -> tuple[Attribution, ...]:
    """Attribute the score of several images (N, S, S, 3), whose references go through the network once for all.

    Progress counts pairs of an image and a reference.
    """
    detector.check_network(network)
    tuning = tuning or detector.tuning
    chosen = draw_references(detector, n_references, seed)
    references = detector.references[list(chosen)] if detector.references is not None else images[:1]
    kinds: tuple[Precision, ...] = (precision,) if precision else ("float32", "float64")
    # The second attempt is rare: the count stands at its end meanwhile, rather than at a half in all other cases.
    stages = Stages(progress, (len(images) * len(references), 0))
    attempts: dict[int, _Attempt] = {}
    for stage, kind in enumerate(kinds):
        missing = [i for i in range(len(images)) if i not in attempts or not attempts[i].holds]
        if missing:
            made = _attempt(
                detector, network, images[missing], references, tuning, kind, split, reference_batch, stages(stage)
            )
            attempts.update(zip(missing, made, strict=True))
    for attempt in attempts.values():
        _check(attempt)
    rules = f"{RULES}; {POOLED}" if tuning.pool else RULES
    return tuple(
        Attribution(tuning.levels, *attempts[i].parts, attempts[i].gap, attempts[i].precision, rules, chosen)
        for i in range(len(images))
    )


@dataclass(frozen=True)
class _Attempt:
    parts: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
    gap: float
    error: float  # of the explained score, relative to the detector's
    precision: Precision

    @property
    def holds(self) -> bool:
        """Whether map and score are what they should be."""
        return self.gap <= GAP_LIMIT and self.error <= SCORE_TOLERANCE


def _check(attempt: _Attempt) -> None:
    """Raise `NotExplained` for an attempt that does not hold."""
    if not attempt.error <= SCORE_TOLERANCE:
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


def _attempt(
    detector: Detector,
    network: Network,
    images: NDArray[np.uint8],
    references: NDArray[np.uint8],
    tuning: Tuning,
    precision: Precision,
    split: bool,
    reference_batch: int | None,
    progress: Progress | None,
) -> list[_Attempt]:
    dtype = torch.float64 if precision == "float64" else torch.float32
    module = copy.deepcopy(network.module).to(dtype)
    explained, normal = (
        torch.from_numpy(stack).permute(0, 3, 1, 2).to(dtype).contiguous() for stack in (images, references)
    )
    expected, size = _detector_distances(detector, module, network.backbone, explained, tuning)
    maps, distances = deep_shap(
        image_columns(detector, tuning, module, network.backbone, dtype=dtype),
        explained,
        normal,
        split=split,
        reference_batch=reference_batch or affordable(size, len(references)),
        progress=progress,
    )
    return [_judged(*one, precision) for one in zip(maps, distances, expected, strict=True)]


def _judged(maps: Tensor, distances: Tensor, expected: NDArray[np.float64], precision: Precision) -> _Attempt:
    """Hold an image's maps (L, 3, S, S) and distances (1 + R, L) against the detector's own (L,), or its score (1,)."""
    own, means = distances[0].numpy(), distances[1:].mean(0).numpy()
    rgb = maps.double().numpy()
    error = _relative(own, expected) if len(own) == len(expected) else _relative(own.sum(keepdims=True), expected)
    return _Attempt((rgb, own, means), completeness_gap(rgb, own, means), error, precision)


def _relative(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Largest difference (L,), in parts of b."""
    return float(np.max(np.abs(a - b) / np.maximum(np.abs(b), np.finfo(np.float32).tiny)))


def _detector_distances(
    detector: Detector, module: nn.Module, backbone: Backbone, images: Tensor, tuning: Tuning
) -> tuple[NDArray[np.float64], int]:
    """Ask the detector itself for its distances at the network's features (N, L), or for its score (N, 1).

    And for the bytes that an image takes.
    """
    rows, size = [], 0
    for part in torch.split(images, _CHECKED):
        with torch.inference_mode(), Sizes() as sizes:
            maps = level_maps(module, backbone, part, up_to=max(tuning.levels))
            pooled: Sequence[Any] = [spatial_mean(level).double().numpy() for level in maps]
        size = max(size, sizes.total // len(part))
        if tuning.pool:
            with torch.inference_mode():
                features: Any = pooled_levels(module, backbone, part, detector.regions).numpy()
            rows.append([detector.scores(features, tuning)])
            continue
        gaussians = [(detector.gaussians[level - 1], pooled[level - 1]) for level in tuning.levels]
        rows.append(
            [g.spectrum.distances(g.coordinates(X), tuning.reduction, distance=tuning.distance) for g, X in gaussians]
        )
    return np.concatenate([np.stack(part, axis=1) for part in rows]), size


def draw_references(detector: Detector, n: int, seed: int) -> tuple[int, ...]:
    """Draw which of the detector's references are used, in rising order; raises `GadError` where it holds none."""
    if detector.references is None or not len(detector.references):
        raise GadError("this detector was saved without reference images, which attributions need; fit it again")
    if n < 1:
        raise GadError(f"attributions need at least one reference image, got {n}")
    order = np.random.default_rng(seed).permutation(len(detector.references))
    return tuple(sorted(order[:n].tolist()))
