"""What chi-square promises and what is achieved at multiples of sigma, by reduction (Table VI)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gad_core.decision.curves import Auroc, auroc
from gad_core.decision.evaluation import PointRates, Projected, level_scores, point_rates
from gad_core.decision.working_point import chi2, sigma_fpr
from gad_core.gaussian.reduction import ALL, NPCA_1, Reduction
from gad_core.gaussian.tuning import Tuning

SIGMAS = (1, 2, 3, 4, 5)
#: The paper's three reductions, by its names.
REDUCTIONS = {"PCA 99 %": Reduction("pca", 0.99), "all": ALL, "NPCA 1 %": NPCA_1}
#: The paper's level.
LEVEL = 7


@dataclass(frozen=True)
class SigmaColumn:
    """One reduction: what every multiple of sigma achieves, in the order of `SIGMAS`."""

    name: str
    auroc: Auroc | None  # None without both classes
    rates: tuple[PointRates, ...]


def sigma_table(projected: Projected, anomalous: NDArray[np.bool_], *, level: int = LEVEL) -> tuple[SigmaColumn, ...]:
    """Rates on the test images (m,) at chi-square thresholds for the rates beyond n sigma, for each of `REDUCTIONS`."""
    columns = []
    for name, reduction in REDUCTIONS.items():
        scores = level_scores(projected, Tuning((level,), reduction))[str(level)]
        assert scores.law is not None  # noqa: S101 - a Mahalanobis distance has one
        points = [chi2(sigma_fpr(n), law=scores.law, n_train=scores.n_train) for n in SIGMAS]
        both = anomalous.any() and not anomalous.all()
        columns.append(
            SigmaColumn(
                name,
                auroc(scores.test, anomalous) if both else None,
                tuple(point_rates(scores, anomalous, point) for point in points),
            )
        )
    return tuple(columns)
