"""Regions against baselines on the same network: AUROC on the test images, what it costs to score an image.

    python -m benchmarks.peers FOLDER [FOLDER ...]

Each FOLDER is a category in MVTec layout (`python -m benchmarks.elpv` writes the solar cells as one). The difference is
the regions' AUROC less the baseline's, in points, with DeLong's paired interval; times are milliseconds an image, the
network included, the best of three.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

from gad_core.baselines.named import BASELINES, Work, run_baseline
from gad_core.data.datasets import read_dataset
from gad_core.decision.curves import auroc, auroc_difference
from gad_core.decision.preset_comparison import milliseconds
from gad_core.features.cache import FeatureCache
from gad_core.features.engines import load_engine
from gad_core.features.extract import load_pixels
from gad_core.gaussian.extraction import extract_for
from gad_core.gaussian.fit import fit_images
from gad_core.gaussian.settings import FitSettings

NAME = "tf_efficientnet_lite0"
PEERS = ("coreset", "neighbours", "one-class-svm")
TIMED = 48


def lines(folder: Path, engine, cache: FeatureCache) -> list[str]:
    """The regions, then a line a baseline."""
    dataset = read_dataset(folder, need_test=True)
    detector = fit_images(dataset.train, engine, FitSettings(backbone=NAME), cache=cache).detector
    test = extract_for(detector, dataset.test, engine, cache=cache)
    labels, own = test.images.labels, detector.scores(test.features)
    some = dataset.train.where(np.arange(len(dataset.train)) < TIMED)
    pixels = load_pixels(some, engine.network.backbone, cache=cache)
    time = milliseconds(detector, engine, pixels, {"own": detector.tuning})["own"]
    found = [f"{folder.name:>14} {'Regions':>22} {100 * auroc(own, labels).value:6.1f} {'':>22} {time:6.1f}"]
    for name in PEERS:
        outcome = run_baseline(name, dataset, Work(engine, cache.root, cache))
        scores = np.array([outcome.scores[digest] for digest in test.images.digests])
        less = auroc_difference(own, scores, labels)
        words = f"{100 * less.value:+6.1f} [{100 * less.low:5.1f}, {100 * less.high:5.1f}]"
        found.append(
            f"{folder.name:>14} {BASELINES[name].title:>22} {100 * auroc(scores, labels).value:6.1f} {words:>22} "
            f"{outcome.milliseconds:6.1f}"
        )
    return found


def main() -> None:
    engine = load_engine(NAME)
    print(f"{'':>14} {'':>22} {'AUROC':>6} {'regions less this':>22} {'ms':>6}")
    with tempfile.TemporaryDirectory() as cache:
        for folder in map(Path, sys.argv[1:]):
            for line in lines(folder, engine, FeatureCache(Path(cache))):
                print(line, flush=True)


if __name__ == "__main__":
    main()
