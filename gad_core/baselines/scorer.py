"""The two calls that every baseline answers: fit on images, and score images."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gad_core.data.datasets import ImageSet
from gad_core.errors import GadError
from gad_core.features.cache import FeatureCache
from gad_core.features.engines import Engine
from gad_core.features.extract import extract
from gad_core.features.regions import Regions
from gad_core.progress import Progress

Array = NDArray[np.float64]
Features = NDArray[np.float32]


@dataclass(frozen=True)
class Scored:
    """The images that could be read, and their anomaly scores (n,); a higher one is more anomalous."""

    images: ImageSet
    scores: Array


class Scorer(Protocol):
    """What was fitted."""

    @property
    def n_bytes(self) -> int:
        """What it takes to keep, the frozen network left out."""

    def score(self, images: ImageSet, *, progress: Progress | None = None) -> Scored:
        """Score images; those that cannot be read are among its `images.refused`."""

    def score_pixels(self, pixels: NDArray[np.uint8]) -> Array:
        """Scores (n,) of pixels (n, S, S, 3) at network size."""


class OnFeatures(Protocol):
    """What was fitted to features."""

    @property
    def n_bytes(self) -> int:
        """What it takes to keep."""

    def scores(self, features: Features) -> Array:
        """Anomaly scores (n,) of features (n, F)."""


@dataclass(frozen=True)
class FeatureScorer:
    """Scores what a network gives for images."""

    fitted: OnFeatures
    engine: Engine
    regions: Regions | None = None
    cache: FeatureCache | None = None

    def score(self, images: ImageSet, *, progress: Progress | None = None) -> Scored:
        """Extract features, or find them in the cache, and score them."""
        found = extract(images, self.engine, regions=self.regions, cache=self.cache, progress=progress)
        return Scored(found.images, self.fitted.scores(found.features))

    def score_pixels(self, pixels: NDArray[np.uint8]) -> Array:
        """Scores (n,) of pixels (n, S, S, 3), the network's time included."""
        return self.fitted.scores(np.stack(list(self.engine.stream(pixels, regions=self.regions))))

    @property
    def n_bytes(self) -> int:
        """What was learned."""
        return self.fitted.n_bytes


def fit_on_features(
    fit: Callable[[Features], OnFeatures],
    images: ImageSet,
    engine: Engine,
    *,
    regions: Regions | None = None,
    cache: FeatureCache | None = None,
    progress: Progress | None = None,
) -> FeatureScorer:
    """Fit to the features (n, F) of normal images; raises `GadError` where no image can be read."""
    found = extract(images, engine, regions=regions, cache=cache, progress=progress)
    if not len(found.images):
        raise GadError("none of the normal images can be read; add images of good parts")
    return FeatureScorer(fit(found.features), engine, regions, cache)
