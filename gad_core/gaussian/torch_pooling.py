"""The pooled score of regions as a torch function, split over its levels."""

from typing import Any

import torch
from torch import Tensor
from torch.overrides import handle_torch_function, has_torch_function

from gad_core.gaussian.pooling import Pool, Standard


def pooled_share(level: int, pool: Pool, standard: Standard, *distances: Tensor) -> Tensor:
    """One level's equal share (N,) of the score that `pool` makes of the regions' distances (N, A), a tensor a level.

    The shares of all levels add up to the score. Attribution gives this call a rule of its own, by which gradients
    reach the distances of that level alone.
    """
    if has_torch_function(distances):
        out: Any = handle_torch_function(pooled_share, distances, level, pool, standard, *distances)
        return out  # type: ignore[no-any-return]
    return pooled(pool, standardised(standard, distances)) / len(distances)


def standardised(standard: Standard, distances: tuple[Tensor, ...]) -> Tensor:
    """Summed distances of the regions on the scale of their left-out normals (N, A)."""
    total = torch.stack(distances).sum(0)
    return (total - torch.from_numpy(standard.zero)) / torch.from_numpy(standard.one)


def pooled(pool: Pool, values: Tensor) -> Tensor:
    """What `pool` gives, with gradients: (N, A) to (N,)."""
    if pool.kind == "mean":
        return values.mean(1)
    if pool.kind == "power":
        power = pool.value or 1.0
        return values.clamp(min=0).pow(power).mean(1).pow(1 / power)
    count = 1 if pool.kind == "max" else pool.count(int(values.shape[1]))  # a tracer would take it for a tensor
    return values.topk(count, dim=1).values.mean(1)


def multipliers(pool: Pool, own: Tensor, others: Tensor) -> Tensor:
    """Slopes (R, A) between one row of standardised distances (1, A) and each of R others, per region.

    Sum slope * (difference of the regions) is the difference of the scores: for "top" and "max" the gradient averaged
    over the straight line between the two rows, exactly, since the ranks change at finitely many places; for "power"
    the slopes of the secants of its three steps. Source: Aumann & Shapley 1974, Values of Non-Atomic Games.
    """
    if pool.kind == "mean":
        return torch.full_like(others, 1 / others.shape[1])
    if pool.kind == "power":
        return _power_slopes(pool.value or 1.0, own, others)
    count = 1 if pool.kind == "max" else pool.count(others.shape[1])
    return torch.stack([_time_on_top(count, own[0], other) for other in others]) / count


def _time_on_top(count: int, own: Tensor, other: Tensor) -> Tensor:
    """For how much of the way from `other` to `own` (A,) each region is among the `count` highest: (A,)."""
    step = own - other
    rise = step[:, None] - step
    at = torch.where(rise == 0, -1.0, -(other[:, None] - other) / torch.where(rise == 0, 1.0, rise))
    turns = torch.unique(at[(at > 0) & (at < 1)])
    ends = torch.cat([turns.new_zeros(1), turns, turns.new_ones(1)])
    middle = (ends[1:] + ends[:-1]) / 2
    ranked = (other + middle[:, None] * step).topk(count, dim=1).indices  # between two turns no rank changes
    length = (ends[1:] - ends[:-1])[:, None].expand_as(ranked)
    return torch.zeros_like(own).scatter_add_(0, ranked.flatten(), length.flatten())


def _power_slopes(power: float, own: Tensor, others: Tensor) -> Tensor:
    raised, raised_others = (values.clamp(min=0).pow(power) for values in (own, others))
    inner = _secant(raised - raised_others, own - others)
    mean, means = raised.mean(1), raised_others.mean(1)
    outer = _secant(mean.pow(1 / power) - means.pow(1 / power), mean - means)
    return inner * outer[:, None] / others.shape[1]


def _secant(rise: Tensor, step: Tensor) -> Tensor:
    return torch.where(step == 0, 0.0, rise / torch.where(step == 0, 1.0, step))
