"""A network on the CPU through OpenVINO, in float32."""

import threading
from collections import deque
from collections.abc import Generator, Iterable
from contextlib import suppress
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from gad_core.features.cache import FeatureCache
from gad_core.features.frozen import Network, Pixels, Vector
from gad_core.features.kept_networks import find_compiled, keep_compiled
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
    """Keeps compiled networks, which several threads may use, each made at its first image.

    There is one for each way to pool and each level to end at. With a cache they are kept there too, and the next
    process converts nothing.
    """

    def __init__(self, network: Network, cache: FeatureCache | None = None) -> None:
        self.network, self._cache = network, cache
        self._compiled: dict[tuple[Regions | None, int | None], openvino.CompiledModel] = {}
        self._compiling = threading.Lock()

    def stream(
        self, pixels: Iterable[Pixels], *, regions: Regions | None = None, up_to: int | None = None
    ) -> Generator[Vector, None, None]:
        """Features (sum C,) of each image (S, S, 3), in order; behind them those by region."""
        idle: list[openvino.InferRequest] = []
        running: deque[openvino.InferRequest] = deque()
        for image in pixels:
            if not idle and not running:
                idle = self._requests(regions, up_to)
            if idle:
                request = idle.pop()
            else:
                request = running.popleft()
                yield _result(request)
            request.start_async({0: image[np.newaxis]})  # copies the pixels
            running.append(request)
        while running:
            yield _result(running.popleft())

    def _requests(self, regions: Regions | None, up_to: int | None) -> "list[openvino.InferRequest]":
        if up_to == self.network.backbone.n_levels:
            up_to = None
        with self._compiling:
            if (regions, up_to) not in self._compiled:
                if len(self._compiled) >= _KEPT:  # every region of interest that was tried is a network of its own
                    del self._compiled[next(iter(self._compiled))]
                self._compiled[regions, up_to] = _compile(self.network, regions, up_to, self._cache)
            compiled = self._compiled[regions, up_to]
        count = compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS") + _WAITING
        return [compiled.create_infer_request() for _ in range(count)]


def _compile(
    network: Network, regions: Regions | None, up_to: int | None, cache: FeatureCache | None
) -> "openvino.CompiledModel":
    """The network from one uint8 image (1, S, S, 3) to its features (1, sum C), and behind them those by region."""
    # Imported late: where all features are known, nothing is compiled.
    from gad_core.features._openvino import openvino  # noqa: PLC0415

    core = openvino.Core()
    key = {
        "network": network.fingerprint,
        "regions": regions.to_json() if regions else None,
        "up_to": up_to,
        "processor": core.get_property("CPU", "FULL_DEVICE_NAME"),
        "settings": _SETTINGS,
    }
    if cache and (exported := find_compiled(cache, key)):
        with suppress(RuntimeError):  # it looks itself whether version and instructions are those it was compiled for
            return core.import_model(BytesIO(exported), "CPU", _SETTINGS)
    from gad_core.features.openvino_graph import graph_of  # noqa: PLC0415 - loads torch, which the others do without

    compiled = core.compile_model(graph_of(network, regions, up_to), "CPU", _SETTINGS)
    if cache:
        keep_compiled(cache, key, compiled.export_model().getvalue())
    return compiled


def _result(request: "openvino.InferRequest") -> Vector:
    request.wait()
    vector: Vector = request.get_output_tensor(0).data[0].copy()
    return vector
