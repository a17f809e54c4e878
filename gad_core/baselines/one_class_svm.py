"""One-class support vector machines, one a level, their scores summed over the levels (Sec. IV-B)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.svm import OneClassSVM

from gad_core.baselines.scorer import Array, Features
from gad_core.errors import GadError

_NU = 0.5


@dataclass(frozen=True)
class OneClassSvms:
    """An SVM for each level of a feature vector."""

    slices: tuple[slice, ...]
    svms: tuple[OneClassSVM, ...]

    def by_level(self, features: Features) -> Array:
        """Minus the decision function at every level: (n, L) from features (n, sum C)."""
        pairs = zip(self.svms, self.slices, strict=True)
        return np.stack([-svm.decision_function(features[:, part].astype(np.float64)) for svm, part in pairs], axis=1)

    @property
    def n_bytes(self) -> int:
        """What it takes to keep."""
        return sum(svm.support_vectors_.nbytes for svm in self.svms)

    def scores(self, features: Features) -> Array:
        """The sum over the levels (n,)."""
        return np.asarray(self.by_level(features).sum(axis=1))


def fit_one_class_svms(features: Features, slices: Sequence[slice]) -> OneClassSvms:
    """Fit to features (n, sum C) of normal images: RBF kernel with scikit-learn's gamma "scale", nu 0.5.

    Raises `GadError` for fewer than two images. Source: Schölkopf et al. 2001, Neural Computation 13.
    """
    if len(features) < 2:
        raise GadError(f"a one-class SVM needs at least 2 normal images, got {len(features)}; add normal images")
    svms = (OneClassSVM(nu=_NU, gamma="scale").fit(features[:, part].astype(np.float64)) for part in slices)
    return OneClassSvms(tuple(slices), tuple(svms))
