"""A fitted detector: what a fit gave, what it was asked for, and the threshold that a person adopted."""

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gad_core.data.datasets import Refusal
from gad_core.errors import GadError
from gad_core.features.regions import Regions
from gad_core.gaussian.by_region import RegionsFit
from gad_core.gaussian.detector_writing import write_detector
from gad_core.gaussian.levels import LevelsFit
from gad_core.gaussian.packing import Packed
from gad_core.gaussian.reduction import Reduction
from gad_core.gaussian.sample import SampleOf
from gad_core.gaussian.settings import FitSettings
from gad_core.gaussian.tuning import Tuning, WorkingPoint, pool_of
from gad_core.gaussian.version import fit_version

if TYPE_CHECKING:
    from gad_core.features.backbones import Backbone
    from gad_core.features.frozen import Network


@dataclass(frozen=True)
class TrainingImages:
    """What is kept of the normal images behind a detector."""

    features: NDArray[np.float32]  # (n, sum of channels, and behind them those by region), un-augmented
    digests: tuple[str, ...]  # SHA-256 of the files
    groups: tuple[str | None, ...] | None = None  # lot, session or camera
    packed: Packed | None = None  # the features by region as a file holds them
    sample_of: SampleOf | None = None  # where the fit has seen more images than these

    def as_filed(self, n_whole: int) -> "TrainingImages":
        """Round the features by region, behind the first `n_whole`, to what a file holds."""
        if self.packed or self.features.shape[1] == n_whole:
            return self
        packed = Packed.of(self.features[:, n_whole:])
        features = np.concatenate([self.features[:, :n_whole], packed.values], axis=1)
        return replace(self, features=features, packed=packed)

    def __getitem__(self, rows: NDArray[np.bool_]) -> "TrainingImages":
        """Take the images at which `rows` (n,) is true."""
        where = np.flatnonzero(rows)
        groups = self.groups
        return TrainingImages(
            self.features[where],
            tuple(self.digests[i] for i in where),
            tuple(groups[i] for i in where) if groups else None,
        )

    def __add__(self, other: "TrainingImages") -> "TrainingImages":
        """Put the other images behind these."""
        groups = None
        if self.groups or other.groups:
            groups = tuple(g for one in (self, other) for g in one.groups or (None,) * len(one.digests))
        return TrainingImages(np.concatenate([self.features, other.features]), self.digests + other.digests, groups)


@dataclass(frozen=True, kw_only=True)
class Detector(LevelsFit):
    """Everything that scoring, tuning and explaining need; saved as one file.

    `gad_core.fit` makes one and `gad_core.load_detector` reads it back; nothing changes it.

    Parameters
    ----------
    slices : tuple of slice
        Where each level lies in the feature vector.
    gaussians : tuple of Gaussian
        One a level.
    folds : ndarray of int, shape (n,)
        The fold in which each training image that is kept was left out.
    left_out : tuple of tuple of LeftOut
        What each fold says of its images, by level and fold.
    settings : FitSettings
        What the fit was asked for.
    tuning : Tuning
        How it is read.
    fingerprint : str
        Digest of the weights and the preprocessing.
    training : TrainingImages
        Features, digests and groups of the normal images, or of a sample of them.
    references : ndarray of uint8, shape (m, S, S, 3), optional
        Normal images at network size, for attributions.
    calibration : TrainingImages, optional
        Separate normal images for the split-conformal threshold.
    working_point : WorkingPoint, optional
        The threshold that a person adopted.
    refused : tuple of Refusal
        Files that could not be read at the fit.
    by_region : RegionsFit, optional
        Gaussians of the regions, where the settings ask for any.

    Examples
    --------
    >>> import gad_core as gad
    >>> detector = gad.load_detector("parts.gad")
    >>> detector.backbone, detector.n_train, detector.n_levels
    ('tf_efficientnet_lite0', 30, 9)
    >>> detector.save("copy.gad")
    >>> gad.load_detector("copy.gad").tuning == detector.tuning
    True
    """

    settings: FitSettings
    tuning: Tuning
    fingerprint: str
    training: TrainingImages
    references: NDArray[np.uint8] | None = None
    calibration: TrainingImages | None = None
    working_point: WorkingPoint | None = None
    refused: tuple[Refusal, ...] = ()
    by_region: RegionsFit | None = None

    @property
    def backbone(self) -> str:
        """Name of the network."""
        return self.settings.backbone

    @property
    def n_train(self) -> int:
        """Number of normal images behind the fit; where a sample of them is kept, `n_left_out` is fewer."""
        sample_of = self.training.sample_of
        return sample_of.n if sample_of else self.n_left_out

    @property
    def regions(self) -> Regions | None:
        """Grid and levels that have Gaussians by region; None for the whole image alone."""
        return self.by_region.regions if self.by_region else None

    @property
    def version(self) -> str:
        """Which fit this is, in 12 hexadecimal digits: another one for other images, settings or weights."""
        held_out = self.calibration.digests if self.calibration else ()
        training = self.training
        return fit_version(self.settings, self.fingerprint, training.digests, held_out, sample_of=training.sample_of)

    def check_whole(self) -> None:
        """Refuse to fit again without the images themselves where only a sample of them is kept."""
        if self.training.sample_of:
            raise GadError(
                f"this detector was fitted to {self.n_train:,} images and keeps {self.n_left_out:,} of them, which is "
                "too few to fit it again; fit anew from the images"
            )

    def reads(self, tuning: Tuning) -> tuple[Regions | None, int]:
        """Say what a score reads of a feature vector: its regions, and the level up to which a network must be run."""
        regions = self.regions if tuning.pool else None
        return regions, max((*tuning.levels, *(regions.levels if regions else ())))

    def check_network(self, network: "Network") -> None:
        """Refuse a network whose weights are not those of the fit, or whose levels and images have other sizes."""
        backbone, references = network.backbone, self.references
        if network.fingerprint != self.fingerprint:
            raise GadError(
                f"the weights of {self.backbone} here ({network.fingerprint[:8]}) are not those that this detector was "
                f"fitted with ({self.fingerprint[:8]}); provide the same weights, or fit again"
            )
        if self.slices != backbone.level_slices:
            raise GadError(f"this detector's levels are not those of {backbone.name}; fit again")
        if references is not None and len(references) and references.shape[1] != backbone.input_size:
            raise GadError(
                f"this detector's references have {references.shape[1]} pixels a side, and {backbone.name} takes "
                f"{backbone.input_size}; fit again"
            )

    def scores(self, features: NDArray[np.float32], tuning: Tuning | None = None) -> NDArray[np.float64]:
        """Anomaly score (n,): the sum over the tuned levels (eq. 4), or what the tuning pools of the regions."""
        return self.scores_at(features, tuning or self.tuning)

    def scores_at(self, features: NDArray[np.float32], tuning: Tuning) -> NDArray[np.float64]:
        """Score at a given tuning (n,); raises `GadError` for regions that this detector does not have."""
        if tuning.pool is None:
            return super().scores_at(features, tuning)
        return self.known_regions(tuning).scores(features, tuning)

    def left_out_scores(self, tuning: Tuning) -> NDArray[np.float64]:
        """Score of every training image that is kept from the fit without its fold (n,)."""
        if tuning.pool is None:
            return super().left_out_scores(tuning)
        return self.known_regions(tuning).left_out_scores(tuning, self.folds)

    def region_distances(self, features: NDArray[np.float32], tuning: Tuning) -> NDArray[np.float64]:
        """Standardised distances (n, A) of the regions that count: 0 is usual for a normal image, above 1 is rare."""
        known = self.known_regions(tuning)
        return known.standard(tuning)(known.distances(features, tuning))

    def region_maps(self, features: NDArray[np.float32], tuning: Tuning) -> NDArray[np.float64]:
        """Lay the same out on the grid (n, rows, columns); NaN where a region does not count."""
        return self.known_regions(tuning).maps(self.region_distances(features, tuning))

    def left_out_region_maps(self, tuning: Tuning) -> NDArray[np.float64]:
        """Lay out those of the training images, each from the fit without its fold (n, rows, columns)."""
        known = self.known_regions(tuning)
        return known.maps(known.left_out_standardised(tuning, self.folds))

    def usual_limit(self, tuning: Tuning, target_fpr: float) -> float:
        """Standardised distance that a share `target_fpr` of the left-out normals' regions exceeds."""
        standardised = self.known_regions(tuning).left_out_standardised(tuning, self.folds)
        return float(np.quantile(standardised, 1 - target_fpr))

    def pooled_tables(self, features: NDArray[np.float32], tuning: Tuning) -> dict[Reduction, NDArray[np.float64]]:
        """Pooled scores (n,) at every cut at which left-out regions are known, other things as in the tuning."""
        known, pool = self.known_regions(tuning), pool_of(tuning)
        tables = known.tables(features, tuning.levels)
        return {
            cut: pool(known.standard(replace(tuning, reduction=cut))(tables[..., k]))
            for k, cut in enumerate(known.reductions)
        }

    def known_regions(self, tuning: Tuning) -> RegionsFit:
        """Give the regions that a tuning pools; raises `GadError` where they cannot be had."""
        if self.by_region is None:
            raise GadError(
                "this detector was fitted to whole images and has no regions to pool; fit again with regions, or "
                "choose the score of the whole image"
            )
        self.by_region.check(tuning)
        return self.by_region

    def save(self, path: str | Path) -> None:
        """Write one file; a reader never meets half of it. Raises `GadError` where the folder cannot be written."""
        write_detector(self, Path(path))


def make_detector(
    levels: LevelsFit,
    backbone: "Backbone",
    settings: FitSettings,
    *,
    fingerprint: str,
    training: TrainingImages,
    tuning: Tuning | None = None,
    references: NDArray[np.uint8] | None = None,
    calibration: TrainingImages | None = None,
    refused: tuple[Refusal, ...] = (),
    by_region: RegionsFit | None = None,
) -> Detector:
    """Put a detector together: the one place where what was fitted meets what was asked for."""
    return Detector(
        **{one.name: getattr(levels, one.name) for one in fields(LevelsFit)},
        settings=settings.settled(backbone),
        tuning=tuning or settings.tuning_on(backbone),
        fingerprint=fingerprint,
        training=training,
        references=references,
        calibration=calibration,
        refused=refused,
        by_region=by_region,
    )
