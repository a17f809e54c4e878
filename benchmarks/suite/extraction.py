"""Images a second of the network alone: our engine against torch and against what the machine can multiply."""

from collections.abc import Callable

import numpy as np
import torch

from benchmarks.suite.networks import BUNDLED, Measured, measured, noise
from benchmarks.suite.rows import Row, faster, share
from benchmarks.suite.turns import REPEATS, in_turns
from gad_core.features.openvino_engine import OpenVinoEngine

NETWORKS = (BUNDLED, "tf_efficientnet_b0", "tf_efficientnet_b4", "resnet18")
_IMAGES = 64
_ORDER = 4096  # of the matrices: the rate grows no more beyond
_TARGETS = (4.5, 0.8)  # of the bundled network: against eager torch, and of the peak


def rows(*, quick: bool = False) -> list[Row]:
    """three lines a network."""
    networks = NETWORKS[:1] if quick else NETWORKS
    found = []
    for name in networks:
        lines = _network(measured(name), n=8 if quick else _IMAGES, order=512 if quick else _ORDER)
        if name == BUNDLED:
            lines[0], lines[2] = lines[0].aiming(_TARGETS[0]), lines[2].aiming(_TARGETS[1])
        found += lines
    return found


def _network(one: Measured, *, n: int, order: int) -> list[Row]:
    pixels, name = noise(n), one.backbone.name
    engine = OpenVinoEngine(one.network)
    products = multiplications(order)
    seconds = in_turns(
        {
            "ours": lambda: list(engine.stream(pixels)),
            "eager": lambda: one.eager(pixels),
            "folded": lambda: one.eager(pixels, folded=True),
            **products,
        },
        REPEATS,
    )
    peak = [2 * order**3 / min(several) for several in zip(*(seconds[key] for key in products), strict=True)]
    reached = [n * one.operations() / taken for taken in seconds["ours"]]
    images = {"unit": "ms/image", "scale": 1e3 / n}
    return [
        faster(f"{name}: engine against eager torch, batch 32", seconds["ours"], seconds["eager"], **images),
        faster(f"{name}: engine against folded torch, batch 32", seconds["ours"], seconds["folded"], **images),
        share(f"{name}: engine as a share of the machine's sgemm", reached, peak, unit="GFLOP/s", scale=1e-9),
    ]


def multiplications(order: int) -> dict[str, Callable[[], object]]:
    """Square float32 matrices multiplied on all cores, by the two libraries that are here; the faster one counts."""
    tensor = torch.randn(order, order)
    array = tensor.numpy()
    product, result = torch.empty(order, order), np.empty((order, order), np.float32)
    return {
        "torch": lambda: torch.mm(tensor, tensor, out=product),
        "numpy": lambda: np.matmul(array, array, out=result),
    }
