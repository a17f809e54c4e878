"""Real defects with masks, measured as the synthetic ones are."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gad_core.data.datasets import ImageSet
from gad_core.data.images import decode_mask
from gad_core.detectability.defects import equivalent_size
from gad_core.errors import GadError, ImageRefused


@dataclass(frozen=True)
class RealDefect:
    """A defective test image whose defects are masked: their size together, and whether the image was flagged."""

    digest: str
    defect: str
    size: float  # diameter of a circle of the masked area, in percent of the shorter side
    score: float
    caught: bool

    def to_json(self) -> dict[str, Any]:
        """Plain values, as JSON holds them."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "RealDefect":
        """Read them back."""
        return cls(**values)


def real_defects(images: ImageSet, scores: NDArray[np.float64], threshold: float) -> tuple[RealDefect, ...]:
    """Measure the masked defects among images with scores (m,); raises `GadError` for a mask that cannot be read."""
    found = []
    for file, score in zip(images, scores.tolist(), strict=True):
        if not file.anomalous or file.mask is None:
            continue
        try:
            mask = decode_mask(file.mask)
        except ImageRefused as error:
            raise GadError(f"{file.mask}: {error}") from error
        if mask.any():
            found.append(RealDefect(file.digest, file.defect, equivalent_size(mask), score, score > threshold))
    return tuple(found)
