"""Batch norms folded into the convolutions before them."""

from itertools import pairwise

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def fold_batch_norms(module: nn.Module) -> None:
    """Fold, in place, every batch norm that stands right behind a convolution; what it activates stays.

    Engines fold by themselves and each rounds the weights its own way, which moves scores by 2e-4; folded before, all
    of them run the same weights. Only for networks whose children stand in the order of their use, as those of timm's
    EfficientNets and ResNets do.
    """
    for parent in list(module.modules()):
        for (name, convolution), (norm_name, norm) in pairwise(list(parent.named_children())):
            if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(parent, name, fuse_conv_bn_eval(convolution.double(), norm.double()).float())
                setattr(parent, norm_name, getattr(norm, "act", nn.Identity()))  # timm's norms may activate
