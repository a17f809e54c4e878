"""Attributions: the largest things that pages compute and keep, so one at a time, and kept while there is room."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING, Union

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from gad_core.attribution.attribution_map import Attribution
from gad_core.data.datasets import ImageFile
from gad_core.data.images import content_digest
from gad_core.features.frozen import Network
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.tuning import Tuning
from gad_core.progress import Progress
from pages.shared.resources import TestImages, engine, pixels

if TYPE_CHECKING:  # with what makes them, torch is loaded: in the threads that explain, not on the way to a page
    from gad_core.attribution.band_maps import BandAttribution

_ROOM = 96 << 20  # bytes of maps: 80 of regions, or 27 images at three levels
#: One takes all cores by itself, and a gigabyte: eight side by side would take eight, and end no sooner.
_TURN = Lock()
_LOOK = 0.5  # seconds between two looks at whether it is free

Key = tuple[object, ...]
Made = Union[Attribution, "BandAttribution"]


class Kept:
    """The maps that were asked for last, as many as there is room for; many threads may use it."""

    def __init__(self, room: int) -> None:
        self._room, self._taken = room, 0
        self._maps: OrderedDict[Key, Made] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Key) -> Made | None:
        """One of them, which then goes last."""
        with self._lock:
            if key in self._maps:
                self._maps.move_to_end(key)
            return self._maps.get(key)

    def put(self, key: Key, made: Made) -> None:
        """Keep one, and let those go that were not asked for longest."""
        with self._lock:
            if key not in self._maps:
                self._taken += made.rgb.nbytes
            self._maps[key] = made
            while self._taken > self._room and len(self._maps) > 1:
                self._taken -= self._maps.popitem(last=False)[1].rgb.nbytes


@st.cache_resource(show_spinner=False)
def kept() -> Kept:
    """Those of this server."""
    return Kept(_ROOM)


def attribution(test: TestImages, file: ImageFile, tuning: Tuning, n_references: int) -> Attribution:
    """Which pixels an image's score comes from, a map a level."""
    return attribution_of(test, pixels(test.detector.backbone, file), tuning, n_references)


def attribution_of(test: TestImages, image: NDArray[np.uint8], tuning: Tuning, n_references: int) -> Attribution:
    """The same of pixels (S, S, 3)."""
    return task(test, image, tuning, n_references).do()


def task(test: TestImages, image: NDArray[np.uint8], tuning: Tuning, n_references: int) -> "Task":
    """What is to be explained, ready to leave the page."""
    network = engine(test.detector.backbone).network
    subject = (test.state.detector, content_digest(image.tobytes()), n_references)
    return Task(subject, tuning, n_references, test.detector, network, image, kept())


@dataclass(frozen=True, eq=False)
class Task:
    """An explanation that any thread may make; `key` is equal for equal results."""

    subject: Key
    tuning: Tuning
    n_references: int
    detector: Detector
    network: Network
    image: NDArray[np.uint8]
    shelf: Kept

    @property
    def key(self) -> Key:
        """Of the subject and the tuning."""
        return (*self.subject, self.tuning)

    def do(self, progress: Progress | None = None) -> Attribution:
        """Maps add up level by level, so that a level is explained once for all sums.

        Pooled regions do not: which of them count depends on all levels. An error in `progress` ends the work.
        """
        tuning = self.tuning
        parts = [tuning] if tuning.pool else [replace(tuning, levels=(level,)) for level in tuning.levels]
        found = self._known(parts)
        if len(found) < len(parts):
            with _turn(progress):
                found |= self._known(parts)  # meanwhile somebody else may have had the same explained
                if lacking := [part for part in parts if part not in found]:
                    found |= self._made(lacking, progress)
        return found[tuning] if tuning.pool else Attribution.of_levels([found[part] for part in parts])

    def _known(self, parts: Sequence[Tuning]) -> dict[Tuning, Attribution]:
        known = {part: self.shelf.get((*self.subject, part)) for part in parts}
        return {part: one for part, one in known.items() if isinstance(one, Attribution)}

    def _made(self, parts: Sequence[Tuning], progress: Progress | None) -> dict[Tuning, Attribution]:
        from gad_core.attribution.deep_shap import attribute  # noqa: PLC0415 - as above

        made = attribute(
            self.detector,
            self.network,
            self.image,
            tuning=replace(self.tuning, levels=tuple(level for part in parts for level in part.levels)),
            n_references=self.n_references,
            progress=progress,
        )
        found = dict(zip(parts, [made] if self.tuning.pool else made.by_levels(), strict=True))
        for part, one in found.items():
            self.shelf.put((*self.subject, part), one)
        return found


@contextmanager
def _turn(progress: Progress | None) -> Iterator[None]:
    """Wait until nobody else explains; `progress` hears of it meanwhile, so that the wait can be given up."""
    while not _TURN.acquire(timeout=_LOOK):
        if progress:
            progress(0, 1)
    try:
        yield
    finally:
        _TURN.release()


def bands(test: TestImages, file: ImageFile, tuning: Tuning, level: int, n_references: int) -> "BandAttribution":
    """Which pixels an image's distance at one level comes from, a map a band; in the same turn and store."""
    from gad_core.attribution.band_maps import attribute_bands  # noqa: PLC0415 - as above

    image = pixels(test.detector.backbone, file)
    key, shelf = _bands_key(test, image, tuning, level, n_references), kept()
    with _TURN:
        made = shelf.get(key)
        if made is None or isinstance(made, Attribution):
            network = engine(test.detector.backbone).network
            made = attribute_bands(test.detector, network, image, level, tuning=tuning, n_references=n_references)
            shelf.put(key, made)
    return made


def known_bands(
    test: TestImages, file: ImageFile, tuning: Tuning, level: int, n_references: int
) -> "BandAttribution | None":
    """The same if it was made before."""
    made = kept().get(_bands_key(test, pixels(test.detector.backbone, file), tuning, level, n_references))
    return None if isinstance(made, Attribution) else made


def _bands_key(test: TestImages, image: NDArray[np.uint8], tuning: Tuning, level: int, n_references: int) -> Key:
    """Of the tuning, components and kind of distance count alone."""
    subject = (test.state.detector, content_digest(image.tobytes()), n_references)
    return (*subject, "bands", level, tuning.reduction, tuning.distance)
