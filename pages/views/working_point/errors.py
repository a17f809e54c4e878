"""The images behind a threshold: what was flagged or missed, what lies near it, and what was clicked in a chart."""

from collections.abc import Callable, Sequence
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

Array = NDArray[np.float64]

_ALARMS, _MISSED, _NEAR, _FAR = "False alarms", "Missed", "Nearest to the threshold", "Furthest out"
_NEAREST = 24
_PICKED = "_picked"
_EXPLAIN = "_explain"


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
    threshold = view.threshold
    kinds = _kinds(view, threshold)
    if _PICKED in st.session_state:
        kinds["Clicked"] = _clicked(view, dataset)
    finding = (
        f"{len(kinds[_ALARMS].files)} good parts flagged, {len(kinds[_MISSED].files)} defects missed. "
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
            format_func=lambda name: f"{name} · {len(kinds[name].files)}",
            key="errors_kind",
            label_visibility="collapsed",
        )
        shown = kinds[str(kind)]
        if not shown.files:
            st.markdown(":gray[None.]" if threshold is None else ":gray[None at this threshold.]")
        gallery(
            shown.files,
            key=f"errors_{kind}",
            caption=lambda i: _caption(shown.files[i], shown.distances[i], threshold),
            on_press=explain,
            over=_tints(view) if by_region else None,
        )


def _tints(view: View) -> Callable[[ImageFile], str | None]:
    tuning = view.settings.tuning
    limit = resources.region_limit(view.test, tuning, view.settings.target_fpr)
    return tints(resources.region_maps(view.test, tuning), limit)


@dataclass(frozen=True)
class _Pictures:
    """Images with their distances, in the order in which they are shown."""

    files: Sequence[ImageFile]
    distances: Array

    @classmethod
    def of(cls, files: Sequence[ImageFile], distances: Array, chosen: NDArray[np.intp]) -> "_Pictures":
        return cls([files[i] for i in chosen], distances[chosen])


def _kinds(view: View, threshold: float | None) -> dict[str, _Pictures]:
    files, distances, defects = view.test.images.files, view.scores.test, view.anomalous
    rising = np.argsort(distances, kind="stable")
    if threshold is None:
        return {_FAR: _Pictures.of(files, distances, rising[: -_NEAREST - 1 : -1])}
    flagged, bad = distances[rising] > threshold, defects[rising]
    return {
        _ALARMS: _Pictures.of(files, distances, rising[flagged & ~bad][::-1]),
        _MISSED: _Pictures.of(files, distances, rising[~flagged & bad]),
        _NEAR: _Pictures.of(files, distances, _nearest(distances, threshold)),
    }


def _caption(file: ImageFile, distance: float, threshold: float | None) -> str:
    side = "" if threshold is None else " ↑" if distance > threshold else " ↓"
    return f"{file.defect.replace('_', ' ')} · {wording.number(distance)}{side}"


def _clicked(view: View, dataset: DatasetRow) -> _Pictures:
    group, low, high = st.session_state[_PICKED]
    files: Sequence[ImageFile] = view.test.images.files
    distances = view.scores.test
    if group is None:
        return _Pictures.of(files, distances, _nearest(distances, low))
    present = [name for name, (scores, _) in view.groups.items() if len(scores)]
    name = present[min(group, len(present) - 1)]
    inside = (distances >= low) & (distances <= high) & (view.anomalous == (name == "defects"))
    if name == "left-out good":
        files, distances = _training(view, dataset)
        inside = (distances >= low) & (distances <= high)
    chosen = np.flatnonzero(inside)
    return _Pictures.of(files, distances, chosen[np.argsort(distances[chosen], kind="stable")])


def _training(view: View, dataset: DatasetRow) -> tuple[list[ImageFile], Array]:
    """The training images that are still there, and their left-out distances."""
    files = {file.digest: file for file in resources.dataset(dataset).train}
    known = [(files[digest], score) for digest, score in _left_out(view) if digest in files]
    return [file for file, _ in known], np.array([score for _, score in known])


def _left_out(view: View) -> list[tuple[str, float]]:
    return list(zip(view.test.detector.training.digests, view.scores.left_out.tolist(), strict=True))


def _nearest(distances: Array, threshold: float) -> NDArray[np.intp]:
    if threshold > 0 and (distances > 0).all():  # scores of regions may be negative
        distances, threshold = np.log(distances), float(np.log(threshold))
    return np.argsort(np.abs(distances - threshold), kind="stable")[:_NEAREST]
