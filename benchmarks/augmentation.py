"""What augmented passes cost: images a second against plain extraction, peak memory by passes, OpenCV's steps.

    python -m benchmarks.augmentation [FOLDER]

FOLDER is a category in MVTec layout; without it, the demo's washer. Both sides of a ratio read the same cached pixels
and take turns, so that a busy moment of the machine slows both.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks import peak
from gad_core.data.augment import Pass
from gad_core.data.augment_settings import FIG_5
from gad_core.data.datasets import ImageSet, read_dataset
from gad_core.data.demo import write_demo
from gad_core.features.cache import FeatureCache
from gad_core.features.engines import Engine, load_engine
from gad_core.features.extract import extract, load_pixels
from gad_core.gaussian.fit import fit_images
from gad_core.gaussian.settings import Augmented, FitSettings

ROUNDS, REPEATS = 5, 300


class PixelCache(FeatureCache):
    """Remembers pixels and forgets features, so that every extraction runs the network."""

    def keep_features(self, *_: object) -> None:
        """Forget them."""


def rates(images: ImageSet, engine: Engine, cache: FeatureCache) -> tuple[float, float]:
    """Images a second, as they are and augmented: the fastest of several rounds in turns."""
    extract(images, engine, cache=cache)  # decodes them
    seconds: tuple[list[float], list[float]] = ([], [])
    for index in range(ROUNDS):
        for times, copy in zip(seconds, (None, Pass(FIG_5, index)), strict=True):
            start = time.perf_counter()
            extract(images, engine, copy=copy, cache=cache)
            times.append(time.perf_counter() - start)
    return len(images) / min(seconds[0]), len(images) / min(seconds[1])


def milliseconds(work: Callable[[], object]) -> float:
    work()
    start = time.perf_counter()
    for _ in range(REPEATS):
        work()
    return 1e3 * (time.perf_counter() - start) / REPEATS


def steps(pixels: NDArray[np.uint8]) -> None:
    """OpenCV against torchvision's v2 transforms, where it has the step."""
    from torchvision.transforms.v2 import InterpolationMode  # noqa: PLC0415 - a network must be loaded before
    from torchvision.transforms.v2 import functional as tv  # noqa: PLC0415

    tensor, digest = torch.from_numpy(pixels.transpose(2, 0, 1).copy()), "0" * 64
    theirs: dict[str, Callable[[], object]] = {
        "affine": lambda: tv.affine(tensor, 20, [5, -5], 1.05, [0, 0], interpolation=InterpolationMode.BILINEAR),
        "colour": lambda: tv.adjust_hue(tv.adjust_saturation(tv.adjust_brightness(tensor, 1.05), 1.1), 0.03),
        "flip": lambda: tv.horizontal_flip(tensor),
    }
    for step, work in theirs.items():
        (move,) = Pass(FIG_5.alone(step), 0).moves(digest)  # type: ignore[arg-type]
        ours = milliseconds(lambda move=move: move.pixels(pixels))  # type: ignore[misc]
        print(f"{step:8} OpenCV {ours:6.2f} ms, torchvision {milliseconds(work):6.2f} ms")
    many = iter([Pass(FIG_5, index) for index in range(REPEATS + 1)])
    print(f"whole    {milliseconds(lambda: next(many)(digest, pixels)):6.2f} ms an image on average")


def report_peak(folder: Path, passes: int) -> None:
    settings = FitSettings(augmented=Augmented(FIG_5, passes))
    fit_images(read_dataset(folder).train, load_engine(settings.backbone), settings)
    peak.report()


def main() -> None:
    if sys.argv[1:2] == ["--peak"]:
        report_peak(Path(sys.argv[2]), int(sys.argv[3]))
        return
    engine = load_engine(FitSettings().backbone)
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else write_demo(root / "demo", categories=("washer",))[0]
        train = read_dataset(folder).train
        steps(load_pixels(train.where([i == 0 for i in range(len(train))]), engine.network.backbone)[0])
        plain, augmented = rates(train, engine, PixelCache(root / "cache"))
        print(f"{folder.name}: {plain:.0f} images a second plain, {augmented:.0f} augmented, {augmented / plain:.2f}")
        few, many = (peak.of_process("benchmarks.augmentation", folder, passes) for passes in (2, 20))
        print(f"peak memory {few:.0f} MB with 2 passes, {many:.0f} MB with 20: {many - few:+.0f} MB")


if __name__ == "__main__":
    main()
