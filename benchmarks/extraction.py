"""Feature extraction with the default backbone against eager torch in batches of 32, and its peak memory.

    python -m benchmarks.extraction [FOLDER]

Images of FOLDER, by default those of one demo category. The eager side is the plain network, and from files one that
decodes each image before it runs; what counts are the ratios within one run, since machines are noisy.
"""

import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from benchmarks import peak
from gad_core.data.datasets import ImageSet, read_dataset, read_folder
from gad_core.data.demo import write_demo
from gad_core.data.images import decode, resize
from gad_core.features.cache import FeatureCache
from gad_core.features.engines import load_engine
from gad_core.features.extract import extract, load_pixels
from gad_core.features.levels import pooled_levels
from gad_core.features.timm_models import build

BACKBONE = "tf_efficientnet_lite0"
REPEATS = 4
SMALL, LARGE = 200, 2000  # images whose peaks of memory are compared


def seconds(*works: Callable[[], object]) -> list[float]:
    """The best time of each, run in turns, so that a busy moment of the machine slows all of them."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(REPEATS):
        for work, mine in zip(works, times, strict=True):
            start = time.perf_counter()
            work()
            mine.append(time.perf_counter() - start)
    return [min(mine) for mine in times]


def throughput(images: ImageSet) -> None:
    engine, plain = load_engine(BACKBONE), build(BACKBONE).eval().requires_grad_(False)
    backbone = engine.network.backbone
    pixels = load_pixels(images, backbone)

    def eager(source: np.ndarray) -> None:
        with torch.inference_mode():
            for start in range(0, len(source), 32):
                batch = torch.from_numpy(source[start : start + 32]).permute(0, 3, 1, 2)
                pooled_levels(plain, backbone, batch)

    def eager_from_files() -> None:
        for start in range(0, len(images), 32):
            files = images.files[start : start + 32]
            eager(np.stack([resize(decode(file.path), backbone.input_size) for file in files]))

    start = time.perf_counter()
    list(engine.stream(pixels[:1]))
    print(f"{len(images)} images, {backbone.name}; made ready in {time.perf_counter() - start:.2f} s")
    with tempfile.TemporaryDirectory() as root:
        known, full = FeatureCache(Path(root, "pixels")), FeatureCache(Path(root, "features"))
        extract(images, engine, cache=full)

        def from_known_pixels() -> None:
            shutil.rmtree(known.root / "features", ignore_errors=True)
            extract(images, engine, cache=known)

        from_known_pixels()
        alone, cached, eager_alone, files, eager_files, again = seconds(
            lambda: list(engine.stream(pixels)),
            from_known_pixels,
            lambda: eager(pixels),
            lambda: extract(images, engine),
            eager_from_files,
            lambda: extract(images, engine, cache=full),
        )
    rows = (
        ("engine alone", alone, eager_alone),
        ("extraction, pixels cached", cached, eager_alone),
        ("extraction, from files", files, eager_files),
    )
    print(f"{'images per second':28} {'ours':>8} {'eager':>8} {'ratio':>7}")
    for name, ours, eagers in rows:
        print(f"{name:28} {len(images) / ours:8.1f} {len(images) / eagers:8.1f} {eagers / ours:6.1f}x")
    print(f"again, all cached: {again * 1e3:.0f} ms")


def report_peak(folder: Path, n: int) -> None:
    images = read_folder(folder)
    with tempfile.TemporaryDirectory() as root:
        extract(ImageSet(images.files[:n]), load_engine(BACKBONE), cache=FeatureCache(Path(root)))
    peak.report()


def memory() -> None:
    with tempfile.TemporaryDirectory() as root:
        rng = np.random.default_rng(0)
        scene = Image.fromarray(rng.integers(0, 256, (40, 40, 3), np.uint8)).resize((320, 320))
        for index in range(LARGE):
            scene.putpixel((index % 320, index // 320), (255, 0, 0))
            scene.save(Path(root) / f"{index:04}.bmp")
        small, large = (peak.of_process("benchmarks.extraction", root, n) for n in (SMALL, LARGE))
    print(f"peak memory: {small:.0f} MB with {SMALL} images, {large - small:+.0f} MB with {LARGE}")


def main() -> None:
    if sys.argv[1:2] == ["--peak"]:
        report_peak(Path(sys.argv[2]), int(sys.argv[3]))
        return
    with tempfile.TemporaryDirectory() as root:
        folder = Path(sys.argv[1]) if sys.argv[1:] else write_demo(Path(root), categories=("weave",))[0]
        throughput(read_dataset(folder).train)
    memory()


if __name__ == "__main__":
    main()
