"""Weights for a machine without a network: read from wherever they are, written as its GAD_WEIGHTS wants them."""

from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
from torch import nn

from gad_core.data.placing import placed
from gad_core.errors import GadError
from gad_core.features.backbones import Backbone
from gad_core.features.networks import fingerprint, load_module
from gad_core.features.weights import weights_file


@dataclass(frozen=True, eq=False)
class LoadedWeights:
    """A backbone's weights in timm's own network."""

    backbone: Backbone
    module: nn.Module
    fingerprint: str  # SHA-256, hex; that of `Network`


def read_weights(backbone: Backbone) -> LoadedWeights:
    """Weights from package, GAD_WEIGHTS or hub, in that order; what is not here is downloaded.

    Raises `GadError` where they are out of reach, and where they do not fit the network.
    """
    module = load_module(backbone, weights_file(backbone))
    return LoadedWeights(backbone, module, fingerprint(backbone, module))


def write_weights(loaded: LoadedWeights, folder: Path) -> Path:
    """Write `folder`/<timm name>.safetensors, in place only after the network has been loaded from it.

    Raises `GadError` where the folder cannot be written, and where what was written does not give the same network.
    """
    backbone = loaded.backbone
    path = folder / f"{backbone.timm_name}.safetensors"
    # Copies, for safetensors refuse tensors that share their memory.
    tensors = {name: tensor.clone().contiguous() for name, tensor in loaded.module.state_dict().items()}
    with placed(path) as temporary:
        temporary.write_bytes(safetensors.torch.save(tensors, {"format": "pt"}))
        if not _gives(loaded, temporary):
            raise GadError(f"{path} did not come out as it was written; check the disk, or choose another folder")
    return path


def _gives(loaded: LoadedWeights, path: Path) -> bool:
    """Whether a file gives the very network."""
    try:
        module = load_module(loaded.backbone, path)
    except GadError:
        return False
    return fingerprint(loaded.backbone, module) == loaded.fingerprint
