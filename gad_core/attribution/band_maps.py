"""One complete map for each band of a level's spectrum: what each kind of variation adds to the level's distance."""

import copy
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from gad_core.attribution.attribution_map import Precision
from gad_core.attribution.deep_shap import SCORE_TOLERANCE, draw_references
from gad_core.attribution.memory import Sizes, affordable
from gad_core.attribution.propagation import deep_shap
from gad_core.attribution.rules import RULES
from gad_core.errors import NotExplained
from gad_core.features.frozen import Network, Pixels
from gad_core.features.levels import level_maps, spatial_mean
from gad_core.gaussian.bands import N_BANDS, Band, LevelBands
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.torch_bands import band_columns
from gad_core.gaussian.tuning import Tuning
from gad_core.progress import Progress, Stages

Array = NDArray[np.float64]

#: Maps of bands that miss their sums by more are computed again in float64, and refused where those miss them too.
GAP_LIMIT = 1e-5
_TINY = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True)
class BandAttribution:
    """Signed attributions of one image's distance at one level, a map a band; the maps add up to the level's own.

    Parameters
    ----------
    bands : tuple of Band
        B of them, by falling variance.
    rgb : ndarray, shape (B, 3, S, S)
        A map a band, in units of distance.
    squares : ndarray, shape (B,)
        Squared distance of the image by band.
    reference_squares : ndarray, shape (R, B)
        The same of the references.
    gap : float
        The largest of the maps' gaps: |sum of the map - its share| / max(|share|, what the band has of the distance).
    precision : {"float32", "float64"}
        In which the network was run.
    rules : str
        Name of the rule set.
    references : tuple of int
        Which of the detector's references were used.

    Examples
    --------
    >>> import gad_core as gad
    >>> detector = gad.load_detector("parts.gad")
    >>> explained = gad.explain_bands(detector, "parts/test/blot/000.png", level=7, n_references=2)
    >>> explained.rgb.shape == (len(explained.bands), 3, 224, 224), explained.gap < 1e-5
    (True, True)
    """

    bands: tuple[Band, ...]
    rgb: Array
    squares: Array
    reference_squares: Array
    gap: float
    precision: Precision
    rules: str
    references: tuple[int, ...]

    @property
    def score(self) -> float:
        """The image's distance at the level."""
        return float(np.sqrt(self.squares.sum()))

    @property
    def reference_score(self) -> float:
        """The references' mean distance."""
        return float(np.sqrt(self.reference_squares.sum(axis=1)).mean())

    @property
    def shares(self) -> Array:
        """Of the image's squared distance, what each band has (B,)."""
        return np.asarray(self.squares / self.squares.sum())

    @property
    def sums(self) -> Array:
        """What each map adds up to (B,): the band's share of the difference of the distances."""
        return shares_of_difference(self.squares, self.reference_squares)

    @property
    def by_band(self) -> Array:
        """Channel means (B, S, S)."""
        return np.asarray(self.rgb.mean(axis=1))


def shares_of_difference(own: Array, references: Array) -> Array:
    """Share out an image's distance above the references' mean over its bands (B,), from squares (B,) and (R, B).

    d - d_ref = sum_b (own_b - ref_b) / (d + d_ref), the secant of the root; averaged over the references.
    """
    both = np.sqrt(own.sum()) + np.sqrt(references.sum(axis=1, keepdims=True))  # (R, 1)
    return np.asarray(np.where(both > 0, (own - references) / np.where(both > 0, both, 1.0), 0.0).mean(axis=0))


def attribute_bands(
    detector: Detector,
    network: Network,
    pixels: Pixels,
    level: int,
    *,
    tuning: Tuning | None = None,
    n_bands: int = N_BANDS,
    n_references: int = 10,
    seed: int = 0,
    reference_batch: int | None = None,
    precision: Precision | None = None,
    progress: Progress | None = None,
) -> BandAttribution:
    """Attribute the distance of an image (S, S, 3) at one level of the whole image to its pixels, band by band.

    The tuning says which components are kept and which distance is meant, and nothing else of it counts: each region
    has an eigenbasis of its own, so that no band of one is that of another. The rest is as in `attribute`, a backward
    pass a band. Raises as that does, and as `LevelBands.of`.
    """
    detector.check_network(network)
    tuning = tuning or detector.tuning
    bands = LevelBands.of(detector.gaussians[level - 1], level, tuning.reduction, distance=tuning.distance, n=n_bands)
    chosen = draw_references(detector, n_references, seed)
    assert detector.references is not None  # noqa: S101 - some were drawn
    images = np.concatenate([pixels[None], detector.references[list(chosen)]])
    kinds: tuple[Precision, ...] = (precision,) if precision else ("float32", "float64")
    stages = Stages(progress, (len(chosen), 0))  # the second attempt is rare
    for stage, kind in enumerate(kinds):
        made = _attempt(network, images, bands, chosen, kind, reference_batch, stages(stage))
        if made.gap <= GAP_LIMIT:
            return made
    raise NotExplained(
        f"the maps of the bands miss their shares by {made.gap:.1e} of them in {made.precision}; choose another level, "
        "fewer bands or another backbone"
    )


def _attempt(
    network: Network,
    images: NDArray[np.uint8],
    bands: LevelBands,
    chosen: tuple[int, ...],
    precision: Precision,
    reference_batch: int | None,
    progress: Progress | None,
) -> BandAttribution:
    dtype = torch.float64 if precision == "float64" else torch.float32
    module = copy.deepcopy(network.module).to(dtype)
    stack = torch.from_numpy(images).permute(0, 3, 1, 2).to(dtype).contiguous()
    level = bands.bands[0].level
    with torch.inference_mode(), Sizes() as sizes:
        pooled = spatial_mean(level_maps(module, network.backbone, stack, up_to=level)[level - 1])
    squares = bands.squares(pooled.double().numpy())
    maps, distances = deep_shap(
        band_columns(bands, module, network.backbone, dtype=dtype),
        stack[:1],
        stack[1:],
        reference_batch=reference_batch or affordable(sizes.total // len(stack), len(chosen)),
        progress=progress,
    )
    rgb, own = maps[0].double().numpy(), squares[0]
    score = np.sqrt(own.sum())
    error = abs(float(distances[0, 0, 0]) - score) / max(score, _TINY)
    if error > SCORE_TOLERANCE:
        raise NotExplained(
            f"the distance that the rules explain is not the detector's (off by {error:.1e} of it); this network "
            "cannot be explained, choose a backbone of the list"
        )
    shares = shares_of_difference(own, squares[1:])
    size = np.maximum(np.abs(shares), own / max(score, _TINY))
    gap = float((np.abs(rgb.sum(axis=(1, 2, 3)) - shares) / np.maximum(size, _TINY)).max())
    return BandAttribution(bands.bands, rgb, own, squares[1:], gap, precision, RULES, chosen)
