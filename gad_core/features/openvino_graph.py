"""A network as OpenVINO's graph, traced by torch and converted: half a second, and the imports of both."""

import warnings
from typing import Any

import torch
from torch import Tensor

from gad_core.features._openvino import openvino
from gad_core.features.frozen import Network
from gad_core.features.levels import pooled_levels
from gad_core.features.regions import Regions


def graph_of(network: Network, regions: Regions | None, up_to: int | None) -> "openvino.Model":
    """The graph from one uint8 image (1, S, S, 3) to its features (1, sum C), and behind them those by region."""
    size, module = network.backbone.input_size, network.module
    example = torch.zeros(1, size, size, 3, dtype=torch.uint8)

    def features(pixels: Tensor) -> Tensor:
        return pooled_levels(module, network.backbone, pixels.permute(0, 3, 1, 2), regions, up_to=up_to)

    trace: Any = torch.jit.trace  # untyped
    with torch.no_grad(), warnings.catch_warnings():
        # The tracer is deprecated (its successor takes seven times as long), and it warns that it fixes what depends
        # on the input's size, which is fixed.
        warnings.simplefilter("ignore")
        # Traced here, as a function: OpenVINO's own way through the modules, checked by a second trace, takes 3 s.
        traced = trace(features, example, check_trace=False)
        return openvino.convert_model(traced, example_input=example, input=[1, size, size, 3])
