"""How many references go through a network at once: as many as memory and speed allow."""

import os
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

_BUDGET = 330e6  # bytes for one batch of references: larger ones, and smaller ones, are slower
_SHARE_OF_MEMORY = 0.4  # of what is free, where that is less, for all threads


class Sizes(TorchFunctionMode):
    """Add up the bytes that calls give: what a pass with rules keeps is not more."""

    total = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if isinstance(out, Tensor):
            self.total += out.numel() * out.element_size()
        return out


def affordable(size: int, count: int) -> int:
    """Choose how many of `count` references, of `size` bytes each, go through at once, beside what other threads do."""
    threads = torch.get_num_threads()
    try:
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not every system tells
        free = int(threads * _BUDGET / _SHARE_OF_MEMORY)
    memory = min(_SHARE_OF_MEMORY * free / threads, _BUDGET)
    return max(1, min(int(memory / max(size, 1)), -(-count // threads)))
