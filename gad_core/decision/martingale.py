"""An alarm that may be read after every part: a conformal test martingale against scores that stop being exchangeable.

Source: Vovk, Gammerman & Shafer 2022, Algorithmic Learning in a Random World, 2nd ed., on testing exchangeability.
"""

import bisect
import math

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]

#: Shifts, in standard deviations, that are betted on; the bet on 0 keeps what was won. None wins on a lasting shift of
#: less than a quarter, half the smallest: as much as left-out scores may differ from new ones without an alarm.
BETS = (-1.0, -0.5, 0.0, 0.5, 1.0)
#: Share of the wealth that moves to all bets alike before each part, so that a late shift is found as fast.
JUMP = 0.01
_EDGE = 2.0**-53  # rounding must not make a p-value 0 or 1, whose normal score is infinite


def online_p_values(calibration: Array, scores: Array, *, seed: int = 0) -> Array:
    """Smoothed p-value (m,) of every score among the calibration scores (n,) and the scores before it, itself included.

    With U uniform on [0, 1]: (number above + U (number equal, itself included)) / (n + number so far). If all n + m
    scores are exchangeable they are independent and uniform. P-values among the calibration scores alone are not: they
    share what these happen to be, and a martingale of them alarms too often. The first ones stay the same when more
    scores follow. After a shift the new scores become part of what is compared with, and p-values drift back. Source:
    Vovk, Nouretdinov & Gammerman 2003, ICML, Testing exchangeability on-line.
    """
    known = sorted(calibration.tolist())
    p_values = np.empty(len(scores))
    ties = np.random.default_rng(seed).random(len(scores))
    for i, (score, tie) in enumerate(zip(scores.tolist(), ties.tolist(), strict=True)):
        first, end = bisect.bisect_left(known, score), bisect.bisect_right(known, score)
        p_values[i] = (len(known) - end + tie * (end - first + 1)) / (len(known) + 1)
        known.insert(end, score)
    return np.clip(p_values, _EDGE, 1 - _EDGE)


def normal_scores(p_values: Array) -> Array:
    """z = Phi^-1(1 - p), standard normal for uniform p-values; high where a score is high."""
    return np.asarray(stats.norm.isf(p_values))


def log_martingale(z: Array) -> Array:
    """Natural logarithm of the martingale after each of the normal scores (..., m), from 1 on.

    A bet on a shift d multiplies its wealth by exp(d z - d^2 / 2), the likelihood ratio of N(d, 1) to N(0, 1), whose
    mean is 1 for standard normal z; before each part a share `JUMP` of all wealth is spread evenly over `BETS`. So the
    martingale ever reaches 1 / alpha with chance alpha at most (Ville 1939). Sources: the Simple Jumper of Vovk et al.
    2021, COPA, Retrain or not retrain, with these bets for its linear ones; Herbster & Warmuth 1998 (fixed share).
    `benchmarks/monitoring.py` compares it with the Simple Jumper and the mixture of power martingales.
    """
    shifts = np.array(BETS)
    shares = np.full((*z.shape[:-1], len(BETS)), 1 / len(BETS))
    wealth, logs = np.zeros(z.shape[:-1]), np.empty(z.shape)
    for i in range(z.shape[-1]):
        ratios = np.exp(z[..., i, None] * shifts - np.square(shifts) / 2)
        shares = ((1 - JUMP) * shares + JUMP / len(BETS)) * ratios
        won = shares.sum(axis=-1)
        shares /= won[..., None]
        wealth = wealth + np.log(won)
        logs[..., i] = wealth
    return logs


def first_alarm(logs: Array, alpha: float) -> int | None:
    """The place at which a martingale, given by its logarithms (m,), first reaches 1 / alpha; None if it never does."""
    reached = np.flatnonzero(logs >= -math.log(alpha))
    return int(reached[0]) if len(reached) else None
