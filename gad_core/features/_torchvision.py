"""timm on any pair of torch and torchvision, without torch's compiler.

With a CPU-only torch, the registry's torchvision does not import: its compiled part misses the CUDA libraries and
registers nothing, and the Python part stops at "operator torchvision::nms does not exist". Nothing here runs those
operators, so declaring them is enough.

Both libraries also ask torch's compiler (`torch._dynamo`, which brings SymPy) for two functions when they are imported,
half of the time that takes. Nothing is compiled here: they get stand-ins, and whoever imports the compiler afterwards
gets the real one.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

import torch

_MISSING = "operator torchvision::nms does not exist"
_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_COMPILER, _TOOLS = "torch._dynamo", "torch._dynamo.utils"


@contextmanager
def _no_compiler() -> Iterator[None]:
    if _COMPILER in sys.modules:
        yield
        return
    compiler, tools = _stand_in(_COMPILER, disable=_as_it_is), _stand_in(_TOOLS, is_compile_supported=_unsupported)
    vars(compiler)["utils"] = tools
    sys.modules.update({_COMPILER: compiler, _TOOLS: tools})
    try:
        yield
    finally:
        for stand_in in (compiler, tools):
            if sys.modules.get(stand_in.__name__) is stand_in:
                del sys.modules[stand_in.__name__]


def _stand_in(name: str, **functions: Callable[..., Any]) -> ModuleType:
    """A module with these functions; a version that asks for any other gets the real one."""

    def real(attribute: str) -> Any:
        if attribute.startswith("__"):  # what the import system asks of every module
            raise AttributeError(attribute)
        for loaded in (_COMPILER, _TOOLS):
            sys.modules.pop(loaded, None)
        return getattr(import_module(name), attribute)

    module = ModuleType(name)
    vars(module).update(functions, __getattr__=real)
    return module


def _as_it_is(function: Any, *_: object, **__: object) -> Any:
    """`torch._dynamo.disable` keeps the compiler out of a function; here there is none."""
    return function


def _unsupported(_: object) -> bool:
    """`torch._dynamo.utils.is_compile_supported` says whether torchvision may compile its operators for a device."""
    return False


with _no_compiler():
    try:
        import torchvision  # noqa: F401 - imported to learn whether it can be
    except RuntimeError as error:
        if _MISSING not in str(error):
            raise
        for operator in ("nms", "qnms"):
            torch.library.define(f"torchvision::{operator}", _SCHEMA)

    import timm  # only now does its own import of torchvision succeed

__all__ = ["timm"]
