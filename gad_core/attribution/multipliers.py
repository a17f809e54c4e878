"""Multipliers of nonlinear calls: sum m * (difference of the inputs) is the difference of the outputs.

Every function here stands for a call on one explained image, while its multipliers have a row for every reference:
forward, the rows of `x` are all the image, so that one is computed and handed on as if there were many; backward, row
i carries what belongs to reference i. What the references gave at the same call was recorded before.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function

from gad_core.gaussian.pooling import Pool, Standard
from gad_core.gaussian.torch_pooling import multipliers, pooled, standardised


@dataclass
class Keep:
    """Whether another backward pass is to come, for which slopes are worth keeping."""

    on: bool


class Secant(Function):
    """y = f(x), element by element: the slope of the secant, computed where it is used, for it is large."""

    @staticmethod
    def forward(
        ctx: Any, f: Callable[[Tensor], Tensor], smooth: bool, keep: Keep, others: tuple[Tensor, ...], x: Tensor
    ) -> Tensor:
        y = f(x[:1])
        ctx.f, ctx.smooth, ctx.keep, ctx.others, ctx.slope = f, smooth, keep, others, None
        ctx.save_for_backward(x[:1], y)
        return _in_rows(y, x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, None, None, None, Tensor]:
        slope = ctx.slope
        if slope is None:
            slope = _secant(ctx.saved_tensors, ctx.others, ctx.f, smooth=ctx.smooth)
        if ctx.keep.on:
            ctx.slope = slope
            return None, None, None, None, slope * grads[0]
        return None, None, None, None, slope.mul_(grads[0])


def _secant(
    own: tuple[Tensor, ...], others: tuple[Tensor, ...], f: Callable[[Tensor], Tensor], *, smooth: bool
) -> Tensor:
    """Slopes of y = f(x) between one row and every other, each given as x and y."""
    (x, y), (x_others, y_others) = own, others
    if not smooth:  # where there is no step there is no rise, and 0 / 0 becomes 0
        slopes, step = torch.empty_like(x_others), torch.empty_like(x)
        for i in range(len(slopes)):  # row by row, for a row stays in the processor's cache from step to step
            row = torch.sub(y, y_others[i : i + 1], out=slopes[i : i + 1])
            row.div_(torch.sub(x, x_others[i : i + 1], out=step)).nan_to_num_(0.0)
        return slopes
    step, slope = x - x_others, y - y_others
    # Where the step drowns in rounding: the tangent in the middle, wrong by O(step^3), which is less.
    near = step.abs() <= torch.finfo(x.dtype).eps ** (1 / 3) / 4
    if not near.any():
        return slope.div_(step)
    slope.div_(step.masked_fill_(near, 1.0))
    with torch.enable_grad():
        middle = ((x + x_others) / 2)[near].detach().requires_grad_()
        slope[near] = torch.autograd.grad(f(middle).sum(), middle)[0]
    return slope


class Product(Function):
    """a * b: the difference is da * mean(b) + db * mean(a), exactly."""

    @staticmethod
    def forward(ctx: Any, others: tuple[Tensor, Tensor], a: Tensor, b: Tensor) -> Tensor:
        ctx.others = others
        ctx.save_for_backward(a[:1], b[:1])
        return _in_rows(a[:1] * b[:1], a)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, Tensor, Tensor]:
        means = [(own + other) / 2 for own, other in zip(ctx.saved_tensors, ctx.others, strict=True)]
        return (
            None,
            (grads[0] * means[1]).sum_to_size(means[0].shape),
            (grads[0] * means[0]).sum_to_size(means[1].shape),
        )


class Root(Function):
    """sqrt(x): the secant without its cancellation, 1 / (sqrt a + sqrt b)."""

    @staticmethod
    def forward(ctx: Any, others: tuple[Tensor], x: Tensor) -> Tensor:
        y = x[:1].sqrt()
        ctx.others = others
        ctx.save_for_backward(y)
        return _in_rows(y, x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, Tensor]:
        both = ctx.saved_tensors[0] + ctx.others[0]
        return None, torch.where(both > 0, grads[0] / both, 0.0)


class Share(Function):
    """A level's share of a pooled score: what its regions' distances add to the difference of the whole score."""

    @staticmethod
    def forward(ctx: Any, level: int, pool: Pool, standard: Standard, others: Tensor, *distances: Tensor) -> Tensor:
        own = standardised(standard, tuple(distance[:1] for distance in distances))
        ctx.level, ctx.count, ctx.slopes = level, len(distances), multipliers(pool, own, others)
        ctx.scale = torch.from_numpy(standard.one)
        return _in_rows(pooled(pool, own) / len(distances), distances[0])

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        slopes = grads[0][:, None] * ctx.slopes / ctx.scale
        return None, None, None, None, *(slopes if place == ctx.level else None for place in range(ctx.count))


class MaxPool(Function):
    """Cross-max: what the image's maximum gains goes to where it lies, what it loses to where the reference's lies."""

    @staticmethod
    def forward(
        ctx: Any, pool: Callable[[Tensor], tuple[Tensor, Tensor]], others: tuple[Tensor, Tensor, Tensor], x: Tensor
    ) -> Tensor:
        y, ctx.places = pool(x[:1])
        ctx.others = others
        ctx.save_for_backward(x[:1], y)
        return _in_rows(y, x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, None, Tensor]:
        x, y = ctx.saved_tensors
        x_others, y_others, places_others = ctx.others
        step, rise = (x - x_others).flatten(2), (y - y_others).flatten(2)  # (R, C, H W)
        grad, theirs = grads[0].flatten(2), places_others.flatten(2)
        shares = torch.zeros_like(step)
        for place, part in (
            (ctx.places.flatten(2).expand_as(theirs), rise.clamp(min=0)),
            (theirs, rise.clamp(max=0)),
        ):
            at = step.gather(2, place)  # at least as large as `part`: the slope lies in [0, 1]
            slope = torch.where(part == 0, 0.0, part / torch.where(at == 0, 1.0, at))
            shares.scatter_add_(2, place, grad * slope)  # windows overlap
        return None, None, shares.view_as(x_others)


class Convolution(Function):
    """An affine call that keeps its gradient: the image goes through once, however many rows come back."""

    @staticmethod
    def forward(ctx: Any, options: tuple[Any, ...], weight: Tensor, bias: Tensor | None, x: Tensor) -> Tensor:
        ctx.options, ctx.shape = options, x.shape
        ctx.save_for_backward(weight)
        return _in_rows(F.conv2d(x[:1], weight, bias, *options), x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, None, None, Tensor]:
        (weight,) = ctx.saved_tensors
        return None, None, None, _transposed(ctx.shape, weight, grads[0], *ctx.options)


def _transposed(
    shape: torch.Size, weight: Tensor, grad: Tensor, stride: Any, padding: Any, dilation: Any, groups: int
) -> Tensor:
    """Gradient of the input (R, C, H, W) of a convolution: faster than torch's own function of it."""
    stride, padding, dilation = (_pair(option) for option in (stride, padding, dilation))
    kernel = weight.shape[2:]
    if groups == 1 and (kernel, stride, padding) == ((1, 1), (1, 1), (0, 0)):
        return F.conv2d(grad, weight.transpose(0, 1))
    left = [  # rows and columns that the stride did not reach
        shape[2 + i] - ((grad.shape[2 + i] - 1) * stride[i] - 2 * padding[i] + dilation[i] * (kernel[i] - 1) + 1)
        for i in (0, 1)
    ]
    return F.conv_transpose2d(grad, weight, None, stride, padding, left, groups, dilation)


def _pair(option: Any) -> tuple[int, int]:
    """An option of both dimensions, which may be given as one number."""
    return (option, option) if isinstance(option, int) else tuple(option)


class Padding(Function):
    """The same of a border of constants."""

    @staticmethod
    def forward(ctx: Any, widths: tuple[int, ...], value: float, x: Tensor) -> Tensor:
        ctx.widths = widths
        return _in_rows(F.pad(x[:1], widths, value=value), x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, None, Tensor]:
        return None, None, F.pad(grads[0], [-width for width in ctx.widths])


class Means(Function):
    """The same of means over windows."""

    @staticmethod
    def forward(ctx: Any, options: tuple[Any, ...], x: Tensor) -> Tensor:
        ctx.options, ctx.shape = options, x.shape
        return _in_rows(F.avg_pool2d(x[:1], *options), x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, Tensor]:
        kernel, stride, *rest = ctx.options
        pairs = (_pair(kernel), () if stride is None else _pair(stride), _pair(rest[0]))
        like = grads[0].new_empty(()).expand(ctx.shape)  # only its shape is asked for
        return None, torch.ops.aten.avg_pool2d_backward(grads[0], like, *pairs, *rest[1:])


def _in_rows(y: Tensor, x: Tensor) -> Tensor:
    """One row (1, ..) as many rows as x has, without a copy."""
    return y.expand(len(x), *y.shape[1:])
