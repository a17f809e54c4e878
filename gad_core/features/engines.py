"""What runs a network over a stream of images, and the choice of it; all engines give the same numbers."""

import threading
from collections.abc import Generator, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Literal, Protocol, get_args

import torch

from gad_core.errors import GadError
from gad_core.features.networks import Network, Pixels, Vector, load_network, weights_file
from gad_core.features.openvino_engine import OpenVinoEngine
from gad_core.features.regions import Regions
from gad_core.features.registry import get_backbone
from gad_core.features.torch_engine import TorchEngine

Device = Literal["auto", "cpu", "cuda", "mps", "torch-cpu"]
DEVICES: tuple[Device, ...] = get_args(Device)


class Engine(Protocol):
    """Runs one network; several threads may use one engine. Until the first image it costs nothing."""

    @property
    def network(self) -> Network:
        """The network that it runs."""

    def stream(self, pixels: Iterable[Pixels], *, regions: Regions | None = None) -> Generator[Vector, None, None]:
        """Features (sum C,) of each image (S, S, 3), in order; draws images in the caller's thread, a few ahead.

        With `regions` those by region stand behind.
        """


def make_engine(network: Network, *, device: Device = "auto") -> Engine:
    """The fastest engine of this machine, or the one for a device: `cpu` is OpenVINO, `torch-cpu` plain torch.

    Raises `GadError` for an accelerator that is not there.
    """
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if device == "auto":
        device = "cuda" if present["cuda"] else "mps" if present["mps"] else "cpu"
    if not present.get(device, True):
        raise GadError(f"torch finds no {device} device on this machine; leave the device out or choose cpu")
    return OpenVinoEngine(network) if device == "cpu" else TorchEngine(network, device.removeprefix("torch-"))


def load_engine(name: str, *, device: Device = "auto") -> Engine:
    """The engine of the backbone of that name, ready to run; raises as `load_network` and `make_engine` do.

    All who ask for one share it, so that no fit reads and compiles again what another has; weights that were put in
    place of others are read.
    """
    path = weights_file(get_backbone(name))
    with _LOADING:
        return _engine(name, device, path, path.stat().st_mtime_ns)


_LOADING = threading.Lock()


@lru_cache(maxsize=2)
def _engine(name: str, device: Device, _weights: Path, _written: int) -> Engine:
    return make_engine(load_network(name), device=device)
