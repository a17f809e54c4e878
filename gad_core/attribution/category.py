"""A data set's images explained: what a detector responds to, category by category (Table X)."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gad_core.attribution.attribution_map import Attribution
from gad_core.attribution.explanation import Explanation, Summary, Undefined, explain_score, summarise
from gad_core.attribution.masks import mask_of
from gad_core.attribution.measures import Measures, mass_accuracy, measure_map
from gad_core.attribution.reduced import border, corners, reduced
from gad_core.data.datasets import ImageFile, ImageSet
from gad_core.errors import GadError
from gad_core.features.cache import FeatureCache
from gad_core.features.extract import load_pixels
from gad_core.features.frozen import Network
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.tuning import Tuning
from gad_core.progress import Progress, Stages

_GROUP = 16  # images; more save little


@dataclass(frozen=True)
class Explained:
    """One image's map in numbers; an earlier version kept no more than the explanation score."""

    digest: str
    defect: str
    score: float  # the detector's, in units of distance
    gap: float
    explanation: Explanation | Undefined | None  # None without a mask
    measures: Measures = field(default_factory=Measures)
    border: float | None = None  # of what raises the score, the share on the border; None where nothing does
    corners: float | None = None  # the share in the corners
    cells: NDArray[np.float64] | None = field(default=None, compare=False)  # the reduced map


@dataclass(frozen=True)
class CategoryExplanation:
    """All explained images of a data set."""

    images: tuple[Explained, ...]

    @property
    def masked(self) -> tuple[Explained, ...]:
        """Those that have a mask."""
        return tuple(image for image in self.images if image.explanation is not None)

    @property
    def summary(self) -> Summary | None:
        """Over all masked images."""
        return summarise([image.explanation for image in self.images if image.explanation is not None])

    @property
    def worst_gap(self) -> float:
        """The largest completeness gap."""
        return max((image.gap for image in self.images), default=0.0)


def masked_defects(test: ImageSet) -> ImageSet:
    """The defective test images that have a mask; raises `GadError` where there is none."""
    chosen = test.where([file.anomalous and file.mask is not None for file in test])
    if not len(chosen):
        raise GadError("an explanation score needs defective test images with masks; add masks to ground_truth/")
    return chosen


def explain_category(
    detector: Detector,
    network: Network,
    test: ImageSet,
    *,
    tuning: Tuning | None = None,
    n_references: int = 10,
    seed: int = 0,
    cache: FeatureCache | None = None,
    progress: Progress | None = None,
) -> CategoryExplanation:
    """Explain every defective test image that has a mask, with the same references."""
    explained = explain_images(
        detector,
        network,
        masked_defects(test),
        tuning=tuning,
        n_references=n_references,
        seed=seed,
        cache=cache,
        progress=progress,
    )
    return CategoryExplanation(explained)


def explain_images(
    detector: Detector,
    network: Network,
    files: ImageSet,
    *,
    regions: NDArray[np.float64] | None = None,
    tuning: Tuning | None = None,
    n_references: int = 10,
    seed: int = 0,
    cache: FeatureCache | None = None,
    progress: Progress | None = None,
) -> tuple[Explained, ...]:
    """Explain images, with the same references; `regions` are their maps of regions (n, rows, columns), where known.

    A group of images at a time shares what the references give.
    """
    from gad_core.attribution.deep_shap import attribute_all  # noqa: PLC0415 - loads torch; who reads does without

    groups = [range(start, min(start + _GROUP, len(files))) for start in range(0, len(files), _GROUP)]
    stages = Stages(progress, [len(group) for group in groups])
    explained = []
    for place, group in enumerate(groups):
        own = ImageSet(files.files[group.start : group.stop])
        attributions = attribute_all(
            detector,
            network,
            np.asarray(load_pixels(own, network.backbone, cache=cache)),
            tuning=tuning,
            n_references=n_references,
            seed=seed,
            split=False,
            progress=stages(place),
        )
        grids = [None] * len(own) if regions is None else regions[group.start : group.stop]
        explained += [_in_numbers(*one) for one in zip(own, attributions, grids, strict=True)]
    return tuple(explained)


def _in_numbers(file: ImageFile, attribution: Attribution, grid: NDArray[np.float64] | None) -> Explained:
    total = attribution.total
    mask = mask_of(file) if file.mask else None
    return Explained(
        digest=file.digest,
        defect=file.defect,
        score=attribution.score,
        gap=attribution.gap,
        explanation=None if mask is None else explain_score(total, mask),
        measures=measure_map(total, mask, grid=grid),
        border=mass_accuracy(total, border(total.shape)),
        corners=mass_accuracy(total, corners(total.shape)),
        cells=reduced(total),
    )


def explain_file(
    detector: Detector,
    network: Network,
    file: ImageFile,
    *,
    tuning: Tuning | None = None,
    n_references: int = 10,
    seed: int = 0,
    split: bool = True,
    cache: FeatureCache | None = None,
    progress: Progress | None = None,
) -> Attribution:
    """Attribute the score of one image file; raises `GadError` where it cannot be read."""
    from gad_core.attribution.deep_shap import attribute  # noqa: PLC0415 - as above

    (pixels,) = load_pixels(ImageSet((file,)), network.backbone, cache=cache)
    return attribute(
        detector,
        network,
        pixels,
        tuning=tuning,
        n_references=n_references,
        seed=seed,
        split=split,
        progress=progress,
    )
