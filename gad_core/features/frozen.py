"""A frozen network as whoever runs it sees it; torch is loaded by those alone who ask for its module."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gad_core.features.backbones import Backbone

if TYPE_CHECKING:
    from torch import nn

Pixels = NDArray[np.uint8]  # (S, S, 3): one image at the network's size
Vector = NDArray[np.float32]  # (sum C,): its features

_READING = threading.RLock()


@dataclass(frozen=True, eq=False)
class Network:
    """A network in eval mode without gradients, and the fingerprint that ties features and detectors to it."""

    backbone: Backbone
    read: "Callable[[], nn.Module]"
    fingerprint: str  # SHA-256, hex: two networks with the same one give the same features

    @property
    def module(self) -> "nn.Module":
        """The network itself, read when it is first asked for; it is shared and must not be changed or hooked."""
        with _READING:
            return self._module

    @cached_property
    def _module(self) -> "nn.Module":
        return self.read()
