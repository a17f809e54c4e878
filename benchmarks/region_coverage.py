"""False-positive rates that 5 % cross-conformal thresholds give on new normal images by the regional score, simulated.

    python -m benchmarks.region_coverage

49 regions of 24 features each; what all regions share gives them correlations of a half. Standard deviations and the
Student distribution are those of `benchmarks.coverage`. Every repetition fits anew, with 20 folds, and scores 500 new
images by the mean of the highest tenth of the regions.
"""

import time

import numpy as np

from benchmarks.coverage import DISTRIBUTIONS, TARGET, simulate
from gad_core.decision.working_point import cross_conformal
from gad_core.features.regions import Regions
from gad_core.gaussian.by_region import fit_regions
from gad_core.gaussian.pooling import TOP_TENTH
from gad_core.gaussian.reduction import ALL, NPCA_5
from gad_core.gaussian.tuning import Tuning

SIZES, WIDTH, REPETITIONS, NEW, FOLDS = (100, 200), 24, 40, 500, 20
REGIONS = Regions(7, 7, (1,))


def regional(rng: np.random.Generator, distribution: str, n: int) -> np.ndarray:
    """Features of the whole (n, 24) and by region (n, 49 x 24) behind them, of which half the variance is shared."""
    shared = simulate(rng, distribution, n, WIDTH)
    own = np.stack([simulate(rng, distribution, n, WIDTH) for _ in range(REGIONS.count)], axis=1)
    by_region = (shared[:, None] + own) / np.sqrt(2)
    return np.concatenate([shared, by_region.reshape(n, -1)], axis=1)


def flagged(distribution: str, n: int, repetition: int) -> list[float]:
    """Share of new images flagged, with all components and after NPCA 5 %."""
    rng = np.random.default_rng((repetition, n, DISTRIBUTIONS.index(distribution)))
    folds = np.arange(n) % FOLDS
    fit = fit_regions(regional(rng, distribution, n), REGIONS, [slice(0, WIDTH)], folds, reduction=NPCA_5)
    new, shares = regional(rng, distribution, NEW), []
    for reduction in (ALL, NPCA_5):
        tuning = Tuning((1,), reduction, pool=TOP_TENTH)
        left_out, scores = fit.left_out_scores(tuning, folds), fit.scores(new, tuning)
        shares.append(float(np.mean(scores > cross_conformal(left_out, TARGET).threshold)))
    return shares


def main() -> None:
    print(f"{'n':>4} {'distribution':>13} {'all':>16} {'NPCA 5 %':>16} {'seconds':>8}")
    for n in SIZES:
        for distribution in DISTRIBUTIONS:
            start = time.perf_counter()
            rates = 100 * np.array([flagged(distribution, n, repetition) for repetition in range(REPETITIONS)])
            errors = rates.std(axis=0, ddof=1) / np.sqrt(REPETITIONS)
            cells = "".join(f"{f'{m:.2f} ± {e:.2f} %':>17}" for m, e in zip(rates.mean(0), errors, strict=True))
            print(f"{n:>4} {distribution:>13}{cells} {time.perf_counter() - start:>8.0f}", flush=True)


if __name__ == "__main__":
    main()
