"""The images behind a threshold: what was flagged or missed, what lies near it, and what was clicked in a chart."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from gad_core import wording
from gad_core.data.datasets import ImageFile
from gad_core.workspace.rows import DatasetRow
from pages.shared import charts, frame, resources, views
from pages.shared.gallery import gallery, tints
from pages.views.working_point.view import View

_ALARMS, _MISSED, _NEAR, _FAR = "False alarms", "Missed", "Nearest to the threshold", "Furthest out"
_NEAREST = 24
_PICKED = "_picked"
_EXPLAIN = "_explain"


@dataclass(frozen=True)
class Tile:
    """An image with its distance."""

    file: ImageFile
    distance: float


def pick_bar(point: dict[str, Any]) -> None:
    """A click on a bar of the histogram: the images between its edges; for callbacks."""
    _, low, high, row = charts.custom(point)
    st.session_state[_PICKED] = (int(row), low, high)
    st.session_state["errors_kind"] = "Clicked"


def pick_threshold(point: dict[str, Any]) -> None:
    """A click on a curve: the images next to the threshold there; for callbacks."""
    threshold = charts.custom(point)[0]
    st.session_state[_PICKED] = (None, threshold, threshold)
    st.session_state["errors_kind"] = "Clicked"


def explain(file: ImageFile) -> None:
    """Ask for an image's attributions; for callbacks."""
    views.explain(file.digest)
    st.session_state[_EXPLAIN] = True


def leave() -> None:
    """Go to the attributions of an image that was pressed."""
    if st.session_state.pop(_EXPLAIN, False):
        frame.go("pages/attributions.py")


def pictures(view: View, dataset: DatasetRow) -> None:
    """False alarms, missed defects, the nearest to the threshold, and what was clicked."""
    tiles = [Tile(file, float(score)) for file, score in zip(view.test.images, view.scores.test, strict=True)]
    threshold = view.threshold
    kinds = _kinds(tiles, threshold)
    if _PICKED in st.session_state:
        kinds["Clicked"] = _clicked(view, tiles, dataset)
    finding = (
        f"{len(kinds[_ALARMS])} good parts flagged, {len(kinds[_MISSED])} defects missed. "
        if threshold is not None
        else "Without a threshold nothing is flagged or missed. "
    ) + "A click on a bar of the histogram or on the ROC shows its images here; one on an image explains it."
    pooled = view.settings.tuning.pool is not None
    with charts.cornered("Errors", finding) as corner:
        by_region = pooled and charts.switch(corner, ("Regions", "Images"), key="errors_as") == "Regions"
        if st.session_state.get("errors_kind") not in (None, *kinds):
            del st.session_state["errors_kind"]
        kind = st.segmented_control(
            "Pictures",
            list(kinds),
            default=_NEAR if threshold is not None else _FAR,
            required=True,
            format_func=lambda name: f"{name} · {len(kinds[name])}",
            key="errors_kind",
            label_visibility="collapsed",
        )
        shown = kinds[str(kind)]
        if not shown:
            st.markdown(":gray[None.]" if threshold is None else ":gray[None at this threshold.]")
        gallery(
            [tile.file for tile in shown],
            key=f"errors_{kind}",
            caption=lambda i: _caption(shown[i], threshold),
            on_press=explain,
            over=_tints(view) if by_region else None,
        )


def _tints(view: View) -> Callable[[ImageFile], str | None]:
    tuning = view.settings.tuning
    limit = resources.region_limit(view.test, tuning, view.settings.target_fpr)
    return tints(resources.region_maps(view.test, tuning), limit)


def _kinds(tiles: Sequence[Tile], threshold: float | None) -> dict[str, list[Tile]]:
    if threshold is None:
        return {_FAR: _sorted(tiles)[: -_NEAREST - 1 : -1]}
    return {
        _ALARMS: _sorted(t for t in tiles if not t.file.anomalous and t.distance > threshold)[::-1],
        _MISSED: _sorted(t for t in tiles if t.file.anomalous and t.distance <= threshold),
        _NEAR: _nearest(tiles, threshold),
    }


def _caption(tile: Tile, threshold: float | None) -> str:
    side = "" if threshold is None else " ↑" if tile.distance > threshold else " ↓"
    return f"{tile.file.defect.replace('_', ' ')} · {wording.number(tile.distance)}{side}"


def _clicked(view: View, tiles: Sequence[Tile], dataset: DatasetRow) -> list[Tile]:
    group, low, high = st.session_state[_PICKED]
    if group is None:
        return _nearest(tiles, low)
    present = [name for name, (scores, _) in view.groups.items() if len(scores)]
    name = present[min(group, len(present) - 1)]
    if name == "left-out good":
        tiles = _training(view, dataset)
    else:
        tiles = [tile for tile in tiles if tile.file.anomalous == (name == "defects")]
    return _sorted(tile for tile in tiles if low <= tile.distance <= high)


def _training(view: View, dataset: DatasetRow) -> list[Tile]:
    """The training images that are still there, with their left-out distances."""
    files = {file.digest: file for file in resources.dataset(dataset).train}
    digests = view.test.detector.training.digests
    scored = zip(digests, view.scores.left_out, strict=True)
    return [Tile(files[digest], float(score)) for digest, score in scored if digest in files]


def _nearest(tiles: Sequence[Tile], threshold: float) -> list[Tile]:
    distances: NDArray[np.float64] = np.array([tile.distance for tile in tiles])
    if threshold > 0 and (distances > 0).all():  # scores of regions may be negative
        distances, threshold = np.log(distances), float(np.log(threshold))
    order = np.argsort(np.abs(distances - threshold), kind="stable")
    return [tiles[i] for i in order[:_NEAREST]]


def _sorted(tiles: Iterable[Tile]) -> list[Tile]:
    return sorted(tiles, key=lambda tile: tile.distance)
