"""Attributions: the largest things that pages compute and keep, so one at a time, and kept while there is room."""

from collections import OrderedDict
from dataclasses import replace
from threading import Lock

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from gad_core.attribution.attribution_map import Attribution
from gad_core.attribution.band_maps import BandAttribution, attribute_bands
from gad_core.attribution.deep_shap import attribute
from gad_core.data.datasets import ImageFile
from gad_core.data.images import content_digest
from gad_core.gaussian.tuning import Tuning
from pages.shared.resources import TestImages, engine, pixels

_ROOM = 96 << 20  # bytes of maps: 80 of regions, or 27 images at three levels
#: One takes all cores by itself, and a gigabyte: eight side by side would take eight, and end no sooner.
_TURN = Lock()

Key = tuple[object, ...]
Made = Attribution | BandAttribution


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
    """The same of pixels (S, S, 3). Maps add up level by level, so that a level is explained once for all sums.

    Pooled regions do not: which of them count depends on all levels.
    """
    subject = (test.state.detector, content_digest(image.tobytes()), n_references)
    parts = [tuning] if tuning.pool else [replace(tuning, levels=(level,)) for level in tuning.levels]
    shelf, found = kept(), dict[Tuning, Attribution]()

    def missing() -> list[Tuning]:
        known = {part: shelf.get((*subject, part)) for part in parts if part not in found}
        found.update({part: one for part, one in known.items() if isinstance(one, Attribution)})
        return [part for part in parts if part not in found]

    if missing():
        with _TURN:
            if lacking := missing():  # meanwhile somebody else may have had the same explained
                asked = replace(tuning, levels=tuple(level for part in lacking for level in part.levels))
                network = engine(test.detector.backbone).network
                made = attribute(test.detector, network, image, tuning=asked, n_references=n_references)
                for part, one in zip(lacking, [made] if tuning.pool else made.by_levels(), strict=True):
                    found[part] = one
                    shelf.put((*subject, part), one)
    return found[tuning] if tuning.pool else Attribution.of_levels([found[part] for part in parts])


def bands(test: TestImages, file: ImageFile, tuning: Tuning, level: int, n_references: int) -> BandAttribution:
    """Which pixels an image's distance at one level comes from, a map a band; in the same turn and store."""
    image = pixels(test.detector.backbone, file)
    key, shelf = _bands_key(test, image, tuning, level, n_references), kept()
    with _TURN:
        made = shelf.get(key)
        if not isinstance(made, BandAttribution):
            network = engine(test.detector.backbone).network
            made = attribute_bands(test.detector, network, image, level, tuning=tuning, n_references=n_references)
            shelf.put(key, made)
    return made


def known_bands(
    test: TestImages, file: ImageFile, tuning: Tuning, level: int, n_references: int
) -> BandAttribution | None:
    """The same if it was made before."""
    made = kept().get(_bands_key(test, pixels(test.detector.backbone, file), tuning, level, n_references))
    return made if isinstance(made, BandAttribution) else None


def _bands_key(test: TestImages, image: NDArray[np.uint8], tuning: Tuning, level: int, n_references: int) -> Key:
    """Of the tuning, components and kind of distance count alone."""
    subject = (test.state.detector, content_digest(image.tobytes()), n_references)
    return (*subject, "bands", level, tuning.reduction, tuning.distance)
