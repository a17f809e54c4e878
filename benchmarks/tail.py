"""How often the interval of an extrapolated threshold holds the truth, by distribution and number of scores, simulated.

    python -m benchmarks.tail

Every repetition draws scores, fits a generalised Pareto tail and takes the interval of the threshold for 0.1 %.
"""

import time

import numpy as np
from scipy import stats

from gad_core.decision.tail import fit_tail, tail_interval, tail_threshold
from gad_core.errors import GadError

TARGET = 0.001
DISTRIBUTIONS = {
    "exponential": stats.expon(),
    "normal": stats.norm(),
    "Student t, 4": stats.t(4),
    "chi, 50": stats.chi(50),
    "lognormal, 0.3": stats.lognorm(0.3),
    "Student t, 2": stats.t(2),
    "two lots, 4 sigma apart": None,
}
SIZES = (100, 200, 500, 2000)


def draw(name: str, n: int, *, repetition: int) -> np.ndarray:
    rng = np.random.default_rng((repetition, n, list(DISTRIBUTIONS).index(name)))
    law = DISTRIBUTIONS[name]
    if law is None:
        return rng.normal(size=n) + 4 * (rng.uniform(size=n) < 0.02)
    return np.asarray(law.rvs(n, random_state=rng))


def beyond(name: str, score: float) -> float:
    """Share of scores above one."""
    law = DISTRIBUTIONS[name]
    if law is not None:
        return float(law.sf(score))
    return 0.98 * float(stats.norm.sf(score)) + 0.02 * float(stats.norm.sf(score - 4))


def held(name: str, n: int, *, repetition: int) -> tuple[bool, float, float, int] | None:
    """Whether the interval holds the truth, the threshold's true rate, its interval's upper over its lower end,
    exceedances; None: refused."""
    try:
        tail = fit_tail(draw(name, n, repetition=repetition))
        low, high = tail_interval(tail, TARGET)
    except GadError:
        return None
    threshold = tail_threshold(tail, TARGET)
    return beyond(name, high) <= TARGET <= beyond(name, low), beyond(name, threshold), high / low, len(tail.excess)


def main() -> None:
    print(
        f"{'n':>5} {'scores':>24} {'refused':>8} {'held':>7} {'true rate':>10} {'high / low':>11} {'exceedances':>12} "
        f"{'ms':>6}"
    )
    for n in SIZES:
        for name in DISTRIBUTIONS:
            start = time.perf_counter()
            rows = [held(name, n, repetition=repetition) for repetition in range(500)]
            took = 1000 * (time.perf_counter() - start) / len(rows)
            found = np.array([row for row in rows if row], float)
            refused = 1 - len(found) / len(rows)
            share, (rate, ratio, k) = found[:, 0].mean(), np.median(found[:, 1:], axis=0)
            print(
                f"{n:>5} {name:>24} {refused:>8.1%} {share:>7.1%} {rate:>10.2%} {ratio:>11.2f} {k:>12.0f} {took:>6.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
