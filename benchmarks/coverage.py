"""False-positive rates that 5 % thresholds give on new normal images, by method, law and shape, simulated.

    python -m benchmarks.coverage

The features' standard deviations run from 1 to 0.01 on a log scale; Student's law has 5 degrees of freedom and unit
variance, one tail for the whole vector. Every repetition fits anew, with 20 folds, and scores 500 new images.
"""

import time

import numpy as np

from gad_core.decision.working_point import chi2, cross_conformal, split_conformal
from gad_core.features.backbones import Backbone
from gad_core.gaussian.detector import TrainingImages, fit_detector, sum_levels
from gad_core.gaussian.reduction import ALL, NPCA_5
from gad_core.gaussian.tuning import Tuning

TARGET = 0.05
SHAPES = ((100, 320), (200, 192))  # images and features: levels 8 and 7 of the default backbone
LAWS = ("gaussian", "student")
METHODS = ("cross-conformal", "split-conformal", "chi2", "crossed npca:0.05", "chi2 npca:0.05")
_FOLDS, _NEW, _CALIBRATIONS, _FREEDOM = 20, 500, 10, 5


def simulate(rng: np.random.Generator, law: str, n: int, width: int) -> np.ndarray:
    X = rng.normal(size=(n, width)) * np.logspace(0, -2, width)
    if law == "student":
        X *= np.sqrt((_FREEDOM - 2) / rng.chisquare(_FREEDOM, size=(n, 1)))
    return X.astype(np.float32)


def achieved(law: str, n: int, width: int, *, repetition: int) -> list[float]:
    """Share of new images flagged by every method; split-conformal is the mean over 10 sets of n calibration images."""
    rng = np.random.default_rng((repetition, n, LAWS.index(law)))
    training = TrainingImages(simulate(rng, law, n, width), digests=())
    network = Backbone("simulated", "simulated", "other", (width,), input_size=0)
    detector = fit_detector(
        training, network, fingerprint="", folds=np.arange(n) % _FOLDS, tuning=Tuning((1,), ALL), seed=repetition
    )
    new = simulate(rng, law, _NEW, width)
    scores = detector.scores(new)
    calibrations = detector.scores(simulate(rng, law, _CALIBRATIONS * n, width)).reshape(_CALIBRATIONS, n)
    crossed, crossed_weak = (
        cross_conformal(sum_levels(detector.left_out_distances(reduction), (1,)), TARGET) for reduction in (ALL, NPCA_5)
    )
    promised = chi2(TARGET, k=width, n_train=n)
    k = detector.gaussians[0].spectrum.dimension(NPCA_5)
    weak = detector.scores(new, Tuning((1,), NPCA_5))
    return [
        float(np.mean(scores > crossed.threshold)),
        float(np.mean([np.mean(scores > split_conformal(held, TARGET).threshold) for held in calibrations])),
        float(np.mean(scores > promised.threshold)),
        float(np.mean(weak > crossed_weak.threshold)),
        float(np.mean(weak > chi2(TARGET, k=k, n_train=n).threshold)),
    ]


def table(law: str, n: int, width: int, *, repetitions: int) -> np.ndarray:
    """PointRates rates: (repetitions, methods)."""
    return np.array([achieved(law, n, width, repetition=repetition) for repetition in range(repetitions)])


def main() -> None:
    print(f"{'n':>4} {'D':>4} {'law':>9}" + "".join(f"{method:>22}" for method in METHODS) + f"{'seconds':>9}")
    for n, width in SHAPES:
        for law in LAWS:
            start = time.perf_counter()
            rates = 100 * table(law, n, width, repetitions=200)
            errors = rates.std(axis=0, ddof=1) / np.sqrt(len(rates))
            cells = "".join(f"{f'{m:.2f} ± {e:.2f} %':>22}" for m, e in zip(rates.mean(0), errors, strict=True))
            print(f"{n:>4} {width:>4} {law:>9}{cells}{time.perf_counter() - start:>9.0f}", flush=True)


if __name__ == "__main__":
    main()
