"""Bias of a90 and coverage of a90/95, by link, bound and number of draws, on simulated scores with a known a90.

    python -m benchmarks.detection

An undamaged image's score is standard normal and the threshold its 95th percentile; a defect adds a multiple of its
size's logarithm, so that the POD is a probit. In the second half every image's score is the higher one of what it has
undamaged and of what the defect gives: 5 % are flagged at any size. Sizes are ten on a log scale, as in a study. A
bound that lies beyond all sizes covers.
"""

import math
import time

import numpy as np
from scipy import stats
from statsmodels.genmod.families import Binomial, links
from statsmodels.genmod.generalized_linear_model import GLM

from gad_core.detectability.detection import CONFIDENCE, POD, fit_pod

TARGET_FPR, A90, SLOPE = 0.05, 6.0, 2.5
SIZES = np.geomspace(1, 32, 10)
COUNTS = (100, 200, 490)  # draws a curve
RUNS = 300


def simulate(rng: np.random.Generator, n: int, *, floor: bool) -> tuple[np.ndarray, np.ndarray]:
    """Sizes (n,) and whether each was caught (n,), where the true a90 is `A90`."""
    threshold, sizes = stats.norm.isf(TARGET_FPR), np.resize(SIZES, n)
    needed = (POD - TARGET_FPR) / (1 - TARGET_FPR) if floor else POD
    added = threshold + stats.norm.ppf(needed) + SLOPE * np.log(sizes / A90)
    scores = added + rng.normal(size=n)
    return sizes, (np.maximum(scores, rng.normal(size=n)) if floor else scores) > threshold


def wald(sizes: np.ndarray, hits: np.ndarray, link: links.Link) -> tuple[float, float]:
    """a90 and a90/95 by the delta method, from a generalised linear model without a floor."""
    terms = np.stack([np.ones(len(sizes)), np.log(sizes)], axis=1)
    found = GLM(hits.astype(float), terms, family=Binomial(link=link)).fit()
    at = float((link(np.array(POD)) - found.params[0]) / found.params[1])
    gradient = -np.array([1.0, at]) / found.params[1]
    step = stats.norm.ppf(CONFIDENCE) * math.sqrt(gradient @ found.cov_params() @ gradient)
    return math.exp(at), math.exp(at + step)


def estimates(n: int, *, floor: bool, runs: int = RUNS) -> dict[str, np.ndarray]:
    """a90 and a90/95 of every run (runs, 2) by each way; nan and infinite where they are not told."""
    found: dict[str, list[tuple[float, float]]] = {}
    for run in range(runs):
        sizes, hits = simulate(np.random.default_rng((run, n, floor)), n, floor=floor)
        for known in dict.fromkeys((0.0, TARGET_FPR if floor else 0.0)):
            pod = fit_pod(sizes, hits, floor=known)
            name = f"probit{' above the floor' if known else ''}, penalised likelihood ratio"
            found.setdefault(name, []).append((pod.a90 or math.nan, pod.a90_95 or math.inf))
        found.setdefault("probit, Wald", []).append(wald(sizes, hits, links.Probit()))
        found.setdefault("logit, Wald", []).append(wald(sizes, hits, links.Logit()))
    return {name: np.array(values) for name, values in found.items()}


def main() -> None:
    print(
        f"{'flagged at any size':>20} {'draws':>6} {'way':>46} {'bias of a90':>14} {'a90/95 covers':>14} {'a90/95':>7}"
    )
    for floor in (False, True):
        for n in COUNTS:
            start = time.perf_counter()
            for name, values in estimates(n, floor=floor).items():
                bias = 100 * (np.nanmean(values[:, 0]) / A90 - 1)
                error = 100 * np.nanstd(values[:, 0]) / A90 / math.sqrt(len(values))
                covered, bound = 100 * np.mean(values[:, 1] >= A90), np.median(values[:, 1])
                cells = f"{f'{bias:+.1f} ± {error:.1f} %':>14} {f'{covered:.1f} %':>14} {bound:>7.2f}"
                print(f"{'5 %' if floor else 'none':>20} {n:>6} {name:>46} {cells}", flush=True)
            print(f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
