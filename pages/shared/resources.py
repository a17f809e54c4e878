"""The core's long-lived objects, one of each per server: nobody may change what comes out of here."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from gad_core.attribution.deep_shap import Attribution, attribute
from gad_core.data.datasets import Dataset, ImageFile, ImageSet, read_dataset
from gad_core.decision import reduction_map as maps
from gad_core.decision.evaluation import LevelScores, Projected, left_out_rates, level_scores
from gad_core.decision.rates import Rate
from gad_core.decision.working_point import METHODS
from gad_core.features.cache import FeatureCache
from gad_core.features.engines import Engine, make_engine
from gad_core.features.extract import extract, load_pixels
from gad_core.features.networks import load_network
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.detector_file import load_detector
from gad_core.gaussian.spectrum import Distance
from gad_core.gaussian.tuning import Tuning
from gad_core.workspace.jobs import JobQueue
from gad_core.workspace.rows import DatasetRow, DetectorRow
from gad_core.workspace.store import Store, open_store


@st.cache_resource(show_spinner=False)
def store() -> Store:
    """The workspace of this server."""
    return open_store()


@st.cache_resource(show_spinner=False)
def jobs() -> JobQueue:
    """The queue in which heavy work waits its turn."""
    return JobQueue(store())


@st.cache_resource(show_spinner=False)
def feature_cache() -> FeatureCache:
    """Features and resized pixels, by content."""
    return FeatureCache(store().cache)


@st.cache_resource(show_spinner=False, max_entries=2)
def engine(backbone: str) -> Engine:
    """A network ready to run; compiled when it first has to."""
    return make_engine(load_network(backbone))


def dataset(row: DatasetRow) -> Dataset:
    """The images of a data set, read again when they have changed."""
    return dataset_at(row.root, row.modified)


@st.cache_resource(show_spinner="Reading the images …", max_entries=8)
def dataset_at(root: Path, modified: datetime) -> Dataset:
    """The same by folder and time of the last change."""
    return read_dataset(root)


def detector(row: DetectorRow) -> Detector:
    """A fitted detector, read again when another threshold was adopted for it."""
    return _detector(row.path, _written(row.path))


def _written(path: Path) -> int:
    """When a file was written; loading says what is wrong with one that is not there."""
    return path.stat().st_mtime_ns if path.exists() else 0


@st.cache_resource(show_spinner="Opening the detector …", max_entries=4)
def _detector(path: Path, written: int) -> Detector:
    return load_detector(path)


@dataclass(frozen=True)
class TestImages:
    """A detector with the test images of a data set laid out before it."""

    detector: Detector
    projected: Projected
    test: ImageSet
    features: NDArray[np.float32]  # of the test images (m, sum of channels)


def test_images(detector_row: DetectorRow, dataset_row: DatasetRow) -> TestImages:
    """See the test images from the detector; their features come from the cache."""
    fitted, written = detector(detector_row), _written(detector_row.path)
    return _test_images(fitted, detector_row.id, written, dataset_row.root, dataset_row.modified)


@st.cache_resource(show_spinner="Looking at the test images …", max_entries=4)
def _test_images(_detector: Detector, detector_id: str, written: int, root: Path, modified: datetime) -> TestImages:
    network = engine(_detector.backbone)
    _detector.check_weights(network.network.fingerprint)
    extraction = extract(dataset_at(root, modified).test, network, cache=feature_cache())
    return TestImages(_detector, Projected.of(_detector, extraction.features), extraction.images, extraction.features)


def promise_curves(
    detector_row: DetectorRow, dataset_row: DatasetRow, tuning: Tuning, level: str, targets: tuple[float, ...]
) -> dict[str, list[Rate | None]]:
    """Left-out rate of every method that has a threshold on this level, over the whole range of targets."""
    found = scores(detector_row, dataset_row, tuning)[level]
    return _promise_curves(found, detector_row.id, tuning, level, targets)


@st.cache_data(show_spinner=False, max_entries=64)
def _promise_curves(
    _scores: LevelScores, detector_id: str, tuning: Tuning, level: str, targets: tuple[float, ...]
) -> dict[str, list[Rate | None]]:
    curves = {method: left_out_rates(_scores, method, targets) for method in METHODS}
    return {method: rates for method, rates in curves.items() if any(rates)}


def scores(detector_row: DetectorRow, dataset_row: DatasetRow, tuning: Tuning) -> dict[str, LevelScores]:
    """Scores of every level and the sum at one tuning."""
    return _scores(
        test_images(detector_row, dataset_row), detector_row.id, dataset_row.id, dataset_row.modified, tuning
    )


@st.cache_resource(show_spinner=False, max_entries=64)
def _scores(
    _test: TestImages, detector_id: str, dataset_id: str, modified: datetime, tuning: Tuning
) -> dict[str, LevelScores]:
    return level_scores(_test.projected, tuning)


def reduction_map(detector_row: DetectorRow, dataset_row: DatasetRow, score: Distance) -> maps.ReductionMap | None:
    """Every level at every cut on the test images; None without two of each kind."""
    seen = test_images(detector_row, dataset_row)
    return _reduction_map(seen, detector_row.id, dataset_row.id, dataset_row.modified, score)


@st.cache_resource(show_spinner="Trying every cut …", max_entries=16)
def _reduction_map(
    _test: TestImages, detector_id: str, dataset_id: str, modified: datetime, score: Distance
) -> maps.ReductionMap | None:
    labels = _test.images.labels
    if min(labels.sum(), (~labels).sum()) < 2:
        return None
    return maps.reduction_map(_test.projected, labels, score=score)


def sum_areas(detector_row: DetectorRow, dataset_row: DatasetRow, tuning: Tuning) -> NDArray[np.float64]:
    """AUROC of the sum over the tuned levels at every cut."""
    seen = test_images(detector_row, dataset_row)
    return _sum_areas(seen, detector_row.id, dataset_row.id, dataset_row.modified, tuning.levels, tuning.distance)


@st.cache_resource(show_spinner=False, max_entries=64)
def _sum_areas(
    _test: TestImages, detector_id: str, dataset_id: str, modified: datetime, levels: tuple[int, ...], score: Distance
) -> NDArray[np.float64]:
    return maps.sum_areas(_test.projected, _test.images.labels, levels, score=score)


def inflation(detector_row: DetectorRow, dataset_row: DatasetRow, score: Distance) -> NDArray[np.float64]:
    """Left-out over fitted distance of every level at every cut."""
    seen = test_images(detector_row, dataset_row)
    return _inflation(seen, detector_row.id, score)


@st.cache_resource(show_spinner="Trying every cut …", max_entries=16)
def _inflation(_test: TestImages, detector_id: str, score: Distance) -> NDArray[np.float64]:
    return maps.inflation(_test.detector, score=score)


def pixels(detector_row: DetectorRow, file: ImageFile) -> NDArray[np.uint8]:
    """An image (S, S, 3) as the network sees it."""
    network = engine(detector(detector_row).backbone).network
    return load_pixels(ImageSet((file,)), network.backbone, cache=feature_cache())[0]


def attribution(detector_row: DetectorRow, file: ImageFile, tuning: Tuning, n_references: int) -> Attribution:
    """Which pixels an image's score comes from, a map a level."""
    return attribution_of(detector_row, pixels(detector_row, file), file.digest, tuning, n_references)


def attribution_of(
    detector_row: DetectorRow, image: NDArray[np.uint8], name: str, tuning: Tuning, n_references: int
) -> Attribution:
    """The same of pixels (S, S, 3) that go by a name of their own."""
    fitted, written = detector(detector_row), _written(detector_row.path)
    return _attribution(fitted, image, detector_row.id, written, name, tuning, n_references)


@st.cache_resource(show_spinner=False, max_entries=32)
def _attribution(
    _detector: Detector,
    _image: NDArray[np.uint8],
    detector_id: str,
    written: int,
    name: str,
    tuning: Tuning,
    n_references: int,
) -> Attribution:
    network = engine(_detector.backbone).network
    return attribute(_detector, network, _image, tuning=tuning, n_references=n_references)
