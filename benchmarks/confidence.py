"""How often thresholds for 5 % flag more than they promise: on average, with confidence, at every target at once.

    python -m benchmarks.confidence [REPETITIONS]

Every repetition fits Gaussian features anew with 20 folds, calibrates on the left-out scores and on as many separate
images, and takes the true rate from 20,000 new ones. A simultaneous threshold has broken its promise where it did so at
any of the targets that the sample supports.
"""

import sys
import time

import numpy as np

from benchmarks.coverage import simulate
from gad_core.decision.working_point import remake
from gad_core.errors import SampleTooSmall
from gad_core.gaussian.levels_fit import fit_levels
from gad_core.gaussian.tuning import Tuning

TARGET = 0.05
TARGETS = (0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5)
METHODS = tuple(
    f"{split}-{kind}" for split in ("cross", "split") for kind in ("conformal", "confident", "simultaneous")
)
SIZES, WIDTH = (100, 200, 500), 64
_FOLDS, _NEW = 20, 20_000


def rates(n: int, *, repetition: int) -> dict[str, dict[float, float]]:
    """True rates of every method at every target that the sample supports."""
    rng = np.random.default_rng((repetition, n))
    fit = fit_levels(simulate(rng, "gaussian", n, WIDTH), [slice(0, WIDTH)], np.arange(n) % _FOLDS)
    tuning = Tuning((1,))
    new = np.sort(fit.scores_at(simulate(rng, "gaussian", _NEW, WIDTH), tuning))
    samples = {
        "cross": fit.left_out_scores(tuning),
        "split": fit.scores_at(simulate(rng, "gaussian", n, WIDTH), tuning),
    }
    found: dict[str, dict[float, float]] = {}
    for method in METHODS:
        found[method] = {}
        for target in TARGETS:
            try:
                threshold = remake(method, samples[method[:5]], target).threshold
            except SampleTooSmall:
                continue
            found[method][target] = 1 - np.searchsorted(new, threshold, side="right") / _NEW
    return found


def summary(n: int, *, repetitions: int) -> dict[str, tuple[float, float]]:
    """Mean rate at 5 % and share of broken promises, by method; NaN where the sample does not support the target."""
    runs = [rates(n, repetition=repetition) for repetition in range(repetitions)]
    found = {}
    for method in METHODS:
        at_target = np.array([run[method].get(TARGET, np.nan) for run in runs])
        if method.endswith("simultaneous"):
            broken = np.mean([any(rate > target for target, rate in run[method].items()) for run in runs])
        else:
            broken = np.mean(at_target > TARGET) if np.isfinite(at_target).all() else np.nan
        found[method] = (float(at_target.mean()), float(broken))
    return found


def main() -> None:
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    print(f"{'n':>4} {'method':>20} {'mean rate at 5 %':>17} {'promise broken in':>18}")
    for n in SIZES:
        start = time.perf_counter()
        for method, (mean, broken) in summary(n, repetitions=repetitions).items():
            print(f"{n:>4} {method:>20} {100 * mean:>15.2f} % {100 * broken:>16.1f} %")
        print(f"{'':>4} {time.perf_counter() - start:>20.0f} s", flush=True)


if __name__ == "__main__":
    main()
