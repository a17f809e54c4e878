"""The method as a script would have it, from the papers' text: torch, scikit-learn and SciPy, image by image.

Both give the sum over the levels of an image's Mahalanobis distances to the training images.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.spatial.distance import mahalanobis
from sklearn.covariance import LedoitWolf
from sklearn.decomposition import PCA
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from benchmarks.suite.networks import BATCH, Measured
from gad_core.features.levels import level_maps

Features = list[NDArray[np.float64]]  # (n, C) a level


class Files(Dataset[Tensor]):
    """Image files as a network's input; pixels in [0, 255], which the network's own first step normalises."""

    def __init__(self, paths: Sequence[Path], side: int) -> None:
        self._paths, self._side = paths, side

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, index: int) -> Tensor:
        with Image.open(self._paths[index]) as image:
            resized = image.convert("RGB").resize((self._side, self._side), Image.Resampling.BILINEAR)
        return torch.from_numpy(np.array(resized)).permute(2, 0, 1).float()


def features(one: Measured, paths: Sequence[Path], *, workers: int) -> Features:
    """Every level averaged over space, batch by batch."""
    batches: list[list[NDArray[np.float32]]] = []
    with torch.no_grad():
        for batch in DataLoader(Files(paths, one.backbone.input_size), batch_size=BATCH, num_workers=workers):
            maps = level_maps(one.plain, one.backbone, batch)
            batches.append([nn.functional.adaptive_avg_pool2d(level, 1).flatten(1).numpy() for level in maps])
    return [np.concatenate(level).astype(np.float64) for level in zip(*batches, strict=True)]


def as_the_paper_says(
    one: Measured, train: Sequence[Path], test: Sequence[Path], *, variance: float, workers: int
) -> NDArray[np.float64]:
    """Per level: principal components, those of low variance kept (NPCA), Ledoit-Wolf, and the distances (n,)."""

    def distances(fitted: NDArray[np.float64], asked: NDArray[np.float64]) -> list[float]:
        pca = PCA().fit(fitted)
        passed = int(np.searchsorted(np.cumsum(pca.explained_variance_ratio_), 1 - variance, side="right"))
        kept = slice(max(passed - 1, 0), int((pca.explained_variance_ > 1e-10 * pca.explained_variance_[0]).sum()))
        gaussian = LedoitWolf().fit(pca.transform(fitted)[:, kept])
        coordinates = pca.transform(asked)[:, kept]
        return [mahalanobis(x, gaussian.location_, gaussian.precision_) for x in coordinates]

    return _summed(one, train, test, distances, workers=workers)


def by_inverse(
    one: Measured, train: Sequence[Path], test: Sequence[Path], *, shrunk: bool, workers: int
) -> NDArray[np.float64]:
    """Per level: mean, covariance (shrunk or the plain one with a small multiple of the identity), its inverse."""

    def distances(fitted: NDArray[np.float64], asked: NDArray[np.float64]) -> list[float]:
        mean = fitted.mean(0)
        if shrunk:
            covariance = LedoitWolf().fit(fitted).covariance_
        else:
            covariance = np.cov(fitted, rowvar=False) + 0.01 * np.eye(len(mean))
        inverse = np.linalg.inv(covariance)
        return [mahalanobis(x, mean, inverse) for x in asked]

    return _summed(one, train, test, distances, workers=workers)


def _summed(
    one: Measured,
    train: Sequence[Path],
    test: Sequence[Path],
    distances: Callable[[NDArray[np.float64], NDArray[np.float64]], list[float]],
    *,
    workers: int,
) -> NDArray[np.float64]:
    """Distances of the test images (n,), added up over the levels, each from the features of both."""
    levels = zip(features(one, train, workers=workers), features(one, test, workers=workers), strict=True)
    return np.sum([distances(fitted, asked) for fitted, asked in levels], axis=0)
