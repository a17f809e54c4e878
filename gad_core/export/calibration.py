"""What an exported threshold was made from, and how often it flags good images: told beside the graph and in it."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gad_core.data.datasets import ImageSet
from gad_core.decision.evaluation import LevelScores
from gad_core.decision.rates import Rate, exceedance
from gad_core.decision.working_point import left_out_rate
from gad_core.features.registry import get_backbone
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.tuning import WorkingPoint, tuning_at

#: Written into the graph and the file beside it; another number where their names or meanings change.
FORMAT = "gad-onnx-1"

P_VALUE = "(1 + number of scores at or above an image's score) / (1 + number of scores)"


@dataclass(frozen=True)
class Calibration:
    """A threshold with its rates, and the normal images behind it."""

    point: WorkingPoint
    adopted: bool  # by a person; else it is a default of the export, or what was asked for there
    scores: NDArray[np.float64]  # (n,) rising, of normal images that took no part in what scores them
    digests: tuple[str, ...]  # of these images
    left_out: Rate | None  # of left-out normal images that are flagged
    test: Rate | None = None  # of normal images that were checked with
    tpr: Rate | None = None  # of defects that were checked with

    @classmethod
    def of(cls, detector: Detector, scores: LevelScores, point: WorkingPoint, checked: ImageSet) -> "Calibration":
        """Of a detector's own scores; the first `len(checked)` of the tested ones are those of labelled images.

        Rates on these leave out images that the detector was made from.
        """
        held_out = None if point.method.startswith("cross") else detector.calibration
        images = held_out or detector.training
        known = {*detector.training.digests, *(detector.calibration.digests if detector.calibration else ())}
        new = np.array([digest not in known for digest in checked.digests], bool)
        tested = scores.test[: len(checked)]
        normal, defects = tested[new & ~checked.labels], tested[new & checked.labels]
        return cls(
            point,
            point == detector.working_point,
            np.sort(scores.normal if held_out else scores.left_out),
            images.digests,
            left_out_rate(point, scores.left_out, scores.folds, groups=scores.groups),
            exceedance(normal, point.threshold) if len(normal) else None,
            exceedance(defects, point.threshold) if len(defects) else None,
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values; rates in [0, 1]."""
        rates = {"left_out": self.left_out, "test": self.test, "tpr": self.tpr}
        return {
            "method": self.point.method,
            "target_fpr": self.point.target_fpr,
            "level": self.point.level,
            "n": self.point.n,
            "how": self.point.how,
            "rates": {name: asdict(rate) | {"value": rate.value} if rate else None for name, rate in rates.items()},
            "images": {"n": len(self.digests), "sha256": digest_of(self.digests)},
        }


def digest_of(digests: Sequence[str]) -> str:
    """SHA-256 (hex) of the images' own in rising order, a line each: what tells that they are the same images."""
    return hashlib.sha256("\n".join(sorted(digests)).encode("ascii")).hexdigest()


def facts(detector: Detector, calibration: Calibration, decision: str | None) -> dict[str, Any]:
    """What graph and file say alike: network, tuning, regions, input, threshold and calibration, as plain values."""
    tuning, size = tuning_at(detector.tuning, calibration.point.level), get_backbone(detector.backbone).input_size
    regions = detector.regions if tuning.pool else None
    return {
        "format": FORMAT,
        "backbone": detector.backbone,
        "fingerprint": detector.fingerprint,
        "n_train": detector.n_train,
        **tuning.to_json(),
        "regions": regions.to_json() if regions else None,
        "input": {
            "name": "image",
            "shape": ["N", "H", "W", 3],
            "type": "uint8",
            "colours": "RGB, turned upright by EXIF",
            "resize": f"inside: Pillow's bilinear to {size} x {size}, the aspect not kept",
        },
        "threshold": calibration.point.threshold,
        "adopted": calibration.adopted,
        "decision": decision,
        "calibration": calibration.to_json(),
    }


def as_metadata(values: dict[str, Any]) -> dict[str, str]:
    """The same as strings, which ONNX holds: words as they are, all else as JSON; what is None is left out."""
    known = {name: value for name, value in values.items() if value is not None}
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in known.items()}
