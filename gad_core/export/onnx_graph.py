"""A detector's score graph as an ONNX file."""

import io
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx
import torch

from gad_core.export.pillow_resize import two_passes
from gad_core.export.score_graph import INPUT, OUTPUTS, ScoreGraph
from gad_core.features.frozen import Network
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.tuning import WorkingPoint

#: Of 2022: onnxruntime from 1.12, OpenVINO and TensorRT know it; nothing in the graph needs a newer one.
OPSET = 17

_EXAMPLE = (2, 48, 32)  # images, height, width: none of them stays in the graph


def write_onnx(
    path: Path, detector: Detector, network: Network, point: WorkingPoint, *, metadata: Mapping[str, str]
) -> None:
    """Write the graph from uint8 images (N, H, W, 3) to `OUTPUTS`, with the metadata as its properties."""
    buffer: Any = io.BytesIO()  # which the exporter takes and its types do not tell
    axes = {INPUT: {0: "N", 1: "H", 2: "W"}, "score": {0: "N"}, "regions": {0: "N"}, "anomalous": {0: "N"}}
    script: Any = torch.jit.script  # untyped
    with torch.no_grad(), warnings.catch_warnings():
        # Exporter and tracer are deprecated (their successor needs onnxscript), and they warn that they fix what
        # depends on the network's input size, which is fixed.
        warnings.simplefilter("ignore")
        graph = ScoreGraph(detector, network, point, passes=script(two_passes)).eval()
        torch.onnx.export(
            graph,
            (torch.zeros(*_EXAMPLE, 3, dtype=torch.uint8),),
            buffer,
            dynamo=False,
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=list(OUTPUTS),
            dynamic_axes=axes,
        )
    model = onnx.load_from_string(buffer.getvalue())
    onnx.helper.set_model_props(model, dict(metadata))
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
