"""What mends a detector that does not bear a shift, tried at once, and what that costs on images as they are."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gad_core.data.datasets import Dataset, ImageFile, ImageSet
from gad_core.data.shifts import Shift, steps
from gad_core.decision.working_point import cross_conformal
from gad_core.deployment.merged import merge_copies
from gad_core.deployment.outcomes import Outcome
from gad_core.deployment.photos import shifted_photos
from gad_core.deployment.sampling import sampled_test
from gad_core.detectability.left_out import scores_without_fold
from gad_core.detectability.study import threshold_for, training_files
from gad_core.errors import GadError
from gad_core.features.cache import FeatureCache
from gad_core.features.engines import Engine
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.extraction import extract_for
from gad_core.gaussian.reduction import ALL, NPCA_1, NPCA_5, Reduction
from gad_core.gaussian.tuning import Tuning, WorkingPoint, tuning_at
from gad_core.progress import Progress, Stages

Features = NDArray[np.float32]

_CUTS = (ALL, Reduction("pca", 0.99), Reduction("pca", 0.9), NPCA_1, NPCA_5, Reduction("npca", 0.2))
_MOST_COPIES = 3  # of an image: the shift and the two steps before it
_MOST_TEST = 400  # test images
_FITTING = 1 / 3  # of the time that a picture takes: the fit of a copy, and of an image without its fold


@dataclass(frozen=True)
class Remedy:
    """One way of reading or fitting the detector, with its own threshold at the same target."""

    tuning: Tuning
    copies: tuple[Shift, ...]  # under which the training images were merged into the fit
    threshold: float
    clean: Outcome  # on images as they are
    shifted: Outcome

    def to_json(self) -> dict[str, Any]:
        """Give plain values, as JSON holds them."""
        return {
            "tuning": self.tuning.to_json(),
            "copies": [shift.to_json() for shift in self.copies],
            "threshold": self.threshold,
            "clean": self.clean.to_json(),
            "shifted": self.shifted.to_json(),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Remedy":
        """Read them back."""
        return cls(
            Tuning.from_json(values["tuning"]),
            tuple(Shift.from_json(one) for one in values["copies"]),
            values["threshold"],
            Outcome.from_json(values["clean"]),
            Outcome.from_json(values["shifted"]),
        )


@dataclass(frozen=True)
class Remedies:
    """A detector as it is under a shift, and what was tried against that.

    Parameters
    ----------
    shift : Shift
        What it should bear.
    point : WorkingPoint
        The threshold of the detector as it is; the target of the others.
    as_it_is : Remedy
        `clean` and `shifted` have rates and AUROC on images as they are and under the shift.
    tried : tuple of Remedy
        Each with its tuning, the shifts whose copies were merged into the fit, its threshold, and the same of it.

    Examples
    --------
    >>> import gad_core as gad
    >>> detector, data = gad.load_detector("parts.gad"), gad.read_dataset("parts")
    >>> found = gad.shift_remedies(detector, data, gad.Shift("noise", 1))
    >>> found.as_it_is.tuning == detector.tuning, len(found.tried[-1].copies)
    (True, 1)
    """

    shift: Shift
    point: WorkingPoint
    as_it_is: Remedy
    tried: tuple[Remedy, ...]

    def to_json(self) -> dict[str, Any]:
        """Give plain values, as JSON holds them."""
        return {
            "shift": self.shift.to_json(),
            "point": self.point.to_json(),
            "as_it_is": self.as_it_is.to_json(),
            "tried": [one.to_json() for one in self.tried],
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Remedies":
        """Read them back."""
        return cls(
            Shift.from_json(values["shift"]),
            WorkingPoint.from_json(values["point"]),
            Remedy.from_json(values["as_it_is"]),
            tuple(Remedy.from_json(one) for one in values["tried"]),
        )


def try_remedies(
    detector: Detector,
    data: Dataset,
    engine: Engine,
    shift: Shift,
    *,
    tuning: Tuning | None = None,
    point: WorkingPoint | None = None,
    target_fpr: float | None = None,
    cache: FeatureCache | None = None,
    progress: Progress | None = None,
) -> Remedies:
    """Read the detector at other levels and cuts, and fit it with copies under the shift, each against the shift.

    Rates are those of all training images that the data set holds, left out, and of at most 400 test images. Tuning and
    threshold are chosen as in a study. Raises as `study` does, and `GadError` for a shift that changes nothing.
    """
    if shift.is_none:
        raise GadError(f"{shift} changes nothing; choose a strength")
    detector.check_network(engine.network)
    tuning = tuning or detector.tuning
    point = point or threshold_for(detector, tuning, target_fpr)
    own = tuning_at(tuning, point.level)
    files, copies = training_files(detector, data), copied_under(shift)
    rows = sorted(files)
    chosen = sampled_test(data.test, _MOST_TEST)
    n, m = len(rows), len(chosen)
    fits = round(
        _FITTING * (detector.n_train + n * len(copies)) * (1 + len(detector.regions.levels if detector.regions else ()))
    )
    stages = Stages(progress, (m, m, n * len(copies), round(_FITTING * n), fits))
    test = extract_for(detector, chosen, engine, cache=cache, progress=stages(0))
    shifted_test = _under([shift], test.images.files, detector, engine, stages(1))[0]
    rendered = _under(copies, [files[row] for row in rows], detector, engine, stages(2))
    tunings = (own, *other_tunings(detector, own))
    shifted = scores_without_fold(detector, rendered[-1], np.array(rows, np.intp), tunings, progress=stages(3))
    found = []
    for place, one in enumerate(tunings):
        left_out = detector.left_out_scores(one)
        limit = cross_conformal(left_out, point.target_fpr).threshold if place else point.threshold
        before, after = (detector.scores_at(features, one) for features in (test.features, shifted_test))
        found.append(_remedy(one, (), limit, (left_out[rows], shifted[:, place]), (before, after), test.images))
    merged = merge_copies(detector, rows, rendered, progress=stages(4))
    left_out = merged.left_out_scores(own)
    limit = cross_conformal(left_out[: detector.n_train], point.target_fpr).threshold
    before, after = (merged.scores_at(features, own) for features in (test.features, shifted_test))
    found.append(_remedy(own, copies, limit, (left_out[rows], left_out[-n:]), (before, after), test.images))
    return Remedies(shift, point, found[0], tuple(found[1:]))


def copied_under(shift: Shift) -> tuple[Shift, ...]:
    """Give the shift, last, and before it the steps that lead to it."""
    none = shift.scale.none
    weaker = [step for step in steps(shift.kind) if abs(step.strength - none) < abs(shift.strength - none)]
    return (*weaker[1 - _MOST_COPIES :], shift)


def other_tunings(detector: Detector, own: Tuning) -> tuple[Tuning, ...]:
    """Without each of the levels, and at each of the usual cuts, as far as the detector has them."""
    levels = [tuple(kept for kept in own.levels if kept != level) for level in own.levels]
    found = [replace(own, levels=kept) for kept in levels if kept] + [replace(own, reduction=cut) for cut in _CUTS]
    known = detector.by_region.reductions if detector.by_region else ()
    return tuple(one for one in found if one != own and (one.pool is None or one.reduction in known))


def _under(
    shifts: Sequence[Shift], files: Sequence[ImageFile], detector: Detector, engine: Engine, progress: Progress
) -> Features:
    """Features (S, m, F) of images under shifts."""
    found = []
    with closing(shifted_photos(files, shifts, engine, regions=detector.regions)) as photos:
        for photo in photos:
            found.append(photo.features)
            progress(len(found), len(files))
    if not found:
        return np.empty((len(shifts), 0, detector.training.features.shape[1]), np.float32)
    return np.stack(found, axis=1)


def _remedy(
    tuning: Tuning,
    copies: tuple[Shift, ...],
    limit: float,
    left_out: tuple[NDArray[np.float64], NDArray[np.float64]],
    test: tuple[NDArray[np.float64], NDArray[np.float64]],
    images: ImageSet,
) -> Remedy:
    clean, shifted = (Outcome.of(own, others, images.labels, limit) for own, others in zip(left_out, test, strict=True))
    return Remedy(tuning, copies, limit, clean, shifted)
