"""Images a second on a graphics card, where torch finds one: float32, as it comes and in the ways that may pay."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.suite.extraction import NETWORKS
from benchmarks.suite.networks import Measured, measured, noise
from benchmarks.suite.rows import Row, faster, not_measured
from benchmarks.suite.turns import REPEATS, in_turns
from gad_core.features.levels import pooled_levels
from gad_core.features.torch_engine import TorchEngine

_BATCH, _BATCHES = 256, 8


def rows(*, quick: bool = False) -> list[Row]:
    """Our engine there against eager torch, against channels last, CUDA graphs and `torch.compile`."""
    if not torch.cuda.is_available():
        return [not_measured("images a second on a graphics card", "torch finds none here")]
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    return [row for name in NETWORKS[: 1 if quick else None] for row in _network(measured(name))]


def _network(one: Measured) -> list[Row]:
    batch = torch.from_numpy(noise(_BATCH)).permute(0, 3, 1, 2).cuda()
    last = batch.contiguous(memory_format=torch.channels_last)
    folded = one.network.module.cuda()
    in_rows = measured(one.backbone.name).network.module.cuda().to(memory_format=torch.channels_last)
    plain = one.plain.cuda()
    works = {
        "plain": _repeated(plain, one, batch),
        "folded": _repeated(folded, one, batch),
        "channels last": _repeated(in_rows, one, last),
        "CUDA graph": _graph(in_rows, one, last),
        "torch.compile": _repeated(torch.compile(in_rows, mode="max-autotune-no-cudagraphs"), one, last),
    }
    engine = TorchEngine(measured(one.backbone.name).network, "cuda")
    pixels = noise(_BATCH * _BATCHES)
    seconds = in_turns({**works, "engine, from memory": lambda: list(engine.stream(pixels))}, REPEATS)
    card, count = torch.cuda.get_device_name(), _BATCH * _BATCHES
    return [
        faster(
            f"{one.backbone.name}: {name} against plain eager torch",
            seconds[name],
            seconds["plain"],
            unit="ms/image",
            scale=1e3 / count,
            note=f"{count / np.median(seconds[name]):,.0f} images a second on {card}",
        )
        for name in seconds
        if name != "plain"
    ]


def _repeated(module: nn.Module, one: Measured, batch: Tensor) -> Callable[[], None]:
    def work() -> None:
        with torch.inference_mode():
            for _ in range(_BATCHES):
                pooled_levels(module, one.backbone, batch)
        torch.cuda.synchronize()

    return work


def _graph(module: nn.Module, one: Measured, batch: Tensor) -> Callable[[], None]:
    """The same as one recorded graph, which spares the launches."""
    side = torch.cuda.Stream()
    with torch.inference_mode():
        with torch.cuda.stream(side):  # what cuDNN tries out must not be recorded
            pooled_levels(module, one.backbone, batch)
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            pooled_levels(module, one.backbone, batch)

    def work() -> None:
        for _ in range(_BATCHES):
            graph.replay()
        torch.cuda.synchronize()

    return work
