"""Deep SHAP by interception: each nonlinear call hands back the slope between the image and a reference.

The references go through a score once, under `Recorded`; then, under `Explained`, an image goes through it, which
gives every nonlinear call its multipliers between the image and each reference, so that sum m * (difference of the
inputs) is the difference of the outputs. Affine calls keep their gradient, which has that property. By the chain rule
the attributions of a score then add up to its difference. No hook, no rewritten network.
Sources: Shrikumar et al. 2017, Learning important features through propagating activation differences; Lundberg &
Lee 2017, A unified approach to interpreting model predictions.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from gad_core.attribution.multipliers import Convolution, Keep, MaxPool, Means, Padding, Product, Root, Secant, Share
from gad_core.errors import NotExplained
from gad_core.gaussian.pooling import Pool, Standard
from gad_core.gaussian.torch_pooling import pooled_share, standardised

#: What makes the attributions unique, beside their sum: the rule at each kind of nonlinear call.
RULES = "DeepLIFT rescale; products halved between their factors; maxima by cross-max"
POOLED = "ranks of regions by the gradient averaged over the way"

_KINKED = {"relu", "relu6", "leaky_relu", "hardtanh", "hardsigmoid", "hardswish", "clamp", "clip", "abs"}
_SMOOTH = {"silu", "sigmoid", "logsigmoid", "tanh", "gelu", "softplus", "mish", "exp", "elu", "celu", "selu"}
_PRODUCTS = {"mul", "imul", "rmul", "multiply"}
_SUMS = {"add", "iadd", "radd", "sub", "isub", "rsub", "subtract"}
_LINEAR = {"conv2d", "linear", "batch_norm", "matmul", "mm", "div", "truediv", "divide"}  # in their first argument
_AFFINE = {
    *("avg_pool2d", "adaptive_avg_pool2d", "pad", "mean", "sum", "neg", "interpolate", "dropout", "identity"),
    *("pixel_shuffle", "pixel_unshuffle"),
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


@dataclass(frozen=True)
class _Rule:
    """A nonlinear call on live tensors: how it is computed, and how with multipliers."""

    inputs: tuple[Tensor, ...]
    plain: Callable[..., Any]  # of the inputs; may give more than the call's result, which then comes first
    ruled: Callable[..., Tensor]  # of what was recorded of the others, and the inputs


@dataclass(frozen=True)
class Call:
    """What a call on the references gave."""

    name: str
    shape: torch.Size
    tensors: tuple[Tensor, ...]  # what its rule wants to know; nothing for an affine call


class _Calls(TorchFunctionMode):
    """Give every call on a batch of `rows` rows its rule; raises `NotExplained` for a call that has none."""

    def __init__(self, rows: int) -> None:
        super().__init__()
        self._rows = rows

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        live = list(_live([*args, *kwargs.values()]))
        if not torch.is_grad_enabled() or not live:
            return func(*args, **kwargs)
        name = func.__name__.strip("_")
        rule = _rule(func, args, kwargs, live)
        out = self._ruled(name, rule) if rule else self._affine(name, func, args, kwargs, live)
        results = list(_live([out]))
        if not all(tensor.dim() and len(tensor) == self._rows for tensor in results) or _along_rows(
            name, args, kwargs, live[0]
        ):
            raise NotExplained(
                f"{func.__name__} mixes the images of a batch, which no rule can tell apart; choose a network "
                "whose layers keep them in rows of their own"
            )
        return out

    def _affine(self, name: str, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], live: list[Tensor]) -> Any:
        if name in _PRODUCTS:  # with a constant
            return torch.mul(*args[:2])
        if name in _SUMS:  # out of place, or the input of an earlier rule would change under it
            plain = {"add": torch.add, "sub": torch.sub, "subtract": torch.sub}.get(name.removeprefix("i"))
            return (plain or func)(*args, **kwargs)
        alone = len(live) == 1 and bool(args) and live[0] is args[0]
        affine = name in _AFFINE or (name in _LINEAR and alone) or (name == "getitem" and _whole_rows(args[1]))
        out = self._once(name, args, kwargs) if affine and alone else None
        out = func(*args, **kwargs) if out is None else out
        if affine or not list(_live([out])):
            return out
        raise NotExplained(
            f"there is no rule for {func.__name__!r}, so that attributions would not add up; choose a backbone of the "
            "list"
        )

    def _ruled(self, name: str, rule: _Rule) -> Any:
        raise NotImplementedError

    def _once(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor | None:
        """An affine call done cheaper than the call itself would; None where there is no such way."""
        raise NotImplementedError


class Recorded(_Calls):
    """Keep what the rules will want to know of the references, the last `keep` rows."""

    def __init__(self, rows: int, *, keep: int) -> None:
        super().__init__(rows)
        self.calls: list[Call] = []
        self._first = rows - keep

    def _ruled(self, name: str, rule: _Rule) -> Any:
        result = rule.plain(*rule.inputs)
        given = result if isinstance(result, tuple) else (result,)
        kept = (*rule.inputs, *given)
        self.calls.append(Call(name, given[0].shape[1:], tuple(tensor.detach()[self._first :] for tensor in kept)))
        return given[0]

    def _once(self, *_: object) -> None:
        return None


class Explained(_Calls):
    """Follow one image, standing in every row, through the calls that were recorded.

    `keep` holds the slopes for more than one backward pass.
    """

    def __init__(self, calls: Sequence[Call], rows: int, *, keep: bool) -> None:
        super().__init__(rows)
        self._calls, self._keep = iter(calls), Keep(keep)

    def finish(self) -> None:
        """Let the slopes go with the next backward pass."""
        self._keep.on = False

    def _ruled(self, name: str, rule: _Rule) -> Any:
        call = next(self._calls, None)
        out = None if call is None or call.name != name else rule.ruled(call.tensors, *rule.inputs, keep=self._keep)
        if call is None or out is None or out.shape[1:] != call.shape:
            raise NotExplained(
                f"the network takes another way for an image than for its references, at {name!r}; choose a backbone "
                "of the list"
            )
        return out

    def _once(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor | None:
        if name == "conv2d":
            x, weight, bias, *options = _conv2d_arguments(*args, **kwargs)
            return None if isinstance(options[1], str) else _by(Convolution, tuple(options), weight, bias, x)
        if name == "pad":
            x, widths, mode, value = _pad_arguments(*args, **kwargs)
            return _by(Padding, tuple(widths), value or 0.0, x) if mode == "constant" else None
        if name == "avg_pool2d":
            x, *options = _avg_pool2d_arguments(*args, **kwargs)
            means: Tensor = _by(Means, tuple(options), x)
            return means
        return None


def _rule(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], live: Sequence[Tensor]) -> _Rule | None:
    """The rule of a nonlinear call; None for one that must be affine."""
    raw, rest = getattr(func, "__name__", ""), args[1:]
    name = raw.strip("_")
    if func is pooled_share or (name in _PRODUCTS and len(live) == 2):
        return _share(*args) if func is pooled_share else _product(*args[:2])
    if len(live) != 1 or not args or live[0] is not args[0]:
        return None
    x = args[0]
    if name in _KINKED | _SMOOTH:
        pure = _pure(func, raw, rest, kwargs)
        return _Rule((x,), pure, partial(_secant, pure, name in _SMOOTH))
    if name == "square" or (name == "pow" and rest == (2,)):
        return _product(x, x)
    if name == "sqrt":
        return _Rule((x,), torch.sqrt, lambda others, x, **_: _by(Root, others[1:], x))
    return _pool(x, rest, kwargs) if name == "max_pool2d" else None


def _pool(x: Tensor, rest: tuple[Any, ...], kwargs: dict[str, Any]) -> _Rule:
    options = {key: value for key, value in kwargs.items() if key != "return_indices"}

    def pool(values: Tensor) -> Any:
        return F.max_pool2d(values, *rest, return_indices=True, **options)

    return _Rule((x,), pool, lambda others, x, **_: _by(MaxPool, pool, others, x))


def _product(a: Tensor, b: Tensor) -> _Rule:
    return _Rule((a, b), torch.mul, lambda others, a, b, **_: _by(Product, others[:2], a, b))


def _share(level: int, pool: Pool, standard: Standard, *distances: Tensor) -> _Rule:
    def ruled(others: tuple[Tensor, ...], *inputs: Tensor, keep: Keep) -> Tensor:  # noqa: ARG001 - the slopes are few
        theirs = standardised(standard, others[: len(inputs)])
        shares: Tensor = _by(Share, level, pool, standard, theirs, *inputs)
        return shares

    return _Rule(distances, partial(pooled_share, level, pool, standard), ruled)


def _secant(
    f: Callable[[Tensor], Tensor], smooth: bool, others: tuple[Tensor, ...], x: Tensor, *, keep: Keep
) -> Tensor:
    slopes: Tensor = _by(Secant, f, smooth, keep, others, x)
    return slopes


def _conv2d_arguments(  # torch's own has no signature to read
    x: Tensor, weight: Tensor, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> tuple[Any, ...]:
    return x, weight, bias, stride, padding, dilation, groups


def _pad_arguments(x: Tensor, pad: Any, mode: str = "constant", value: float | None = None) -> tuple[Any, ...]:
    return x, pad, mode, value


def _avg_pool2d_arguments(
    x: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> tuple[Any, ...]:
    return x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override


def _by(rule: Any, *args: Any) -> Any:
    """Apply an autograd function; torch's own types do not know `apply`."""
    return rule.apply(*args)


def _pure(func: Any, raw: str, rest: tuple[Any, ...], kwargs: dict[str, Any]) -> Callable[[Tensor], Tensor]:
    """The function of one tensor that leaves that tensor as it is."""
    if raw.endswith("_"):
        return lambda x: func(x.clone(), *rest, **kwargs)
    outside = {"inplace": False} if "inplace" in kwargs else {}
    plain = [False if value is True else value for value in rest]  # the one switch that activations have
    return lambda x: func(x, *plain, **{**kwargs, **outside})


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
