"""False alarms and delays of the alarm on drifting scores, by way of betting, and run lengths of the EWMA, simulated.

    python -m benchmarks.monitoring

200 normal scores calibrate, scores above their 5 % conformal threshold are left out as flagged, and delays are counted
in all parts from the first shifted one to the alarm. Alarms before the shift are false and counted apart. Left-out
scores of simulated features (as in `benchmarks.coverage`) stand in for calibration scores in the last lines.
"""

import math
from collections.abc import Callable, Iterable

import numpy as np
from scipy import special

from benchmarks.coverage import DISTRIBUTIONS, SHAPES, simulate
from gad_core.decision.control_chart import LIMIT, ewma, ewma_limits
from gad_core.decision.drift import watch
from gad_core.decision.evaluation import LevelScores
from gad_core.decision.martingale import first_alarm, log_martingale, normal_scores
from gad_core.decision.rates import rate
from gad_core.decision.working_point import cross_conformal, split_conformal
from gad_core.gaussian.levels_fit import fit_levels
from gad_core.gaussian.tuning import Tuning

ALPHA, TARGET = 0.05, 0.05
N_CALIBRATION, N_PARTS, RUNS = 200, 500, 1000
SHIFTS = ((0, 1.0), (100, 1.0), (300, 1.0), (100, -1.0), (100, 0.5))  # from which part, by how many deviations
_AFTER, _FOLDS = 400, 20  # parts after the shift
Betting = Callable[[np.ndarray], np.ndarray]


def power_mixture(p: np.ndarray) -> np.ndarray:
    """Logarithm of the mean over epsilon of the product of epsilon p^(epsilon - 1): closed, by the incomplete gamma."""
    n, a = np.arange(1, len(p) + 1), -np.cumsum(np.log(p))
    with np.errstate(divide="ignore", invalid="ignore"):  # gammainc underflows where the series is taken
        closed = a + special.gammaln(n + 1) + np.log(special.gammainc(n + 1, a)) - (n + 1) * np.log(a)
    return np.where(a > n + 1, closed, np.log(special.hyp1f1(1, n + 2, np.minimum(a, n + 1)) / (n + 1)))


def two_sided_power(p: np.ndarray) -> np.ndarray:
    """Half the wealth on small p-values, half on large ones."""
    return np.logaddexp(power_mixture(p), power_mixture(1 - p)) - math.log(2)


def simple_jumper(p: np.ndarray, jump: float = 0.01) -> np.ndarray:
    """Linear bets 1 + epsilon (p - 1/2) with epsilon -1, 0, 1 (Vovk et al. 2021)."""
    shares, wealth, logs = np.full(3, 1 / 3), 0.0, []
    for one in p:
        shares = ((1 - jump) * shares + jump / 3) * (1 + np.array([-1, 0, 1]) * (one - 0.5))
        wealth += math.log(shares.sum())
        shares /= shares.sum()
        logs.append(wealth)
    return np.array(logs)


def jumper(p: np.ndarray) -> np.ndarray:
    """What the product does: jumping bets on shifts of normal scores."""
    return log_martingale(normal_scores(p))


BETTINGS: dict[str, Betting] = {
    "normal jumper": jumper,
    "simple jumper": simple_jumper,
    "power": power_mixture,
    "power, two-sided": two_sided_power,
}


def scores_of(normal: np.ndarray, test: np.ndarray) -> LevelScores:
    n = len(normal)
    return LevelScores("sum", None, n, np.arange(n), normal, test, calibration=normal)


def alarms(
    start: int, shift: float, *, n_parts: int, runs: int, names: Iterable[str] = tuple(BETTINGS)
) -> dict[str, np.ndarray]:
    """The part at which each way of betting alarms (runs,), inf where it never does."""
    rng = np.random.default_rng((start, round(10 * abs(shift)), shift < 0))
    found: dict[str, list[float]] = {name: [] for name in names}
    for run in range(runs):
        normal, test = rng.normal(size=N_CALIBRATION), rng.normal(size=n_parts)
        test[start:] += shift
        threshold = split_conformal(normal, TARGET).threshold
        drift = watch(scores_of(normal, test), threshold, target_fpr=TARGET, alpha=ALPHA, seed=run)
        for name, places in found.items():
            place = first_alarm(BETTINGS[name](drift.p_values), ALPHA)
            places.append(math.inf if place is None else float(drift.places[place]))
    return {name: np.array(all_) for name, all_ in found.items()}


def left_out_alarms(distribution: str, n: int, width: int, *, runs: int) -> int:
    """Of so many fits, on how many the parts, which are as good, alarm against the left-out scores."""
    count = 0
    for run in range(runs):
        rng = np.random.default_rng((run, n, DISTRIBUTIONS.index(distribution)))
        fit = fit_levels(simulate(rng, distribution, n, width), [slice(0, width)], np.arange(n) % _FOLDS)
        left_out = fit.left_out_distances(Tuning((1,)).reduction)[:, 0]
        test = fit.scores_at(simulate(rng, distribution, N_PARTS, width), Tuning((1,)))
        threshold = cross_conformal(left_out, TARGET).threshold
        count += watch(scores_of(left_out, test), threshold, target_fpr=TARGET, seed=run).alarm is not None
    return count


def run_lengths(*, shift: float = 0.0, runs: int = 2000, longest: int = 5000) -> dict[str, float]:
    """Mean parts until a standard normal score, shifted, is out of limits, by chart."""
    z = np.random.default_rng(0).normal(shift, size=(runs, longest))
    charts = {"individuals": np.abs(z) > LIMIT, "EWMA": np.abs(ewma(z)) > ewma_limits(longest)}
    return {
        name: float(np.where(out.any(axis=1), out.argmax(axis=1) + 1, longest).mean()) for name, out in charts.items()
    }


def main() -> None:
    print(f"{'':>34}" + "".join(f"{name:>20}" for name in BETTINGS))
    places = alarms(0, 0.0, n_parts=N_PARTS, runs=RUNS)
    shares = [rate(int(np.isfinite(found).sum()), RUNS) for found in places.values()]
    print(
        f"{f'nothing changes, {N_PARTS} parts':>34}"
        + "".join(f"{f'{100 * s.value:.1f} [{100 * s.low:.1f}, {100 * s.high:.1f}] %':>20}" for s in shares)
    )
    for start, shift in SHIFTS:
        found = alarms(start, shift, n_parts=start + _AFTER, runs=RUNS)
        delays = [one[one >= start] - start + 1 for one in found.values()]
        cells = [f"{np.median(d):.0f}, 90 %: {np.quantile(d, 0.9, method='higher'):.0f}" for d in delays]
        print(f"{f'{shift:+g} sigma from part {start + 1}':>34}" + "".join(f"{cell:>20}" for cell in cells), flush=True)
    for shift in (0.0, 1.0):
        means = ", ".join(f"{name} {length:.0f}" for name, length in run_lengths(shift=shift).items())
        print(f"mean run length at {shift:g} sigma: {means}", flush=True)
    for n, width in SHAPES:
        for distribution in DISTRIBUTIONS:
            count = left_out_alarms(distribution, n, width, runs=200)
            what = f"left-out scores, n {n}, D {width}, {distribution}"
            print(f"{what}: {count} of 200 alarm in {N_PARTS} parts", flush=True)


if __name__ == "__main__":
    main()
