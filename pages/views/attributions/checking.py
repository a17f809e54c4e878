"""The work of checks: done as jobs outside the page, the results kept on the server by what they were made from."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from threading import Lock
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from gad_core.attribution import counterfactuals as edits
from gad_core.attribution.attribution_map import Attribution
from gad_core.attribution.explanation import mask_weights
from gad_core.attribution.masks import mask_of
from gad_core.data.datasets import ImageFile
from gad_core.features.frozen import Network
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.tuning import Tuning
from pages.shared import resources, tasks

PLACE = "map_checks"
_KEPT = 128  # results; the largest hold three pictures

Key = tuple[object, ...]
Work = Callable[..., Any]


@dataclass(frozen=True)
class Subject:
    """The map that is checked, and what it was made from; all of it read before the work leaves the page."""

    test: resources.TestImages
    file: ImageFile
    attribution: Attribution
    tuning: Tuning
    image: edits.Pixels
    twin: edits.Pixels | None
    network: Network
    score: edits.Scorer

    @property
    def key(self) -> Key:
        """Equal for equal results."""
        return self.test.state, self.file.digest, self.tuning, len(self.attribution.references)

    @property
    def explained(self) -> tuple[Detector, Network, edits.Pixels]:
        """What an attribution begins from."""
        return self.test.detector, self.network, self.image

    @property
    def normals(self) -> edits.Pixels:
        """The detector's normal images."""
        references = self.test.detector.references
        assert references is not None  # noqa: S101 - the attribution has used them
        return references

    @cached_property
    def normal(self) -> edits.Pixels:
        """The one that is nearest to the image."""
        nearest: edits.Pixels = self.normals[edits.nearest(self.image, self.normals, np.ones(self.image.shape[:2]))]
        return nearest

    @property
    def weights(self) -> NDArray[np.float64]:
        """The mask of the defect."""
        return mask_weights(mask_of(self.file), self.image.shape[:2])


class _Results:
    """The newest results by name and what they were made from; many threads may use it."""

    def __init__(self) -> None:
        self._by_key: OrderedDict[Key, Any] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Key) -> Any:
        with self._lock:
            if key in self._by_key:
                self._by_key.move_to_end(key)
            return self._by_key.get(key)

    def put(self, key: Key, result: Any) -> None:
        with self._lock:
            self._by_key[key] = result
            while len(self._by_key) > _KEPT:
                self._by_key.popitem(last=False)


@st.cache_resource(show_spinner=False)
def _results() -> _Results:
    return _Results()


@dataclass(frozen=True)
class _Done:
    id: str


def subject(
    test: resources.TestImages, file: ImageFile, attribution: Attribution, tuning: Tuning, twin: edits.Pixels | None
) -> Subject:
    """What is checked, ready to leave the page."""
    engine = resources.engine(test.detector.backbone)
    image = resources.pixels(test.detector.backbone, file)
    score = edits.scorer(test.detector, engine, tuning)
    return Subject(test, file, attribution, tuning, image, twin, engine.network, score)


def result(name: str, checked: Subject) -> Any:
    """What a check gave; None before it is done."""
    return _results().get((name, *checked.key))


def start(works: Mapping[str, Work], checked: Subject) -> None:
    """Queue checks, each a job of its own that can be cancelled; also for callbacks."""
    kept = _results()
    for name, work in works.items():
        tasks.submit("check", name, partial(_do, kept, name, work, checked), place=PLACE)


def _do(kept: _Results, name: str, work: Work, checked: Subject, *, progress: Any) -> _Done:
    """Runs in the job's thread, and so without Streamlit."""
    kept.put((name, *checked.key), work(checked, progress=progress))
    return _Done(name)


def waits() -> bool:
    """Whether checks of this tab are under way."""
    return any(job.kind == "check" for job in tasks.own())
