"""anomalib's PaDiM and PatchCore against our default fit: the same network, the same pixels, fitted and scored.

anomalib stands in an environment of its own (`requirements-bench.txt`); the interpreter there is named by
GAD_BENCH_PYTHON, and this whole subject runs in it, so that both sides take turns in one process.
"""

import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.augmentation import PixelCache
from benchmarks.suite.networks import BATCH, BUNDLED, Measured, measured
from benchmarks.suite.pictures import write_parts
from benchmarks.suite.rows import Row, faster, not_measured
from benchmarks.suite.turns import REPEATS, in_turns
from gad_core.data.datasets import read_dataset
from gad_core.decision.curves import auroc
from gad_core.features.engines import load_engine
from gad_core.features.extract import load_pixels
from gad_core.features.levels import normalise
from gad_core.gaussian.extraction import extract_for
from gad_core.gaussian.fit import fit_images
from gad_core.gaussian.settings import FitSettings

_SIZES = {False: (100, 50), True: (12, 6)}  # images to fit and to judge; the second when quick
#: Blocks whose maps both take, at strides 4, 8 and 16; PatchCore leaves out the first, as its authors do.
_LAYERS = ("blocks.1", "blocks.2", "blocks.4")
_KEPT = 100  # channels that PaDiM draws, as for a ResNet-18
_CORESET = 0.01  # of the patches, the smallest share of PatchCore's paper; 10 % take ten times as long to choose

Scores = NDArray[np.float64]


def rows(*, quick: bool = False) -> list[Row]:
    """A line a model of anomalib's."""
    if find_spec("anomalib") is None:
        why = "anomalib is not installed here; GAD_BENCH_PYTHON names an interpreter that has requirements-bench.txt"
        return [not_measured(f"regions against {name}", why) for name in ("PaDiM", "PatchCore")]
    with tempfile.TemporaryDirectory() as scratch:
        train, test = _SIZES[quick]
        write_parts(Path(scratch) / "parts", train=train, test=test)
        return _measure(Path(scratch))


def _measure(scratch: Path) -> list[Row]:
    dataset, engine = read_dataset(scratch / "parts"), load_engine(BUNDLED, device="cpu")
    cache, backbone = PixelCache(scratch / "cache"), engine.network.backbone
    pixels = [load_pixels(images, backbone, cache=cache) for images in (dataset.train, dataset.test)]
    one, labels = measured(BUNDLED), dataset.test.labels

    def ours() -> Scores:
        detector = fit_images(dataset.train, engine, FitSettings(backbone=BUNDLED), cache=cache).detector
        return detector.scores(extract_for(detector, dataset.test, engine, cache=cache).features)

    sides: dict[str, Callable[[], Scores]] = {
        "ours": ours,
        "PaDiM": lambda: padim(one, *pixels),
        "PatchCore": lambda: patchcore(one, *pixels),
    }
    seconds = in_turns(sides, REPEATS)
    areas = {name: 100 * auroc(side(), labels).value for name, side in sides.items()}
    return [
        faster(
            f"regions against {name}: {len(pixels[0])} images fitted, {len(pixels[1])} scored, from pixels",
            seconds["ours"],
            seconds[name],
            note=f"AUROC {areas['ours']:.1f} and {areas[name]:.1f}",
        )
        for name in ("PaDiM", "PatchCore")
    ]


def padim(one: Measured, train: NDArray[np.uint8], test: NDArray[np.uint8]) -> Scores:
    """Scores (n,) by anomalib's own model, without its trainer."""
    from anomalib.models.image.padim.torch_model import PadimModel  # noqa: PLC0415 - where it is installed

    torch.manual_seed(0)
    model = PadimModel(BUNDLED, list(_LAYERS), pre_trained=False, n_features=_KEPT)
    _with_weights(model, one)
    _through(model.train(), one, train)
    model.fit()
    return _scores(model.eval(), one, test)


def patchcore(one: Measured, train: NDArray[np.uint8], test: NDArray[np.uint8]) -> Scores:
    """Scores (n,) by anomalib's own model, without its trainer."""
    from anomalib.models.image.patchcore.torch_model import PatchcoreModel  # noqa: PLC0415 - where it is installed

    torch.manual_seed(0)
    model = PatchcoreModel(list(_LAYERS[1:]), BUNDLED, pre_trained=False)
    _with_weights(model, one)
    _through(model.train(), one, train)
    model.subsample_embedding(_CORESET)
    return _scores(model.eval(), one, test)


def _with_weights(model: Any, one: Measured) -> None:
    """Give anomalib's part of the network our weights; of the rest it has nothing."""
    found = model.feature_extractor.feature_extractor.load_state_dict(one.plain.state_dict(), strict=False)
    assert not found.missing_keys


def _through(model: torch.nn.Module, one: Measured, pixels: NDArray[np.uint8]) -> list[Tensor]:
    with torch.inference_mode():
        return [model(normalise(part, one.backbone)) for part in _parts(pixels)]


def _scores(model: torch.nn.Module, one: Measured, pixels: NDArray[np.uint8]) -> Scores:
    return np.concatenate([found.pred_score.flatten().double().numpy() for found in _through(model, one, pixels)])


def _parts(pixels: NDArray[np.uint8]) -> tuple[Tensor, ...]:
    return torch.from_numpy(np.asarray(pixels)).permute(0, 3, 1, 2).split(BATCH)
