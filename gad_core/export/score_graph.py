"""A detector from pixels to verdict as one torch module that a tracer can follow."""

import copy

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gad_core.export.pillow_resize import Passes, resize, two_passes
from gad_core.features.frozen import Network
from gad_core.features.levels import level_maps, region_means, spatial_mean
from gad_core.gaussian.by_region import RegionsFit
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.spectrum import Gaussian
from gad_core.gaussian.torch_pooling import pooled, standardised
from gad_core.gaussian.torch_score import Distances, level_distance
from gad_core.gaussian.tuning import Tuning, WorkingPoint, pool_of, tuning_at

#: What the module takes, and what it gives, in order.
INPUT = "image"
OUTPUTS = ("score", "regions", "threshold", "anomalous")


class ScoreGraph(nn.Module):
    """Images (N, H, W, 3) in uint8 to score (N,), regions (N, rows, columns), threshold () and anomalous (N,).

    Resize and network give what an engine gives; distances, pooling and comparison are in float64, for the small
    eigenvalues of NPCA would lose their digits in float32. `regions` are the standardised distances of
    `Detector.region_maps`, NaN where a region does not count; of a whole image its score, (N, 1, 1).
    """

    threshold: Tensor

    def __init__(
        self, detector: Detector, network: Network, point: WorkingPoint, *, passes: Passes = two_passes
    ) -> None:
        super().__init__()
        self.network = copy.deepcopy(network.module)  # tracing hooks into it, and others run the shared one
        self._backbone = network.backbone
        self._passes = passes
        self._tuning = tuning_at(detector.tuning, point.level)
        self._regions = detector.known_regions(self._tuning) if self._tuning.pool else None
        self._distances = _distances(detector, self._tuning)
        self.register_buffer("threshold", torch.tensor(point.threshold, dtype=torch.float64))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Judge images; the threshold is that of the working point."""
        pixels = resize(image, self._backbone.input_size, passes=self._passes)
        maps = level_maps(self.network, self._backbone, pixels, up_to=max(self._tuning.levels))
        chosen = [maps[level - 1] for level in self._tuning.levels]
        if self._regions is None:
            pairs = zip(self._distances, chosen, strict=True)
            score = torch.stack([distance(spatial_mean(level)) for distance, level in pairs]).sum(0)  # (N,)
            return self._judged(score, score[:, None, None])
        fit = self._regions
        inside = torch.tensor(fit.inside)
        means = [region_means(level, fit.regions)[:, inside] for level in chosen]  # (N, A, C) each
        distances = tuple(distance(mean) for distance, mean in zip(self._distances, means, strict=True))  # (N, A)
        values = standardised(fit.standard(self._tuning), distances)
        return self._judged(pooled(pool_of(self._tuning), values), _on_grid(values, fit))

    def _judged(self, score: Tensor, regions: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        return score, regions, self.threshold.clone(), score > self.threshold


def _distances(detector: Detector, tuning: Tuning) -> list[Distances]:
    """For each tuned level from pooled features (N, D) to (N,), or from those of its regions (N, A, D) to (N, A)."""
    if tuning.pool is None:
        return [level_distance(detector.gaussians[level - 1], tuning) for level in tuning.levels]
    fit = detector.known_regions(tuning)
    return [_region_distances(fit.gaussians[fit.regions.levels.index(level)], tuning) for level in tuning.levels]


def _region_distances(gaussians: tuple[Gaussian, ...], tuning: Tuning) -> Distances:
    """`level_distance` of all regions in one product: whitenings with fewer columns than others have zeros behind."""
    centres = torch.from_numpy(np.stack([gaussian.mean for gaussian in gaussians])[:, None])  # (A, 1, D)
    whiten = torch.from_numpy(_stacked([g.whitening(tuning.reduction, tuning.distance) for g in gaussians]))

    def distances(means: Tensor) -> Tensor:
        centred = means.double().transpose(0, 1) - centres  # (A, N, D)
        return (centred @ whiten).square().sum(2).sqrt().T  # (N, A)

    return distances


def _stacked(maps: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Maps (D, K_a) side by side (A, D, K)."""
    found = np.zeros((len(maps), len(maps[0]), max(one.shape[1] for one in maps)))
    for place, one in enumerate(maps):
        found[place, :, : one.shape[1]] = one
    return found


def _on_grid(values: Tensor, fit: RegionsFit) -> Tensor:
    """Values (N, A) on the grid (N, rows, columns), NaN where a region does not count."""
    regions = fit.regions
    places = np.full(regions.count, len(fit.inside))
    places[list(fit.inside)] = np.arange(len(fit.inside))
    empty = torch.full_like(values[:, :1], torch.nan)
    laid_out = torch.cat([values, empty], dim=1)[:, torch.from_numpy(places)]  # (N, rows * columns)
    return laid_out.reshape(-1, regions.rows, regions.columns)
