"""Regions against the whole image: what they find, where, and what they cost.

    python -m benchmarks.regions FOLDER [FOLDER ...]

Each FOLDER is a category in MVTec layout. Printed are AUROC, defects caught and good test parts flagged at a 5 %
cross-conformal threshold (with its exact interval), pixel AUROC and AUPRO up to 30 % where there are masks, seconds for
a fit with 20 folds once features are there, and milliseconds to score an image from pixels, the best of three.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from gad_core.attribution.masks import localised
from gad_core.data.datasets import read_dataset
from gad_core.decision.curves import auroc
from gad_core.decision.evaluation import Projected, level_scores, point_rates, threshold
from gad_core.features.cache import FeatureCache
from gad_core.features.engines import load_engine
from gad_core.features.extract import extract, load_pixels
from gad_core.features.regions import Regions, region_levels
from gad_core.gaussian.fit import fit_images
from gad_core.gaussian.settings import FitSettings
from gad_core.gaussian.tuning import presets

TARGET, FOLDS, TIMED = 0.05, 20, 48
NAME = "tf_efficientnet_lite0"


def milliseconds(engine, detector, tuning, pixels) -> float:
    """To score an image, network included."""
    regions, times = detector.regions, []
    for _ in range(3):
        start = time.perf_counter()
        detector.scores(np.stack(list(engine.stream(pixels, regions=regions))), tuning)
        times.append(1000 * (time.perf_counter() - start) / len(pixels))
    return min(times)


def rows(folder: Path, engine, cache: FeatureCache) -> list[str]:
    """A line a preset."""
    dataset, backbone = read_dataset(folder, need_test=True), engine.network.backbone
    regions = Regions(7, 7, region_levels(backbone))
    pixels = load_pixels(dataset.train.where(np.arange(len(dataset.train)) < TIMED), backbone, cache=cache)
    lines = []
    for name, tuning in presets(backbone, regions).items():
        wanted = regions if tuning.pool else None
        settings = FitSettings(backbone=NAME, n_folds=FOLDS, regions=wanted)
        known = extract(dataset.train, engine, regions=wanted, cache=cache)
        start = time.perf_counter()
        detector = fit_images(dataset.train, engine, settings, known=known).detector
        seconds = time.perf_counter() - start
        test = extract(dataset.test, engine, regions=wanted, cache=cache)
        labels = test.images.labels
        scores = level_scores(Projected.of(detector, test.features), tuning)["sum"]
        rates = point_rates(scores, labels, threshold(scores, "cross-conformal", TARGET))
        found = localised(detector, test.features, test.images, tuning)
        where = f"{100 * found.pixel_auroc:6.1f} {100 * found.aupro:6.1f}" if found else f"{'–':>6} {'–':>6}"
        lines.append(
            f"{folder.name:>14} {name:>24} {100 * auroc(scores.test, labels).value:6.1f} {100 * rates.tpr.value:7.1f} "
            f"{100 * rates.test.value:6.1f} [{100 * rates.test.low:4.1f}, {100 * rates.test.high:4.1f}] {where} "
            f"{seconds:6.1f} {milliseconds(engine, detector, tuning, pixels):6.1f}"
        )
    return lines


def main() -> None:
    engine = load_engine(NAME)
    print(
        f"{'':>14} {'preset':>24} {'AUROC':>6} {'caught':>7} {'good flagged':>19} {'pixels':>6} {'AUPRO':>6} "
        f"{'fit, s':>6} {'ms':>6}"
    )
    with tempfile.TemporaryDirectory() as cache:
        for folder in map(Path, sys.argv[1:]):
            for line in rows(folder, engine, FeatureCache(Path(cache))):
                print(line, flush=True)


if __name__ == "__main__":
    main()
