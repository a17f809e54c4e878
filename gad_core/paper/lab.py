"""What the experiments share: networks that are ready, features of a category, the folds of its images."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gad_core.data.augment import Pass
from gad_core.data.augment_settings import Augmentation, preset
from gad_core.data.datasets import Dataset, ImageSet
from gad_core.data.groups import k_folds
from gad_core.errors import GadError
from gad_core.features.backbones import Backbone
from gad_core.features.cache import FeatureCache
from gad_core.features.engines import Engine
from gad_core.features.extract import Extraction, extract, read_pixels
from gad_core.features.regions import Regions
from gad_core.features.registry import get_backbone
from gad_core.paper.settings import PaperSettings
from gad_core.progress import Progress, Stages

Features = NDArray[np.float32]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Lab:
    """Categories, settings, and where networks and features come from."""

    categories: tuple[Dataset, ...]
    settings: PaperSettings
    engine_of: Callable[[str], Engine]  # by the backbone's name
    folder: Path  # of results and of what was trained
    cache: FeatureCache | None = None

    @cached_property
    def backbones(self) -> tuple[Backbone, ...]:
        """Those asked for, the main one first."""
        return tuple(get_backbone(name) for name in self.settings.backbones)

    def facts(self, dataset: Dataset, *more: Any) -> list[Any]:
        """What decides any result on a category: its images' content and labels, folds and seed, and `more`."""
        files = [[file.digest, file.defect] for images in (dataset.train, dataset.test) for file in images]
        return [files, self.settings.folds, self.settings.seed, *more]

    def fingerprint(self, backbone: Backbone) -> list[str]:
        """Name and weights of a network, as results depend on them."""
        return [backbone.name, self.engine_of(backbone.name).network.fingerprint]

    def features(
        self, images: ImageSet, backbone: Backbone, *, regions: Regions | None = None, progress: Progress | None = None
    ) -> Extraction:
        """Features of images; raises `GadError` where one cannot be read, for then the tables would not compare."""
        found = extract(images, self.engine_of(backbone.name), regions=regions, cache=self.cache, progress=progress)
        _check_read(images, found.images)
        return found

    def pixels(self, images: ImageSet, backbone: Backbone, *, progress: Progress | None = None) -> NDArray[np.uint8]:
        """Images (n, S, S, 3) at a network's size; raises as `features` does."""
        found, pixels = read_pixels(images, backbone, cache=self.cache, progress=progress)
        _check_read(images, found)
        return pixels

    def copies(
        self, dataset: Dataset, backbone: Backbone, part: slice, *, progress: Progress | None = None
    ) -> Features:
        """One part of the features of all augmented copies of the training images: (passes, n, D)."""
        scale, engine = self.settings.scale, self.engine_of(backbone.name)
        stages = Stages(progress, [1] * scale.passes)
        found = []
        for index in range(scale.passes):
            copy = Pass(self.augmentation(dataset), index, self.settings.seed)
            copied = extract(dataset.train, engine, copy=copy, cache=self.cache, progress=stages(index))
            found.append(copied.features[:, part])
        return np.stack(found)

    def augmentation(self, dataset: Dataset) -> Augmentation:
        """Fig. 5 with the exclusions of a category of MVTec AD."""
        return preset(dataset.name)

    def normal_folds(self, dataset: Dataset) -> Iterator[tuple[int, Flags]]:
        """Each fold's number and which of the training images (n,) it fits: four fifths of them."""
        n, k = len(dataset.train), self.settings.folds
        if n < 2 * k:
            raise GadError(f"{dataset.name} has {n} training images, too few for {k} folds; add images to train/good")
        folds = k_folds(n, k, seed=self.settings.seed)
        for fold in range(k):
            yield fold, folds != fold


def _check_read(asked: ImageSet, found: ImageSet) -> None:
    if unread := found.refused[len(asked.refused) :]:
        raise GadError(f"{unread[0].path}: {unread[0].reason}; mend or remove it, and run the table again")
