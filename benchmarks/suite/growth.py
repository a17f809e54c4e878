"""How time and memory grow with images and with augmented passes: extraction and fit, each in a process of its own."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks import peak
from benchmarks.suite.networks import BUNDLED
from benchmarks.suite.pictures import write_small
from benchmarks.suite.rows import Row, alone, exponent
from benchmarks.suite.turns import REPEATS, once
from gad_core.data.augment_settings import FIG_5
from gad_core.data.datasets import ImageSet, read_folder
from gad_core.features.engines import load_engine
from gad_core.features.extract import extract
from gad_core.gaussian.fit import fit_images
from gad_core.gaussian.settings import Augmented, FitSettings

_SIZES = (100, 1_000, 10_000)
_PASSES = (1, 10, 100)
_FEW = 10  # images that are augmented
_TARGET = 1.05


def rows(*, quick: bool = False) -> list[Row]:
    """Exponents of time and peaks of memory, over images and over passes."""
    sizes, passes, repeats = ((8, 16), (1, 2), 1) if quick else (_SIZES, _PASSES, REPEATS)
    with tempfile.TemporaryDirectory() as scratch:
        images, few = (write_small(Path(scratch) / str(n), n) for n in (max(sizes), _FEW))
        return [
            *_growth("extraction", "images", sizes, [("extract", images, n) for n in sizes], repeats),
            *_growth("extraction and fit", "images", sizes, [("fit", images, n) for n in sizes], repeats),
            *_growth("fit of 10 images", "passes", passes, [("passes", few, n) for n in passes], repeats),
        ]


def _growth(
    work: str, of: str, sizes: Sequence[int], tasks: Sequence[tuple[str, Path, int]], repeats: int
) -> list[Row]:
    """Each size in a process of its own, one round after the other."""
    rounds = [[_in_process(*task) for task in tasks] for _ in range(repeats)]
    seconds, megabytes = (np.array([[one[key] for one in each] for each in rounds]) for key in ("seconds", "peak"))
    span = f"{', '.join(f'{size:,}' for size in sizes)} {of}"
    middle = np.median(seconds, axis=0)
    times = ", ".join(f"{value:.3g}" for value in middle)
    peaks = ", ".join(f"{value:.0f}" for value in np.median(megabytes, axis=0))
    first, last = ((megabytes[:, -1] - megabytes[:, at]) / (sizes[-1] - sizes[at]) * 1024 for at in (0, -2))
    return [
        alone(
            f"{work}: exponent of time over {span}",
            [exponent(sizes, one) for one in seconds],
            unit="exponent",
            note=f"{times} s",
        ).aiming(_TARGET, at_most=True),
        alone(f"{work}: memory that each of the {of} adds", first, unit="kB", note=f"peaks {peaks} MB"),
        alone(f"{work}: memory that each beyond {sizes[-2]:,} {of} adds", last, unit="kB"),
    ]


def _in_process(kind: str, folder: Path, n: int) -> dict[str, float]:
    command = [sys.executable, "-m", __name__, kind, str(folder), str(n)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - ourselves
    answer: dict[str, float] = json.loads(ended.stdout)
    return answer


def _work(kind: str, folder: Path, n: int) -> dict[str, float]:
    """Seconds and peak MB here; what a process has to load is loaded before."""
    images, engine = read_folder(folder), load_engine(BUNDLED, device="cpu")
    some = ImageSet(images.files if kind == "passes" else images.files[:n])
    augmented = Augmented(FIG_5, n) if kind == "passes" else None
    settings = FitSettings(backbone=BUNDLED, regions=None, n_folds=5, augmented=augmented)
    extract(ImageSet(images.files[-3:]), engine)  # compiles it
    seconds = once(lambda: extract(some, engine) if kind == "extract" else fit_images(some, engine, settings))
    return {"seconds": seconds, "peak": peak.megabytes()}


if __name__ == "__main__":
    print(json.dumps(_work(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))))
