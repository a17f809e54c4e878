"""From image files to scores: 200 to fit, 100 to judge, against scripts and against decoding and network alone."""

import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.suite import pipelines
from benchmarks.suite.networks import BUNDLED, SIDE, measured
from benchmarks.suite.pictures import write_parts
from benchmarks.suite.rows import Row, faster, share
from benchmarks.suite.turns import REPEATS, in_turns
from gad_core.data.datasets import read_dataset
from gad_core.data.images import decode_resized
from gad_core.features.cache import FeatureCache
from gad_core.features.engines import load_engine
from gad_core.features.extract import extract
from gad_core.gaussian.extraction import extract_for
from gad_core.gaussian.fit import fit_images
from gad_core.gaussian.reduction import NPCA_1
from gad_core.gaussian.settings import FitSettings
from gad_core.gaussian.spectrum import fit_gaussian
from gad_core.gaussian.tuning import Tuning, all_levels

_SIZES = {False: (200, 100), True: (12, 6)}  # images to fit and to judge; the second when quick
_TARGETS = (5.0, 1.05)  # against the reference's way, and against the floor
_AGREE = 0.02  # relative: a script rounds the stem's means otherwise


def rows(*, quick: bool = False) -> list[Row]:
    """Ours with and without left-out folds against two scripts and the floor."""
    with tempfile.TemporaryDirectory() as scratch:
        train, test = _SIZES[quick]
        write_parts(Path(scratch), train=train, test=test)
        return _measure(Path(scratch))


def _measure(folder: Path) -> list[Row]:
    network, engine = measured(BUNDLED), load_engine(BUNDLED, device="cpu")
    backbone = engine.network.backbone
    tuning = Tuning(all_levels(backbone), NPCA_1)
    paths = {split: sorted((folder / split).rglob("*.png")) for split in ("train", "test")}
    both = (paths["train"], paths["test"])

    def ours() -> NDArray[np.float64]:
        dataset = read_dataset(folder)
        fitted = extract(dataset.train, engine).features
        asked = extract(dataset.test, engine).features
        total = np.zeros(len(asked))
        for part in backbone.level_slices:
            gaussian = fit_gaussian(fitted[:, part])
            total += gaussian.spectrum.distances(gaussian.coordinates(asked[:, part]), NPCA_1)
        return total

    def with_folds(cache: FeatureCache | None = None, **options: object) -> NDArray[np.float64]:
        dataset = read_dataset(folder)
        settings = FitSettings(backbone=BUNDLED, **options)  # type: ignore[arg-type]
        detector = fit_images(dataset.train, engine, settings, cache=cache).detector
        return detector.scores(extract_for(detector, dataset.test, engine, cache=cache).features)

    def by_paper() -> NDArray[np.float64]:
        return pipelines.as_the_paper_says(network, *both, variance=NPCA_1.variance, workers=_workers())

    def decoding() -> list[NDArray[np.uint8]]:
        with ThreadPoolExecutor(_workers()) as pool:
            return list(pool.map(lambda path: decode_resized(path, SIDE), [*both[0], *both[1]]))

    pixels = decoding()
    _check(ours(), by_paper())
    with tempfile.TemporaryDirectory() as known:
        seconds = in_turns(
            {
                "ours": ours,
                "with folds": lambda: with_folds(tuning=tuning, regions=None, n_references=0),
                "regions": with_folds,
                "again": lambda: with_folds(FeatureCache(Path(known))),
                "paper": by_paper,
                "inverse": lambda: pipelines.by_inverse(network, *both, shrunk=False, workers=0),
                "shrunk": lambda: pipelines.by_inverse(network, *both, shrunk=True, workers=0),
                "decoding": decoding,
                "network": lambda: list(engine.stream(pixels)),
            },
            REPEATS,
        )
    floor = [sum(pair) for pair in zip(seconds["decoding"], seconds["network"], strict=True)]
    reference, least = _TARGETS
    return [
        faster("against the paper's method as a script", seconds["ours"], seconds["paper"]).aiming(reference),
        faster("against mean, covariance, inverse", seconds["ours"], seconds["inverse"]),
        faster("against mean, Ledoit-Wolf, inverse", seconds["ours"], seconds["shrunk"]),
        share("times decoding and network on all cores", seconds["ours"], floor).aiming(least, at_most=True),
        faster("the same with left-out folds, against the paper's script", seconds["with folds"], seconds["paper"]),
        faster("the default fit with regions and folds, against the script", seconds["regions"], seconds["paper"]),
        faster("once more, features known, against the script", seconds["again"], seconds["paper"]),
    ]


def _workers() -> int:
    return os.cpu_count() or 1


def _check(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> None:
    """Whoever is faster has to give the same scores."""
    np.testing.assert_allclose(ours, theirs, rtol=_AGREE)
