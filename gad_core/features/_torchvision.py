"""timm on any pair of torch and torchvision: with a CPU-only torch, the registry's torchvision does not import.

Its compiled part then misses the CUDA libraries and registers nothing, and the Python part stops at "operator
torchvision::nms does not exist". Nothing here runs those operators, so declaring them is enough.
"""

import torch

_MISSING = "operator torchvision::nms does not exist"
_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"

try:
    import torchvision  # noqa: F401 - imported to learn whether it can be
except RuntimeError as error:
    if _MISSING not in str(error):
        raise
    for operator in ("nms", "qnms"):
        torch.library.define(f"torchvision::{operator}", _SCHEMA)

import timm  # noqa: E402 - only now does its own import of torchvision succeed

__all__ = ["timm"]
