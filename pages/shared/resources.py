"""The core's long-lived objects, one of each per server: nobody may change what comes out of here.

What follows from a detector and test images is cached under their state, which changes with every write of the
detector's file and every change of the data set: whatever was computed before is then out of reach.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from gad_core.attribution.masks import localised
from gad_core.data.datasets import Dataset, ImageFile, ImageSet, Refusal
from gad_core.data.images import content_digest
from gad_core.decision import reduction_map as maps
from gad_core.decision.curves import Auroc, auroc
from gad_core.decision.evaluation import LevelScores, Projected, level_scores
from gad_core.decision.localisation import Localisation
from gad_core.decision.over_targets import over_targets
from gad_core.decision.rates import Rate
from gad_core.errors import GadError
from gad_core.features.cache import FeatureCache
from gad_core.features.engines import Engine, load_engine
from gad_core.features.extract import load_pixels
from gad_core.features.registry import get_backbone
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.detector_file import Summary, load_detector, read_summary
from gad_core.gaussian.extraction import extract_for
from gad_core.gaussian.tuning import Distance, Tuning
from gad_core.workspace.jobs import JobQueue
from gad_core.workspace.on_line import OnLine, on_line
from gad_core.workspace.rows import (
    DatasetRow,
    DatasetState,
    DetectorRow,
    DetectorState,
    InspectionRow,
    detector_state,
)
from gad_core.workspace.store import Store, open_store
from gad_core.workspace.watching import Watcher
from pages.shared import person


@st.cache_resource(show_spinner=False)
def workspace() -> Store:
    """The workspace of this server, for what the server does by itself."""
    return open_store()


def store() -> Store:
    """The workspace, open as far as the rights of whoever sits before the page go; ask again for every change."""
    reason = person.closed()
    return workspace() if reason is None else workspace().closed_to(reason)


@st.cache_resource(show_spinner=False)
def _queue() -> JobQueue:
    return JobQueue(workspace())


def jobs() -> JobQueue:
    """The queue in which heavy work waits its turn, open in the same way."""
    reason = person.closed()
    return _queue() if reason is None else _queue().closed_to(reason)


@st.cache_resource(show_spinner=False)
def feature_cache() -> FeatureCache:
    """Features and resized pixels, by content."""
    return workspace().feature_cache()


@st.cache_resource(show_spinner=False)
def watcher() -> Watcher:
    """The thread that looks through watched folders."""
    return Watcher(workspace(), cache=feature_cache()).start()


def watch_on() -> None:
    """Go on with the folders that were watched when the last server stopped."""
    if workspace().watches.active():
        watcher()


@st.cache_resource(show_spinner=False, max_entries=2)
def engine(backbone: str) -> Engine:
    """A network ready to run; compiled when it first has to."""
    return load_engine(backbone, cache=feature_cache())


@dataclass(frozen=True)
class State:
    """The key of all that follows from a detector and the test images of a data set."""

    detector: DetectorState
    dataset: DatasetState


@dataclass(frozen=True)
class TestImages:
    """A detector with the test images of a data set projected onto it, and the state that both were read in."""

    state: State
    detector: Detector
    projected: Projected
    images: ImageSet
    features: NDArray[np.float32]  # of the images (m, sum of channels)

    @property
    def refused(self) -> tuple[Refusal, ...]:
        """Test files that could not be read."""
        return self.images.refused

    @property
    def has_both_kinds(self) -> bool:
        """Whether there are good and defective images among them."""
        labels = self.images.labels
        return bool(labels.any() and not labels.all())


_NEVER = datetime.min  # when an image changes that is known by its content


_HashFuncs = dict[str | type[Any], Callable[[Any], Any]]
#: What a cache takes for the key of a thing that changes under one name: the state that it is in, or was read in.
BY_STATE: _HashFuncs = {
    DatasetRow: attrgetter("state"),
    DetectorRow: detector_state,
    TestImages: attrgetter("state"),
    ImageFile: attrgetter("digest"),
}
#: The same where the data set does not matter; pixels count whole (Streamlit itself takes a sample of large arrays).
BY_DETECTOR: _HashFuncs = {
    TestImages: attrgetter("state.detector"),
    np.ndarray: lambda pixels: content_digest(pixels.tobytes()),
}


@st.cache_resource(show_spinner="Reading the images …", max_entries=8, hash_funcs=BY_STATE)
def dataset(row: DatasetRow) -> Dataset:
    """The images of a data set, read again when they have changed."""
    return workspace().read(row)


@st.cache_resource(show_spinner=False, max_entries=64, hash_funcs=BY_STATE)
def summary(row: DetectorRow) -> Summary:
    """What a detector's file says of itself now: number of images, settings, tuning, adopted threshold."""
    _check_there(row)
    return read_summary(row.path)


@st.cache_resource(show_spinner="Opening the detector …", max_entries=4, hash_funcs=BY_STATE)
def detector(row: DetectorRow) -> Detector:
    """A fitted detector, read again when its file was written again."""
    _check_there(row)
    return load_detector(row.path)


def _check_there(row: DetectorRow) -> None:
    if not row.path.exists():
        raise GadError(f"the detector {row.name} is gone (deleted, or its file was moved); open another one on Home")


def test_images(detector_row: DetectorRow, dataset_row: DatasetRow) -> TestImages:
    """The test images of a data set before a detector, both as they are now; their features come from the cache."""
    # The row may be that of a page's last run, which a fragment has kept.
    return _test_images(detector_row, workspace().datasets.get(dataset_row.id))


@st.cache_resource(show_spinner="Reading the test images …", max_entries=4, hash_funcs=BY_STATE)
def _test_images(detector_row: DetectorRow, dataset_row: DatasetRow) -> TestImages:
    state = State(detector_state(detector_row), dataset_row.state)
    fitted = detector(detector_row)
    extraction = extract_for(fitted, dataset(dataset_row).test, engine(fitted.backbone), cache=feature_cache())
    projected = Projected.of(fitted, extraction.features)
    return TestImages(state, fitted, projected, extraction.images, extraction.features)


@st.cache_resource(show_spinner=False, max_entries=64, hash_funcs=BY_STATE)
def scores(test: TestImages, tuning: Tuning) -> dict[str, LevelScores]:
    """Scores of every level and the sum at one tuning."""
    return dict(level_scores(test.projected, tuning))


@st.cache_data(show_spinner=False, max_entries=64, hash_funcs=BY_STATE)
def level_areas(test: TestImages, tuning: Tuning) -> dict[str, Auroc]:
    """AUROC of every level and the sum at one tuning, with intervals; there must be both kinds of images."""
    return {name: auroc(one.test, test.images.labels) for name, one in scores(test, tuning).items()}


@st.cache_data(show_spinner=False, max_entries=64, hash_funcs=BY_STATE)
def promise_curves(
    test: TestImages, tuning: Tuning, level: str, _targets: tuple[float, ...], methods: tuple[str, ...]
) -> dict[str, list[Rate | None]]:
    """Left-out rate of those methods that have a threshold on this level, over the page's whole range of targets."""
    of_level = scores(test, tuning)[level]
    curves = {method: over_targets(of_level, test.images.labels, method, _targets).left_out for method in methods}
    return {method: rates for method, rates in curves.items() if any(rates)}


@st.cache_resource(show_spinner=False, max_entries=32, hash_funcs=BY_STATE)
def region_maps(test: TestImages, tuning: Tuning) -> dict[str, NDArray[np.float64]]:
    """Maps (rows, columns) of the regions of all images, by digest; a training image's is from the fit without it."""
    detector = test.detector
    normal = zip(detector.training.digests, detector.left_out_region_maps(tuning), strict=True)
    return dict(zip(test.images.digests, detector.region_maps(test.features, tuning), strict=True)) | dict(normal)


@st.cache_resource(show_spinner=False, max_entries=32, hash_funcs=BY_STATE)
def left_out_mean(test: TestImages, tuning: Tuning) -> NDArray[np.float64]:
    """Mean standardised distance of the left-out good parts by region (rows, columns)."""
    return np.asarray(test.detector.left_out_region_maps(tuning).mean(axis=0))


@st.cache_data(show_spinner=False, max_entries=64, hash_funcs=BY_STATE)
def region_limit(test: TestImages, tuning: Tuning, target_fpr: float) -> float:
    """The middle of a map's colours: what so few regions of left-out good parts exceed."""
    return test.detector.usual_limit(tuning, target_fpr)


@st.cache_data(show_spinner=False, max_entries=32, hash_funcs=BY_STATE)
def localisation(test: TestImages, tuning: Tuning) -> Localisation | None:
    """How well the maps of regions find the masked defects; None without regions or masks."""
    return localised(test.detector, test.features, test.images, tuning)


@st.cache_resource(show_spinner="Trying every reduction …", max_entries=16, hash_funcs=BY_STATE)
def reduction_map(test: TestImages, distance: Distance) -> maps.ReductionMap | None:
    """Every level at every reduction on the test images; None without two of each kind."""
    labels = test.images.labels
    if min(labels.sum(), (~labels).sum()) < 2:
        return None
    return maps.reduction_map(test.projected, labels, distance=distance)


@st.cache_resource(show_spinner=False, max_entries=64, hash_funcs=BY_STATE)
def sum_areas(test: TestImages, tuning: Tuning) -> NDArray[np.float64]:
    """AUROC of a tuning's own score at every reduction; that of the tuning itself does not matter."""
    return maps.sum_areas(test.projected, test.images.labels, tuning)


@st.cache_resource(show_spinner="Trying every reduction …", max_entries=16, hash_funcs=BY_DETECTOR)
def inflation(test: TestImages, distance: Distance) -> NDArray[np.float64]:
    """Left-out over fitted distance of every level at every reduction."""
    return maps.inflation(test.detector, distance=distance)


def pixels(backbone: str, file: ImageFile) -> NDArray[np.uint8]:
    """An image (S, S, 3) at the size of a network's input."""
    return np.asarray(load_pixels(ImageSet((file,)), get_backbone(backbone), cache=feature_cache())[0])


def inspections(row: DetectorRow) -> tuple[InspectionRow, ...]:
    """All images that a detector has judged, in the order in which they came."""
    return _inspections(row.id, workspace().inspections.latest(row.id))


@st.cache_resource(show_spinner=False, max_entries=4)
def _inspections(detector_id: str, latest: str) -> tuple[InspectionRow, ...]:  # noqa: ARG001 - the key
    return workspace().inspections.of([detector_id])


def line(row: DetectorRow) -> OnLine:
    """Those that were judged as the detector judges now."""
    return _line(row, workspace().inspections.latest(row.id))


@st.cache_resource(show_spinner=False, max_entries=4, hash_funcs=BY_STATE)
def _line(row: DetectorRow, latest: str) -> OnLine:  # noqa: ARG001 - part of the key
    return on_line(workspace(), row, detector(row), inspections(row))


@st.cache_resource(show_spinner=False, max_entries=64, hash_funcs=BY_STATE)
def inspected(row: DetectorRow, file: ImageFile) -> TestImages:
    """One image before a detector, as if it were a data set's only test image; raises `GadError` where it is gone."""
    fitted = detector(row)
    known = extract_for(fitted, ImageSet((file,)), engine(fitted.backbone), cache=feature_cache())
    state = State(detector_state(row), DatasetState(f"inspected {file.digest}", _NEVER))
    return TestImages(state, fitted, Projected.of(fitted, known.features), known.images, known.features)
