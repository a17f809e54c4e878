"""What is left of a detector's success once it takes a shift for normal: what the success rests on.

A shift moves every normal image by a vector Δ in the whitened features of a level. A detector that had seen normal
images under it would count E[ΔΔ'] into the covariance, so its squared distance is z' (I + E[ΔΔ'])^-1 z. Where defects
differ from normal images in the way in which the shift moves these, the area under the ROC falls with that; where they
show in the parts, it stays. Compare Kauffmann et al. 2025, Nature Machine Intelligence 7, on detectors that succeed by
how images were made.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gad_core.decision.curves import Auroc, auroc, auroc_difference
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.tuning import Tuning

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Indifference:
    """The detector made indifferent to one shift, by whole images at the tuned levels."""

    area: Auroc  # that is left
    p_value: float  # one-sided, of no smaller area than as it is (DeLong)
    likeness: float  # cosine of the way of the shift with that from normal images to defects, in [-1, 1]


def whitened(detector: Detector, features: NDArray[np.float32], tuning: Tuning) -> list[Array]:
    """Whitened features (..., K) of whole images at each tuned level: distances are Euclidean lengths there."""
    found = []
    for level in tuning.levels:
        gaussian = detector.gaussians[level - 1]
        whiten = gaussian.whitening(tuning.reduction, tuning.distance)
        found.append((features[..., detector.slices[level - 1]] - gaussian.mean) @ whiten)
    return found


def lengths(z: Array) -> Array:
    """Distances (n,) of whitened images (n, K)."""
    return np.asarray(np.sqrt(np.square(z).sum(axis=1)))


def indifferent(z: Array, moves: Array) -> Array:
    """Distances (n,) of whitened images (n, K) with E[ΔΔ'] of moves (m, K) counted into the covariance.

    With the singular values s and right vectors v of the moves over sqrt(m): |z|² - sum s²/(1 + s²) (v'z)².
    """
    _, singular, right = np.linalg.svd(moves / np.sqrt(len(moves)), full_matrices=False)
    s2 = np.square(singular)
    d2 = np.square(z).sum(axis=1) - np.square(z @ right.T) @ (s2 / (1 + s2))
    return np.asarray(np.sqrt(np.maximum(d2, 0.0)))


def made_indifferent(test: list[Array], moves: list[Array], anomalous: Flags) -> Indifference:
    """Judge one shift by whitened test images (n, K) and moves of normal images (m, K), level by level."""
    before = np.sum([lengths(z) for z in test], axis=0)
    after = np.sum([indifferent(z, own) for z, own in zip(test, moves, strict=True)], axis=0)
    way = np.concatenate([own.mean(axis=0) for own in moves])
    to_defects = np.concatenate([z[anomalous].mean(axis=0) - z[~anomalous].mean(axis=0) for z in test])
    length = float(np.linalg.norm(way) * np.linalg.norm(to_defects))
    likeness = float(np.clip(way @ to_defects / length, -1.0, 1.0)) if length else 0.0
    loss = auroc_difference(before, after, anomalous)
    p_value = loss.p_value / 2 if loss.value > 0 else 1 - loss.p_value / 2
    return Indifference(auroc(after, anomalous), p_value, likeness)
