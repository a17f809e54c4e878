"""Thresholds that go by the ranks of normal scores, at many targets at once, and what left-out images say of them.

A slider asks for hundreds of targets of the same scores: these are sorted once a fold, and a target is one look-up.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gad_core.decision.assurance import assured_ranks

Array = NDArray[np.float64]
Groups = Sequence[str | None]

#: Ranks and masses are compared after rounding, so that 20 * (1 - 0.05) is 19 and not a little more.
DIGITS = 9


def rank_thresholds(method: str, scores: Array, targets: Array, *, groups: Groups | None = None) -> Array:
    """Thresholds (T,) for `targets` (T,) by a method that goes by ranks, from normal scores (n,); NaN: n is too few."""
    kind = method.partition("-")[2]
    if kind == "conformal":
        return _conformal(scores, targets, groups if method.startswith("split") else None)
    kept = np.sort(scores[one_a_group(groups)] if groups else scores)
    ranks = assured_ranks(len(kept), targets, simultaneous=kind == "simultaneous")
    return np.where(ranks > 0, kept[np.maximum(ranks, 1) - 1], np.nan)


def left_out_counts(
    method: str, left_out: Array, folds: NDArray[np.intp], targets: Array, *, groups: Groups | None = None
) -> NDArray[np.intp]:
    """Flagged (T,) of the left-out scores (n,) that `cross-` thresholds were made from; -1: too few for the target.

    Each fold is held against the threshold that the other folds give.
    """
    counts, known = np.zeros(len(targets), np.intp), np.ones(len(targets), bool)
    for fold in range(int(folds.max()) + 1):
        out = folds == fold
        kept = [group for group, left in zip(groups, out, strict=True) if not left] if groups else None
        thresholds = rank_thresholds(method, left_out[~out], targets, groups=kept)
        known &= np.isfinite(thresholds)
        counts += above(np.sort(left_out[out]), thresholds)
    return np.where(known, counts, -1)


def above(ordered: Array, thresholds: Array) -> NDArray[np.intp]:
    """How many (T,) of the rising scores (n,) lie strictly above each threshold (T,); above NaN lies none."""
    return np.asarray(len(ordered) - np.searchsorted(ordered, thresholds, side="right"))


def needed_units(targets: Array) -> Array:
    """Images, or groups, from which conformal thresholds for targets (T,) can be had (T,): n >= 1 / FPR - 1."""
    return np.asarray(np.ceil(np.round(1 / targets - 1, DIGITS)))


def n_groups(groups: Groups) -> int:
    """How many groups there are; an image without one is a group of its own."""
    alone = sum(group is None for group in groups)
    return alone + len({group for group in groups if group is not None})


def one_a_group(groups: Groups) -> NDArray[np.intp]:
    """The place of one image of every group, drawn with a fixed seed; an image without a group is one of its own."""
    order = np.random.default_rng(0).permutation(len(groups)).tolist()
    chosen = {groups[i] if groups[i] is not None else (i,): i for i in order}
    return np.sort(np.fromiter(chosen.values(), np.intp, len(chosen)))


def _conformal(scores: Array, targets: Array, groups: Groups | None) -> Array:
    """The smallest scores up to which the mass reaches 1 - FPR; one more group's mass lies at infinity."""
    units = n_groups(groups) if groups else len(scores)
    order = np.argsort(scores)
    mass = np.round(np.cumsum(_masses(len(scores), groups)[order]) / (units + 1), DIGITS)
    places = np.searchsorted(mass, np.round(1 - targets, DIGITS))
    return np.where(units >= needed_units(targets), scores[order][np.minimum(places, len(scores) - 1)], np.nan)


def _masses(n: int, groups: Groups | None) -> Array:
    """Each image's share of its group's mass 1."""
    if not groups:
        return np.ones(n)
    sizes: dict[str, int] = {}
    for group in groups:
        if group is not None:
            sizes[group] = sizes.get(group, 0) + 1
    return np.array([1 / sizes[group] if group is not None else 1.0 for group in groups])
