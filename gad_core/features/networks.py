"""Networks read from their weights: a backbone as torch runs it, and the fingerprint of both."""

import hashlib
import json
import pickle  # for the error that torch raises, and nothing else
from pathlib import Path
from typing import Any

import torch
from torch import nn

from gad_core.errors import GadError
from gad_core.features import weights
from gad_core.features.backbones import Backbone
from gad_core.features.folding import fold_batch_norms
from gad_core.features.frozen import Network
from gad_core.features.registry import get_backbone
from gad_core.features.timm_models import build


def load_network(name: str) -> Network:
    """The backbone `name` with its weights: from its package, else from GAD_WEIGHTS, else from the hub.

    Raises `GadError` for an unknown name, for weights out of reach, and for a damaged or mismatching file.
    """
    backbone = get_backbone(name)
    module = load_module(backbone, weights.weights_file(backbone))
    identity = fingerprint(backbone, module)
    if backbone.family != "other":
        fold_batch_norms(module)
    return Network(backbone, lambda: module, identity)


def trainable_network(backbone: Backbone, *, n_outputs: int) -> Any:
    """The backbone as it was trained, its own copy, with a last layer of `n_outputs` that is new.

    Raises as `load_network` does.
    """
    path = weights.weights_file(backbone)
    module: Any = load_module(backbone, path)  # timm's methods, which torch's types do not know
    module.reset_classifier(n_outputs)
    return module.train().requires_grad_(True)


def load_module(backbone: Backbone, path: Path) -> nn.Module:
    """timm's own network, its batch norms unfolded, with the weights of a file; every tensor must have its place.

    Raises `GadError` for a damaged and for a mismatching file.
    """
    package = path == weights.package_weights(backbone)
    try:
        module = _from_package(backbone, path) if package else build(backbone.timm_name, weights=path)
    except Exception as error:  # torch, safetensors and timm answer damage with a dozen kinds of exceptions
        raise _unusable(backbone, path, _why(error)) from error
    if not all(bool(value.isfinite().all()) for value in module.state_dict().values()):
        raise _unusable(backbone, path, "some of its values are not finite")
    return module.float().eval().requires_grad_(False)


def _unusable(backbone: Backbone, path: Path, why: str) -> GadError:
    return GadError(f"{path} does not hold the weights of {backbone.timm_name} ({why}); replace that file")


def _why(error: Exception) -> str:
    """Our own words: the libraries' own speak of their arguments, and how to run what a file brings along."""
    if isinstance(error, pickle.UnpicklingError) or "weights_only" in str(error):
        return "it holds more than tensors, and code in a file is never run: save the tensors alone, as .safetensors"
    if "state_dict" in str(error):
        return "its tensors have other names or shapes"
    return "it is damaged or of another kind"


def fingerprint(backbone: Backbone, module: nn.Module) -> str:
    """SHA-256 (hex) over all that decides the features: the weights in order, as they were loaded, and the recipe."""
    levels = (backbone.family, backbone.channels)
    recipe = (backbone.input_size, backbone.mean, backbone.std, backbone.interpolation)
    digest = hashlib.sha256(json.dumps((levels, recipe)).encode())
    for key, value in module.state_dict().items():
        if not key.endswith("num_batches_tracked"):  # a counter of the training, which inference does not read
            digest.update(f"{key} {value.dtype} {tuple(value.shape)}".encode())
            digest.update(value.contiguous().numpy())
    return digest.hexdigest()


def _from_package(backbone: Backbone, path: Path) -> nn.Module:
    """The packages name the same tensors otherwise, in the same order (checked for lite0, lite1 and lite2)."""
    module = build(backbone.timm_name)
    state = torch.load(path, map_location="cpu", weights_only=True)
    module.load_state_dict(dict(zip(module.state_dict(), state.values(), strict=True)))
    return module
