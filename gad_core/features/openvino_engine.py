"""A network on the CPU through OpenVINO, in float32."""

import threading
import warnings
from collections import deque
from collections.abc import Generator, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from gad_core.features.levels import pooled_levels
from gad_core.features.networks import Network, Pixels, Vector
from gad_core.features.regions import Regions

if TYPE_CHECKING:
    import openvino

_SETTINGS = {
    "PERFORMANCE_HINT": "THROUGHPUT",  # streams with one image each, as many as suit the machine
    "INFERENCE_PRECISION_HINT": "f32",  # by itself it takes bf16 on newer CPUs, which moves scores by 10-300 %
}
_KEPT = 4  # compiled networks, 30 MB each
_WAITING = 2  # requests beyond those that run, so that no stream waits for its next image


class OpenVinoEngine:
    """Keeps compiled networks, which several threads may use: one for each way to pool, made at its first image."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self._compiled: dict[Regions | None, openvino.CompiledModel] = {}
        self._compiling = threading.Lock()

    def stream(self, pixels: Iterable[Pixels], *, regions: Regions | None = None) -> Generator[Vector, None, None]:
        """Features (sum C,) of each image (S, S, 3), in order; behind them those by region."""
        idle: list[openvino.InferRequest] = []
        running: deque[openvino.InferRequest] = deque()
        for image in pixels:
            if not idle and not running:
                idle = self._requests(regions)
            if idle:
                request = idle.pop()
            else:
                request = running.popleft()
                yield _result(request)
            request.start_async({0: image[np.newaxis]})  # copies the pixels
            running.append(request)
        while running:
            yield _result(running.popleft())

    def _requests(self, regions: Regions | None) -> "list[openvino.InferRequest]":
        with self._compiling:
            if regions not in self._compiled:
                if len(self._compiled) >= _KEPT:  # every region of interest that was tried is a network of its own
                    del self._compiled[next(iter(self._compiled))]
                self._compiled[regions] = _compile(self.network, regions)
            compiled = self._compiled[regions]
        count = compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS") + _WAITING
        return [compiled.create_infer_request() for _ in range(count)]


def _compile(network: Network, regions: Regions | None) -> "openvino.CompiledModel":
    """The network from one uint8 image (1, S, S, 3) to its features (1, sum C), and behind them those by region."""
    # Imported late: where all features are known, nothing is compiled.
    from gad_core.features._openvino import openvino  # noqa: PLC0415

    size = network.backbone.input_size
    example = torch.zeros(1, size, size, 3, dtype=torch.uint8)

    def features(pixels: Tensor) -> Tensor:
        return pooled_levels(network.module, network.backbone, pixels.permute(0, 3, 1, 2), regions)

    trace: Any = torch.jit.trace  # untyped
    with torch.no_grad(), warnings.catch_warnings():
        # The tracer is deprecated (its successor takes seven times as long), and it warns that it fixes what depends
        # on the input's size, which is fixed.
        warnings.simplefilter("ignore")
        # Traced here, as a function: OpenVINO's own way through the modules, checked by a second trace, takes 3 s.
        traced = trace(features, example, check_trace=False)
        model = openvino.convert_model(traced, example_input=example, input=[1, size, size, 3])
    return openvino.Core().compile_model(model, "CPU", _SETTINGS)


def _result(request: "openvino.InferRequest") -> Vector:
    request.wait()
    vector: Vector = request.get_output_tensor(0).data[0].copy()
    return vector
