"""One region of an image beside the same region of the normal images: of the nearest, and of the most different."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from gad_core import wording
from gad_core.data.datasets import ImageFile
from gad_core.gaussian.tuning import Tuning
from gad_core.workspace.rows import DatasetRow
from pages.shared import charts, pictures, resources
from pages.shared.resources import TestImages

_SHOWN = 3  # nearest, and as many most different
_SURROUND = 0.5  # of a region's sides, that is shown around it


def chosen_region(file: ImageFile, values: NDArray[np.float64]) -> int:
    """The region that is looked at: the highest, until another one is clicked."""
    return int(st.session_state.setdefault(_key(file), int(np.nanargmax(values))))


def choose(file: ImageFile, region: int) -> None:
    """Look at another region; for callbacks."""
    st.session_state[_key(file)] = region


def neighbours(
    test: TestImages, dataset: DatasetRow, file: ImageFile, tuning: Tuning, values: NDArray[np.float64]
) -> None:
    """The region, and those of normal images; `values` (rows, columns) is the image's map."""
    columns, region = values.shape[1], chosen_region(file, values)
    order = [int(at) for at in np.argsort(-values, axis=None) if np.isfinite(values.flat[at])]
    there = _sorted(test, dataset, file, tuning, region)
    finding = "The good parts that the detector was fitted to are no longer in this data set."
    if there:
        finding = (
            f"The same region of good parts, by the detector's own measure: the nearest lie {_range(there[:_SHOWN])} "
            f"away, the most different {_range(there[-_SHOWN:])}."
        )
    with charts.cornered(f"Row {region // columns + 1}, column {region % columns + 1} elsewhere", finding) as corner:
        corner.selectbox(
            "Region",
            order,
            key=_key(file),
            format_func=lambda at: f"row {at // columns + 1}, column {at % columns + 1} · {values.flat[at]:.1f}",
            label_visibility="collapsed",
            width=210,
        )
        crop = partial(_crop, test.detector.backbone, region, values.shape)
        groups = {"This image": [(crop(file), file.path.name)]}
        if there:
            groups["Nearest"] = [_captioned(crop, one, at) for one, at in there[:_SHOWN]]
            groups["Most different"] = [_captioned(crop, one, at) for one, at in there[: -_SHOWN - 1 : -1]]
        pictures.rows(groups)


def _sorted(
    test: TestImages, dataset: DatasetRow, file: ImageFile, tuning: Tuning, region: int
) -> list[tuple[ImageFile, float]]:
    """The training images that are still there, from the nearest on, with their distances."""
    fit, place = test.detector.known_regions(tuning), test.images.files.index(file)
    (distances,) = fit.distances_between(fit.inside.index(region), test.features[place : place + 1], tuning)
    files = {one.digest: one for one in resources.dataset(dataset).train}
    pairs = zip(test.detector.training.digests, distances.tolist(), strict=True)
    return sorted(((files[digest], at) for digest, at in pairs if digest in files), key=lambda pair: pair[1])


def _captioned(crop: "partial[NDArray[np.uint8]]", file: ImageFile, distance: float) -> tuple[NDArray[np.uint8], str]:
    return crop(file), f"{file.path.name} · {wording.number(distance)}"


def _range(pairs: Sequence[tuple[ImageFile, float]]) -> str:
    low, high = pairs[0][1], pairs[-1][1]
    return f"{wording.number(low)} to {wording.number(high)}" if len(pairs) > 1 else wording.number(low)


def _crop(backbone: str, region: int, grid: tuple[int, int], file: ImageFile) -> NDArray[np.uint8]:
    """A region with what surrounds it."""
    pixels = resources.pixels(backbone, file)
    sides = []
    for at, parts, length in zip(divmod(region, grid[1]), grid, pixels.shape[:2], strict=True):
        side = length / parts
        start, stop = (at - _SURROUND) * side, (at + 1 + _SURROUND) * side
        start, stop = start - max(stop - length, 0), stop - min(start, 0)  # at an edge, more of the other side
        sides.append(slice(max(round(start), 0), min(round(stop), length)))
    return pixels[tuple(sides)]


def _key(file: ImageFile) -> str:
    return f"region_{file.digest[:16]}"
