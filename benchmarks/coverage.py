"""False-positive rates that 5 % thresholds give on new normal images, by method, distribution and shape, simulated.

    python -m benchmarks.coverage

The features' standard deviations run from 1 to 0.01 on a log scale; Student's distribution has 5 degrees of freedom and
unit variance, one tail for the whole vector. Every repetition fits anew, with 20 folds, and scores 500 new images.
"""

import time

import numpy as np

from gad_core.decision.chi_law import ChiLaw
from gad_core.decision.working_point import chi2, cross_conformal, split_conformal
from gad_core.gaussian.levels import sum_levels
from gad_core.gaussian.levels_fit import fit_levels
from gad_core.gaussian.reduction import NPCA_5
from gad_core.gaussian.tuning import Tuning

TARGET = 0.05
SHAPES = ((100, 320), (200, 192))  # images and features: levels 8 and 7 of the default backbone
DISTRIBUTIONS = ("gaussian", "student")
METHODS = ("cross-conformal", "split-conformal", "chi2", "cross-conformal, NPCA 5 %", "chi2, NPCA 5 %")
_ALL, _WEAK = Tuning((1,)), Tuning((1,), NPCA_5)
_FOLDS, _NEW, _CALIBRATIONS, _FREEDOM = 20, 500, 10, 5


def simulate(rng: np.random.Generator, distribution: str, n: int, width: int) -> np.ndarray:
    X = rng.normal(size=(n, width)) * np.logspace(0, -2, width)
    if distribution == "student":
        X *= np.sqrt((_FREEDOM - 2) / rng.chisquare(_FREEDOM, size=(n, 1)))
    return X.astype(np.float32)


def flagged(distribution: str, n: int, width: int, *, repetition: int) -> list[float]:
    """Share of new images flagged by every method; split-conformal is the mean over 10 sets of n calibration images."""
    rng = np.random.default_rng((repetition, n, DISTRIBUTIONS.index(distribution)))
    fit = fit_levels(simulate(rng, distribution, n, width), [slice(0, width)], np.arange(n) % _FOLDS)
    new = simulate(rng, distribution, _NEW, width)
    scores = fit.scores_at(new, _ALL)
    calibrations = fit.scores_at(simulate(rng, distribution, _CALIBRATIONS * n, width), _ALL).reshape(_CALIBRATIONS, n)
    crossed, crossed_weak = (
        cross_conformal(sum_levels(fit.left_out_distances(tuning.reduction), tuning.levels), TARGET)
        for tuning in (_ALL, _WEAK)
    )
    promised = chi2(TARGET, law=ChiLaw(width), n_train=n)
    k = fit.gaussians[0].spectrum.dimension(_WEAK.reduction)
    weak = fit.scores_at(new, _WEAK)
    return [
        float(np.mean(scores > crossed.threshold)),
        float(np.mean([np.mean(scores > split_conformal(held, TARGET).threshold) for held in calibrations])),
        float(np.mean(scores > promised.threshold)),
        float(np.mean(weak > crossed_weak.threshold)),
        float(np.mean(weak > chi2(TARGET, law=ChiLaw(k), n_train=n).threshold)),
    ]


def table(distribution: str, n: int, width: int, *, repetitions: int) -> np.ndarray:
    """Shares of new images flagged: (repetitions, methods)."""
    return np.array([flagged(distribution, n, width, repetition=repetition) for repetition in range(repetitions)])


def main() -> None:
    print(
        f"{'n':>4} {'D':>4} {'distribution':>13}" + "".join(f"{method:>27}" for method in METHODS) + f"{'seconds':>9}"
    )
    for n, width in SHAPES:
        for distribution in DISTRIBUTIONS:
            start = time.perf_counter()
            rates = 100 * table(distribution, n, width, repetitions=200)
            errors = rates.std(axis=0, ddof=1) / np.sqrt(len(rates))
            cells = "".join(f"{f'{m:.2f} ± {e:.2f} %':>27}" for m, e in zip(rates.mean(0), errors, strict=True))
            print(f"{n:>4} {width:>4} {distribution:>13}{cells}{time.perf_counter() - start:>9.0f}", flush=True)


if __name__ == "__main__":
    main()
