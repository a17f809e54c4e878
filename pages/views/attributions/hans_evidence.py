"""What convicts a Clever Hans: the same parts with the sign that gives them away and without, before one detector."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from gad_core.attribution.attribution_map import Attribution
from gad_core.attribution.counterfactuals import scorer
from gad_core.attribution.explanation import mask_weights
from gad_core.attribution.masks import mask_of
from gad_core.attribution.measures import mass_accuracy
from gad_core.attribution.reduced import border
from gad_core.data.datasets import ImageFile
from gad_core.data.demo import Photo
from gad_core.data.demo.cheats import CHEATS, Cheat
from gad_core.data.demo.lots import LOTS
from gad_core.data.demo.twins import honest, mark_mask
from gad_core.data.groups import in_groups, read_groups
from gad_core.data.images import resize
from gad_core.data.shifts import Shift
from gad_core.decision.curves import Auroc, auroc
from gad_core.deployment.photos import shifted_photos
from gad_core.features.registry import get_backbone
from gad_core.gaussian.tuning import Tuning
from gad_core.workspace.rows import DatasetRow
from pages.shared import explaining, opened, resources

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Areas = tuple[Auroc, Auroc]  # with the sign and without

#: Softness of a lens that is tried before good parts, in pixels of the network's input.
SOFTNESSES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2)
_SOFTENED = 12  # good parts
_COVERED = 0.5  # share of a pixel from which on it belongs to a mask


class Side(NamedTuple):
    """A part as it was photographed: with the sign, or its honest twin."""

    pixels: Pixels
    attribution: Attribution

    def share(self, place: Mask) -> float | None:
        """Of what raises the score, the share in a place (S, S)."""
        return mass_accuracy(self.attribution.total, place)


@dataclass(frozen=True)
class Pair:
    """A defective part with the sign and without, all at the size of the network's input."""

    file: ImageFile
    cheating: Side
    honest: Side
    defect: Mask
    place: Mask | None  # where the sign is; None where it is all over


def cheat_of(dataset: DatasetRow) -> Cheat | None:
    """How a data set cheats; None for an honest one."""
    return CHEATS.get(dataset.name) if dataset.kind == "demo" else None


def drawn(dataset: DatasetRow, file: ImageFile) -> Photo | None:
    """The photo of a demo part without a sign, drawn again; None for other images."""
    return _drawn(dataset.name, file) if dataset.kind == "demo" else None


@st.cache_resource(show_spinner=False, max_entries=32, hash_funcs=resources.BY_STATE)
def _drawn(name: str, file: ImageFile) -> Photo | None:
    return honest(name, file.path, file.defect)


def sized(test: resources.TestImages, pixels: Pixels) -> Pixels:
    """A photo as large as the network's input."""
    return resize(pixels, get_backbone(test.detector.backbone).input_size)


def pair(
    test: resources.TestImages, dataset: DatasetRow, cheat: Cheat, tuning: Tuning, n_references: int
) -> Pair | None:
    """The defect that is open, else a scratch or the first; None where there is none."""
    defects = [file for file in test.images if file.anomalous and file.mask]
    linked = opened.image()
    named = (file for file in defects if linked and file.digest.startswith(linked))
    file = next(named, min(defects, key=lambda file: file.defect != "scratch", default=None))
    photo = drawn(dataset, file) if file else None
    if file is None or photo is None:
        return None
    plain = sized(test, photo.pixels)
    shape = plain.shape[:2]
    place = None
    if cheat.lot:
        place = border(shape)
    elif cheat.masks:
        place = mask_weights(mark_mask(cheat, dataset.root, file.path, file.defect), shape) > _COVERED
    return Pair(
        file,
        Side(resources.pixels(test.detector.backbone, file), explaining.attribution(test, file, tuning, n_references)),
        Side(plain, explaining.attribution_of(test, plain, tuning, n_references)),
        mask_weights(mask_of(file), shape) > _COVERED,
        place,
    )


@st.cache_resource(show_spinner=False, max_entries=4, hash_funcs=resources.BY_STATE)
def _twins(test: resources.TestImages, name: str) -> Pixels:
    """The honest twins (m, S, S, 3) of all defective parts."""
    files = test.images.where(test.images.labels)
    photos = (honest(name, file.path, file.defect) for file in files)
    return np.stack([sized(test, photo.pixels) for photo in photos if photo])


@st.cache_data(show_spinner=False, max_entries=16, hash_funcs=resources.BY_STATE)
def areas(test: resources.TestImages, name: str, tuning: Tuning) -> Areas:
    """AUROC on the test images of a cheating category, and on the same parts without any sign."""
    scores, labels = resources.scores(test, tuning)["sum"].test, test.images.labels
    sign = f"{CHEATS[name].sign}_"
    plain = [not file.anomalous and not file.path.stem.startswith(sign) for file in test.images]
    good = scores[np.array(plain, bool)]
    score = scorer(test.detector, resources.engine(test.detector.backbone), tuning)
    twins = score(_twins(test, name))
    both = np.concatenate([good, twins])
    return auroc(scores, labels), auroc(both, np.arange(len(both)) >= len(good))


class LensCurve(NamedTuple):
    """Median distances of good parts by the softness of the lens, and that of the defective parts as they are."""

    good: NDArray[np.float64]  # for each of `SOFTNESSES`
    defective: float

    @property
    def alike(self) -> float | None:
        """The softness in pixels at which good parts get as far as the defective ones; None where they never do."""
        if self.good.max() < self.defective:
            return None
        last = int(np.argmax(self.good >= self.defective))
        if last == 0:
            return 0.0
        low, high = self.good[last - 1], self.good[last]
        return SOFTNESSES[last - 1] + (SOFTNESSES[last] - SOFTNESSES[last - 1]) * float(
            (self.defective - low) / (high - low)
        )


@st.cache_data(show_spinner=False, max_entries=16, hash_funcs=resources.BY_STATE)
def lens_curve(test: resources.TestImages, name: str, tuning: Tuning) -> LensCurve:
    """Put softer and softer lenses before good parts without a sign, as a deployment shift does."""
    sign = f"{CHEATS[name].sign}_"
    good = [file for file in test.images if not file.anomalous and not file.path.stem.startswith(sign)][:_SOFTENED]
    shifts = [Shift("lens", sigma) for sigma in SOFTNESSES]
    engine = resources.engine(test.detector.backbone)
    photos = np.stack([one.features for one in shifted_photos(good, shifts, engine, regions=test.detector.regions)])
    medians = [np.median(test.detector.scores(features, tuning)) for features in np.moveaxis(photos, 1, 0)]
    scores = resources.scores(test, tuning)["sum"].test
    return LensCurve(np.array(medians), float(np.median(scores[test.images.labels])))


class Lots(NamedTuple):
    """The lot of the defective parts, and how many parts of each kind came in it."""

    name: str
    defective: int
    of_defective: int
    good: int
    of_good: int


def lots(test: resources.TestImages, dataset: DatasetRow) -> Lots:
    """In which lot most of the defective parts came, by the data set's own table."""
    grouped = in_groups(test.images, read_groups(dataset.root / LOTS), what="lot")
    groups, labels = np.array([file.group for file in grouped], object), grouped.labels
    names, counts = np.unique(groups[labels].astype(str), return_counts=True)
    name = str(names[counts.argmax()])
    here = groups == name
    return Lots(name, int((here & labels).sum()), int(labels.sum()), int((here & ~labels).sum()), int((~labels).sum()))
