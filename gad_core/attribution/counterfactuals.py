"""What the detector says once a part of the image is made normal: exact edits that no attribution is needed for."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from gad_core.errors import GadError
from gad_core.features.engines import Engine
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.tuning import Tuning
from gad_core.progress import Progress

Pixels = NDArray[np.uint8]
Array = NDArray[np.float64]
Scorer = Callable[[Pixels], Array]  # images (N, S, S, 3) -> scores (N,)

_SPREAD = 5  # pixels across: how far resizing carries a difference
_SEAM = 3.0  # pixels: standard deviation of the blended edge


def scorer(detector: Detector, engine: Engine, tuning: Tuning | None = None) -> Scorer:
    """The detector's score of images (N, S, S, 3) at the network's size: (N,)."""
    detector.check_network(engine.network)
    regions, up_to = detector.reads(tuning or detector.tuning)
    return lambda pixels: detector.scores(np.stack(list(engine.stream(pixels, regions=regions, up_to=up_to))), tuning)


def blend(image: Pixels, other: Pixels, weights: Array, *, seam: float = _SEAM) -> Pixels:
    """`other` where the weights (S, S) are 1, `image` where they are 0; the edge is grown and blurred by `seam`."""
    if weights.any() and not (weights > 0).all():
        grown = ndimage.grey_dilation(weights, size=2 * int(np.ceil(2 * seam)) + 1)
        weights = np.maximum(weights, ndimage.gaussian_filter(grown, seam))
    mixed = image + weights[..., None] * (other.astype(float) - image)
    return np.rint(mixed).clip(0, 255).astype(np.uint8)


def nearest(image: Pixels, normals: Pixels, weights: Array) -> int:
    """Which of the normal images (m, S, S, 3) is closest to the image where the weights (S, S) are high."""
    squares = np.square(normals.astype(np.float32) - image.astype(np.float32)).mean(axis=-1)  # (m, S, S)
    return int((squares * weights).sum(axis=(1, 2)).argmin())


@dataclass(frozen=True)
class Counterfactuals:
    """The image with its defect, or all but its defect, taken from a normal one, and the scores."""

    score: float
    without_defect: Pixels
    score_without_defect: float
    without_background: Pixels
    score_without_background: float
    exact: bool  # whether the normal one is the image's own undamaged twin
    normal: Pixels
    normal_score: float

    @property
    def share_of_defect(self) -> float | None:
        """Of the score's excess over the normal image, what goes with the defect; above 1 if the rest lowers it."""
        excess = self.score - self.normal_score
        return (self.score - self.score_without_defect) / excess if excess else None


def counterfactuals(
    image: Pixels, weights: Array, score: Scorer, *, normals: Pixels | None = None, twin: Pixels | None = None
) -> Counterfactuals:
    """Exchange the region with weights (S, S), then everything else, for the twin or for the nearest normal image.

    The nearest is sought outside the region for the region, and in it for the rest. Raises `GadError` without a mask
    or a normal image.
    """
    if not weights.any() or (weights >= 1).all():
        raise GadError("a counterfactual needs a mask that covers a part of the image; add the mask of the defect")
    if twin is not None:
        inner = outer = twin
    elif normals is not None and len(normals):
        inner, outer = (normals[nearest(image, normals, w)] for w in (1 - weights, weights))
    else:
        raise GadError("a counterfactual needs a normal image; fit again and keep reference images")
    if twin is not None:
        # Resizing has spread the difference beyond the mask; elsewhere the two are the same.
        region = ndimage.grey_dilation(weights, size=_SPREAD) > 0
        without_defect, without_background = _paste(image, twin, region), _paste(image, twin, ~region)
    else:
        without_defect, without_background = blend(image, inner, weights), blend(image, outer, 1 - weights)
    scores = score(np.stack([image, without_defect, without_background, inner]))
    return Counterfactuals(
        float(scores[0]),
        without_defect,
        float(scores[1]),
        without_background,
        float(scores[2]),
        twin is not None,
        inner,
        float(scores[3]),
    )


@dataclass(frozen=True)
class Deletion:
    """Scores (steps,) while more and more of the image gives way to a normal one."""

    shares: Array  # (steps,) of the pixels exchanged, from 0 to 1
    by_attribution: Array  # the highest attribution first
    by_chance: Array  # blocks in random order: mean of several

    @property
    def gain(self) -> float:
        """How much lower the mean score is than by chance, in units of the fall from first to last."""
        fall = self.by_chance[0] - self.by_chance[-1]
        return float((self.by_chance - self.by_attribution).mean() / fall) if fall else 0.0


def deletion(
    image: Pixels,
    normal: Pixels,
    attribution: Array,
    score: Scorer,
    *,
    steps: int = 15,
    draws: int = 3,
    seed: int = 0,
    progress: Progress | None = None,
) -> Deletion:
    """Exchange blocks of 1/14 of the side by falling attribution (S, S), and by chance. Source: Petsiuk et al. 2018."""
    sums, side = blocks(attribution)
    rng = np.random.default_rng(seed)
    orders = [np.argsort(-sums.ravel()), *(rng.permutation(sums.size) for _ in range(draws))]
    shares = np.linspace(0, 1, steps)
    curves = []
    for done, order in enumerate(orders):
        if progress:
            progress(done, len(orders))
        images = []
        for share in shares:
            gone = np.zeros(sums.size)
            gone[order[: round(share * sums.size)]] = 1
            images.append(_paste(image, normal, spread(gone.reshape(sums.shape), side, image.shape[:2]) > 0.5))
        curves.append(score(np.stack(images)))
    if progress:
        progress(len(orders), len(orders))
    return Deletion(shares, curves[0], np.mean(curves[1:], axis=0, dtype=np.float64))


def blocks(values: Array, *, across: int = 14) -> tuple[Array, int]:
    """Sums of (S, S) values over a grid of square blocks, and a block's side; the last may be smaller."""
    side = int(np.ceil(len(values) / across))
    edges = np.arange(0, len(values), side)
    return np.add.reduceat(np.add.reduceat(values, edges, axis=0), edges, axis=1), side


def spread(grid: Array, side: int, shape: tuple[int, ...]) -> Array:
    """Block values as pixels (S, S)."""
    return np.asarray(np.kron(grid, np.ones((side, side)))[: shape[0], : shape[1]], np.float64)


def _paste(image: Pixels, other: Pixels, where: NDArray[np.bool_]) -> Pixels:
    return np.where(where[..., None], other, image)
