"""A detector with other images to calibrate its threshold on; what it learned from stays."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gad_core.errors import GadError
from gad_core.gaussian.detector import Detector, TrainingImages


def recalibrated(
    detector: Detector,
    features: NDArray[np.float32],
    digests: tuple[str, ...],
    groups: tuple[str | None, ...] | None = None,
) -> Detector:
    """Take normal images, by their features (n, F) as a file holds them, in place of any calibration images before.

    No threshold is adopted for it yet: those of the former calibration mean nothing here. Images that the detector was
    fitted to, which say nothing new about it, are left out, and so are those that come twice. Raises `GadError` where
    none is left.
    """
    known = set(detector.training.digests)
    first = {digest: place for place, digest in reversed(list(enumerate(digests)))}  # a content counts once
    new = np.array([digest not in known and first[digest] == place for place, digest in enumerate(digests)], bool)
    if not new.any():
        raise GadError(
            f"none of the {len(digests)} images is new to the detector, and those that it was fitted to cannot "
            "calibrate it; bring other good parts"
        )
    held_out = TrainingImages(features, digests, groups)[new].as_filed(detector.slices[-1].stop)
    return replace(detector, calibration=held_out, working_point=None)
