"""Deep SHAP by interception: each nonlinear call hands back the slope between the image and a reference.

Row 0 of a batch is the explained image, every other row a reference. Within `PairRules` the backward pass of a
nonlinear call gives row i the multipliers m between its inputs on row 0 and on row i, chosen so that
sum m * (difference of the inputs) is the difference of the outputs; affine calls keep their gradient, which has that
property. By the chain rule the attributions of a score then add up to its difference. No hook, no rewritten network.
Sources: Shrikumar et al. 2017, Learning important features through propagating activation differences; Lundberg &
Lee 2017, A unified approach to interpreting model predictions.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function
from torch.overrides import TorchFunctionMode

from gad_core.errors import NotExplained

#: What makes the attributions unique, beside their sum: the rule at each kind of nonlinear call.
RULES = "DeepLIFT rescale; products halved between their factors; maxima by cross-max"

_KINKED = {"relu", "relu6", "leaky_relu", "hardtanh", "hardsigmoid", "hardswish", "clamp", "clip", "abs"}
_SMOOTH = {"silu", "sigmoid", "logsigmoid", "tanh", "gelu", "softplus", "mish", "exp", "elu", "celu", "selu"}
_PRODUCTS = {"mul", "imul", "rmul", "multiply"}
_SUMS = {"add", "iadd", "radd", "sub", "isub", "rsub", "subtract"}
_LINEAR = {"conv2d", "linear", "batch_norm", "matmul", "mm", "div", "truediv", "divide"}  # in their first argument
_AFFINE = {
    *("avg_pool2d", "adaptive_avg_pool2d", "pad", "mean", "sum", "neg", "interpolate", "dropout", "identity"),
    *("reshape", "view", "flatten", "squeeze", "unsqueeze", "contiguous", "clone"),
    *("cat", "concat", "stack", "chunk", "split", "to", "float", "double", "type_as"),
}
#: Calls along dimensions, and where they say which: (position, keyword, default), None for all of them.
_ALONG: dict[str, tuple[int, str, int | None]] = {
    **dict.fromkeys(("mean", "sum"), (1, "dim", None)),
    **dict.fromkeys(("cat", "concat", "stack"), (1, "dim", 0)),
    **dict.fromkeys(("chunk", "split"), (2, "dim", 0)),
    "flatten": (1, "start_dim", 0),
}


class PairRules(TorchFunctionMode):
    """Give every call on a batch of `rows` rows its rule; raises `NotExplained` for a call that has none."""

    def __init__(self, rows: int) -> None:
        super().__init__()
        self._rows = rows

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        live = list(_live([*args, *kwargs.values()]))
        if not torch.is_grad_enabled() or not live:
            return func(*args, **kwargs)
        out = self._ruled(func, args, kwargs, live)
        apart = all(tensor.dim() and len(tensor) == self._rows for tensor in _live([out]))
        if not apart or _along_rows(func.__name__.strip("_"), args, kwargs, live[0]):
            raise NotExplained(
                f"{func.__name__} mixes the images of a batch, which no rule can tell apart; choose a network "
                "whose layers keep them in rows of their own"
            )
        return out

    def _ruled(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], live: Sequence[Tensor]) -> Any:
        raw = getattr(func, "__name__", "")
        name = raw.strip("_")
        alone = len(live) == 1 and bool(args) and live[0] is args[0]
        if alone and (rule := self._rule_of_one(func, args, kwargs)):
            return rule(args[0])
        if name in _PRODUCTS:
            return _by(_Product, *args[:2]) if len(live) == 2 else torch.mul(*args[:2])
        if name in _SUMS:  # out of place, or the input of an earlier rule would change under it
            plain = {"add": torch.add, "sub": torch.sub, "subtract": torch.sub}.get(name.removeprefix("i"))
            return (plain or func)(*args, **kwargs)
        out = func(*args, **kwargs)
        affine = name in _AFFINE or (name in _LINEAR and alone) or (name == "getitem" and _whole_rows(args[1]))
        if affine or not list(_live([out])):
            return out
        raise NotExplained(
            f"there is no rule for {raw!r}, so that attributions would not add up; choose a backbone of the list"
        )

    def _rule_of_one(
        self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Callable[[Tensor], Tensor] | None:
        """The rule of a nonlinear call in which gradients flow through its first argument alone."""
        raw, rest = getattr(func, "__name__", ""), args[1:]
        name = raw.strip("_")
        if name in _KINKED | _SMOOTH:
            return partial(_by, _Secant, _pure(func, raw, rest, kwargs), name in _SMOOTH)
        if name == "square" or (name == "pow" and rest == (2,)):
            return lambda x: _by(_Product, x, x)
        if name == "sqrt":
            return partial(_by, _Root)
        if name == "max_pool2d":
            options = {key: value for key, value in kwargs.items() if key != "return_indices"}
            return partial(_by, _MaxPool, lambda x: F.max_pool2d(x, *rest, return_indices=True, **options))
        return None


class _Secant(Function):
    """y = f(x), element by element: the slope of the secant. Kept in place of x, it serves every backward pass."""

    @staticmethod
    def forward(ctx: Any, f: Callable[[Tensor], Tensor], smooth: bool, x: Tensor) -> Tensor:
        y = f(x)
        ctx.save_for_backward(_secant(x, y, f, smooth=smooth))
        return y

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, None, Tensor]:
        (slope,) = ctx.saved_tensors
        out = torch.empty_like(grads[0])
        out[0] = 0
        torch.mul(grads[0][1:], slope, out=out[1:])
        return None, None, out


def _secant(x: Tensor, y: Tensor, f: Callable[[Tensor], Tensor], *, smooth: bool) -> Tensor:
    """Slopes of y = f(x) between row 0 and every other row."""
    step, rise = x[:1] - x[1:], y[:1] - y[1:]
    # Where the step drowns in rounding: the tangent in the middle, wrong by O(step^3), which is less.
    near = step.abs() <= (torch.finfo(x.dtype).eps ** (1 / 3) / 4 if smooth else 0.0)
    slope = rise.div_(step.masked_fill_(near, 1.0)).masked_fill_(near, 0.0)
    if smooth and near.any():
        with torch.enable_grad():
            middle = ((x[:1] + x[1:]) / 2)[near].detach().requires_grad_()
            slope[near] = torch.autograd.grad(f(middle).sum(), middle)[0]
    return slope


class _Product(Function):
    """a * b: the difference is da * mean(b) + db * mean(a), exactly."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        ctx.save_for_backward((a[:1] + a[1:]) / 2, (b[:1] + b[1:]) / 2)
        return a * b

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor]:
        mean_a, mean_b = ctx.saved_tensors
        grad = grads[0][1:]
        return _on_references((grad * mean_b).sum_to_size(mean_a.shape)), _on_references(
            (grad * mean_a).sum_to_size(mean_b.shape)
        )


class _Root(Function):
    """sqrt(x): the secant without its cancellation, 1 / (sqrt a + sqrt b)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        y = x.sqrt()
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        both = y[:1] + y[1:]
        return _on_references(torch.where(both > 0, grads[0][1:] / both, 0.0))


class _MaxPool(Function):
    """Cross-max: what the image's maximum gains goes to where it lies, what it loses to where the reference's lies."""

    @staticmethod
    def forward(ctx: Any, pool: Callable[[Tensor], tuple[Tensor, Tensor]], x: Tensor) -> Tensor:
        y, ctx.places = pool(x)
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, Tensor]:
        x, y = ctx.saved_tensors
        step, rise = (x[:1] - x[1:]).flatten(2), (y[:1] - y[1:]).flatten(2)  # (R, C, H W)
        grad, places = grads[0][1:].flatten(2), ctx.places.flatten(2)
        shares = torch.zeros_like(step)
        for place, part in ((places[:1].expand_as(places[1:]), rise.clamp(min=0)), (places[1:], rise.clamp(max=0))):
            at = step.gather(2, place)  # at least as large as `part`: the slope lies in [0, 1]
            slope = torch.where(part == 0, 0.0, part / torch.where(at == 0, 1.0, at))
            shares.scatter_add_(2, place, grad * slope)  # windows overlap
        return None, _on_references(shares.view_as(x[1:]))


def _by(rule: Any, *args: Any) -> Any:
    """Apply an autograd function; torch's own types do not know `apply`."""
    return rule.apply(*args)


def _on_references(rows: Tensor) -> Tensor:
    """Multipliers on the references' rows; the image's own row carries nothing."""
    return torch.cat([torch.zeros_like(rows[:1]), rows])


def _pure(func: Any, raw: str, rest: tuple[Any, ...], kwargs: dict[str, Any]) -> Callable[[Tensor], Tensor]:
    """The function of one tensor that leaves that tensor as it is."""
    mutates = raw.endswith("_") or kwargs.get("inplace") or any(value is True for value in rest)
    return lambda x: func(x.clone() if mutates else x, *rest, **kwargs)


def _along_rows(name: str, args: tuple[Any, ...], kwargs: dict[str, Any], x: Tensor) -> bool:
    """Whether a call acts along the first dimension, which its result's shape may hide."""
    if name not in _ALONG:
        return False
    position, keyword, default = _ALONG[name]
    dims = kwargs.get(keyword, kwargs.get("axis", args[position] if len(args) > position else default))
    count = x.dim() + (name == "stack")
    return any(
        dim % count == 0
        for dim in (range(count) if dims is None else dims if isinstance(dims, (tuple, list)) else [dims])
    )


def _whole_rows(index: Any) -> bool:
    """Whether an index leaves the first dimension alone."""
    first = index[0] if isinstance(index, tuple) else index
    return first is Ellipsis or (isinstance(first, slice) and first == slice(None))


def _live(values: Any) -> Iterator[Tensor]:
    """The tensors through which gradients flow."""
    for value in values:
        if isinstance(value, Tensor):
            if value.requires_grad:
                yield value
        elif isinstance(value, (list, tuple)):
            yield from _live(value)
