"""Some of the images, evenly: of the detector's own, and of the test images half and half."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gad_core.data.datasets import Dataset, ImageSet
from gad_core.detectability.drawing import Files
from gad_core.detectability.study import training_files
from gad_core.gaussian.detector import Detector

_T = TypeVar("_T")


def sampled_normals(detector: Detector, data: Dataset, n: int) -> Files:
    """At most n of the detector's training images by row, fold by fold; raises `GadError` where it has none here."""
    files = training_files(detector, data)
    rows = _evenly(sorted(files), n)
    return {row: files[row] for row in sorted(rows, key=lambda row: (detector.folds[row], row))}


def sampled_test(images: ImageSet, n: int) -> ImageSet:
    """At most n test images, half of them normal, or more of one kind where the other is short."""
    anomalous = images.labels
    n_normal, n_defects = int((~anomalous).sum()), int(anomalous.sum())
    normal = min(n_normal, max(n - n // 2, n - n_defects))
    chosen = np.zeros(len(anomalous), bool)
    chosen[_evenly(np.flatnonzero(~anomalous).tolist(), normal)] = True
    chosen[_evenly(np.flatnonzero(anomalous).tolist(), min(n_defects, n - normal))] = True
    return images.where(chosen)


def _evenly(items: list[_T], n: int) -> list[_T]:
    places: NDArray[np.intp] = np.linspace(0, len(items) - 1, min(n, len(items))).round().astype(np.intp)
    return [items[place] for place in places]
