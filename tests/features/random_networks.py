"""timm's own, unfolded networks with random weights and statistics."""

import torch
from torch import nn

from gad_core.features._torchvision import timm


def random_network(name: str) -> nn.Module:
    """The same network at every call; its batch norms are no identities."""
    torch.manual_seed(0)
    module = timm.create_model(name).eval().requires_grad_(False)
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.running_mean.normal_(0, 0.1)
            norm.running_var.uniform_(0.5, 2)
            norm.weight.uniform_(0.5, 1)  # with larger ones activations grow from layer to layer
            norm.bias.normal_(0, 0.1)
    return module
