"""What timm knows: building a network by its name, and describing one that is not curated."""

import difflib
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from gad_core.errors import GadError
from gad_core.features._torchvision import timm
from gad_core.features.backbones import BACKBONES, Backbone, Family
from gad_core.features.levels import level_maps


def build(timm_name: str, *, weights: Path | None = None) -> nn.Module:
    """The network with the weights of a file that follows timm's naming, or with random ones; nothing is downloaded.

    Raises whatever timm and torch raise for a file that is damaged or made for another network.
    """
    overlay = {"file": str(weights)} if weights else None
    return timm.create_model(timm_name, pretrained=weights is not None, pretrained_cfg_overlay=overlay)


def describe(name: str) -> Backbone:
    """Any timm model as a backbone, its own stages its levels; raises `GadError` where there is none such."""
    if not timm.is_model(name):
        known = [backbone.name for backbone in BACKBONES]
        close = difflib.get_close_matches(name, {*known, *timm.list_models()}, n=3)
        raise GadError(f"there is no backbone {name!r}; choose {' or '.join(close) or ', '.join(known)}")
    try:
        with torch.device("meta"):  # shapes only: no weights, no arithmetic
            module = build(name).eval()
            draft = _draft(name, module)
            maps = level_maps(module, draft, torch.zeros(1, 3, draft.input_size, draft.input_size))
        return replace(draft, channels=tuple(level.shape[1] for level in maps))
    except Exception as error:  # as many ways to fail as timm has models and tags
        raise GadError(f"{name!r} cannot serve as a backbone ({error}); choose another network or tag") from error


def _draft(name: str, module: Any) -> Backbone:  # timm's attributes, which torch's types do not know
    config = module.pretrained_cfg
    family: Family = "other"
    if isinstance(module, timm.models.EfficientNet):
        family = "efficientnet"
    elif isinstance(module, timm.models.ResNet):
        family = "resnet"
    return Backbone(
        name=name,
        timm_name=f"{config['architecture']}.{config['tag']}" if config["tag"] else name,
        family=family,
        channels=tuple(stage["num_chs"] for stage in module.feature_info),
        input_size=config["input_size"][-1],
        mean=tuple(config["mean"]),
        std=tuple(config["std"]),
        hub_id=config["hf_hub_id"],
    )
