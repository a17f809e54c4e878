"""What chi-square promises and what is achieved at multiples of sigma, cut by cut (Table VI)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gad_core.decision.curves import Auroc, auroc
from gad_core.decision.evaluation import Achieved, Seen, achieve, level_scores
from gad_core.decision.working_point import chi2, sigma_fpr
from gad_core.gaussian.keep import ALL, NPCA_1, Keep
from gad_core.gaussian.tuning import Tuning

SIGMAS = (1, 2, 3, 4, 5)
#: The paper's three reductions, by its names.
KEEPS = {"PCA 99 %": Keep("pca", 0.99), "all": ALL, "NPCA 1 %": NPCA_1}
#: The paper's level.
LEVEL = 7


@dataclass(frozen=True)
class SigmaColumn:
    """One cut: what every multiple of sigma achieves, in the order of `SIGMAS`."""

    name: str
    auroc: Auroc | None  # None without both classes
    achieved: tuple[Achieved, ...]


def sigma_table(seen: Seen, anomalous: NDArray[np.bool_], *, level: int = LEVEL) -> tuple[SigmaColumn, ...]:
    """Rates on the test images (m,) at chi-square thresholds for the rates beyond n sigma, for each of `KEEPS`."""
    columns = []
    for name, keep in KEEPS.items():
        scores = level_scores(seen, Tuning((level,), keep))[str(level)]
        assert scores.dimension is not None  # noqa: S101 - one level has one
        points = [chi2(sigma_fpr(n), k=scores.dimension, n_train=scores.n_train) for n in SIGMAS]
        both = anomalous.any() and not anomalous.all()
        columns.append(
            SigmaColumn(
                name,
                auroc(scores.test, anomalous) if both else None,
                tuple(achieve(scores, anomalous, point) for point in points),
            )
        )
    return tuple(columns)
