"""What runs a network over a stream of images, and the choice of it; all engines give the same numbers."""

import ctypes
import sys
import threading
from collections.abc import Generator, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, get_args

from gad_core.errors import GadError
from gad_core.features.backbones import Backbone
from gad_core.features.cache import FeatureCache
from gad_core.features.frozen import Network, Pixels, Vector
from gad_core.features.kept_networks import find_fingerprint, keep_fingerprint, weights_digest
from gad_core.features.openvino_engine import OpenVinoEngine
from gad_core.features.regions import Regions
from gad_core.features.registry import get_backbone
from gad_core.features.weights import weights_file

if TYPE_CHECKING:
    from torch import nn

Device = Literal["auto", "cpu", "cuda", "mps", "torch-cpu"]
DEVICES: tuple[Device, ...] = get_args(Device)


class Engine(Protocol):
    """Runs one network; several threads may use one engine. Until the first image it costs nothing."""

    @property
    def network(self) -> Network:
        """The network that it runs."""

    def stream(
        self, pixels: Iterable[Pixels], *, regions: Regions | None = None, up_to: int | None = None
    ) -> Generator[Vector, None, None]:
        """Features (sum C,) of each image (S, S, 3), in order; draws images in the caller's thread, a few ahead.

        With `regions` those by region stand behind. Levels beyond `up_to` are not computed, and not a number.
        """


def make_engine(network: Network, *, device: Device = "auto", cache: FeatureCache | None = None) -> Engine:
    """The fastest engine of this machine, or the one for a device: `cpu` is OpenVINO, `torch-cpu` plain torch.

    In the cache it keeps what it compiled. Raises `GadError` for an accelerator that is not there.
    """
    if device == "cpu" or (device == "auto" and not _has_driver()):
        return OpenVinoEngine(network, cache)
    import torch  # noqa: PLC0415 - takes a second, and a CPU whose networks are compiled does without

    from gad_core.features.torch_engine import TorchEngine  # noqa: PLC0415

    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if device == "auto":
        device = "cuda" if present["cuda"] else "mps" if present["mps"] else "cpu"
    if not present.get(device, True):
        raise GadError(f"torch finds no {device} device on this machine; leave the device out or choose cpu")
    return OpenVinoEngine(network, cache) if device == "cpu" else TorchEngine(network, device.removeprefix("torch-"))


def _has_driver() -> bool:
    """Whether there may be an accelerator; torch alone can say whether it works, and is only then asked."""
    if "torch" in sys.modules or sys.platform == "darwin" or Path("/dev/kfd").exists():  # AMD's
        return True
    with suppress(OSError):
        ctypes.CDLL("nvcuda" if sys.platform == "win32" else "libcuda.so.1")
        return True
    return False


def load_engine(name: str, *, device: Device = "auto", cache: FeatureCache | None = None) -> Engine:
    """The engine of the backbone of that name, ready to run; raises as `load_network` and `make_engine` do.

    All who ask for one share it, so that no fit reads and compiles again what another has; weights that were put in
    place of others are read. What the first of them gives as the cache keeps fingerprint and compiled network, so that
    the next process does not read the weights until somebody asks for them.
    """
    backbone = get_backbone(name)
    path = weights_file(backbone)
    key = (name, device, path, path.stat().st_mtime_ns)
    with _LOADING:
        engine = _ENGINES.pop(key, None) or make_engine(_network(backbone, path, cache), device=device, cache=cache)
        while len(_ENGINES) >= _SHARED:
            del _ENGINES[next(iter(_ENGINES))]
        _ENGINES[key] = engine
    return engine


_SHARED = 2
_ENGINES: dict[tuple[str, Device, Path, int], Engine] = {}  # the one that was asked for last stands last
_LOADING = threading.Lock()


def _network(backbone: Backbone, weights: Path, cache: FeatureCache | None) -> Network:
    """The network, not yet read where the cache knows what the weights in that file are."""
    content = weights_digest(weights) if cache else ""
    if cache and (known := find_fingerprint(cache, backbone, content)):
        return _unread(backbone, known)
    from gad_core.features.networks import load_network  # noqa: PLC0415 - as above

    network = load_network(backbone.name)
    if cache and weights_digest(weights) == content:  # or it was replaced meanwhile
        keep_fingerprint(cache, backbone, content, network.fingerprint)
    return network


def _unread(backbone: Backbone, fingerprint: str) -> Network:
    """A network whose fingerprint is known from an earlier start."""

    def read() -> "nn.Module":
        from gad_core.features.networks import load_network  # noqa: PLC0415 - as above

        network = load_network(backbone.name)
        if network.fingerprint != fingerprint:
            raise GadError(f"the weights of {backbone.name} were replaced while they were in use; start GAD again")
        return network.module

    return Network(backbone, read, fingerprint)
