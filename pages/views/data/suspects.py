"""Training images that the others do not expect: ranked by left-out distance, left out with one click, brought back."""

from collections.abc import Callable, Collection

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from gad_core import wording
from gad_core.data.datasets import ImageFile
from gad_core.decision.point_settings import DEFAULT_TARGET_FPR
from gad_core.decision.suspects import FAR, left_out_scores, robust_deviations
from gad_core.workspace.requests import Fit
from gad_core.workspace.rows import DatasetRow, DetectorRow
from gad_core.workspace.steps import find_fit, settings_of, settings_without
from pages.shared import charts, opened, person, resources, tasks
from pages.shared.gallery import thumbnail, with_regions
from pages.shared.text import plain

_SHOWN = 8


def suspects(dataset: DatasetRow, row: DetectorRow) -> None:
    """The training images farthest from the fits without them."""
    detector = resources.detector(row)
    digests, distances = detector.training.digests, _distances(row)
    files = {file.digest: file for file in resources.dataset(dataset).train}
    order = [i for i in np.argsort(-distances)[:_SHOWN] if digests[i] in files]
    far = int((robust_deviations(distances, pooled=detector.tuning.pool is not None) > FAR).sum())
    picture = _with_regions(row) if detector.tuning.pool else thumbnail
    if far:
        title = "Suspicious training images"
        finding = (
            f"{far} of {len(distances)} training images {'lies' if far == 1 else 'lie'} more than {FAR:g} robust "
            f"standard deviations out, each scored by a fit without it: a defect among the good parts would be here. "
            f"The {len(order)} farthest:"
        )
    else:
        title = "Most extreme training images"
        finding = (
            f"None of {len(distances)} training images is suspicious: none lies more than {FAR:g} robust standard "
            "deviations out, each scored by a fit without it. These lie farthest."
        )
    with charts.panel(title, finding):
        with st.container(horizontal=True, gap="small", key="suspects"):
            for i in order:
                with st.container(width=126, gap="xxsmall"):
                    name = files[digests[i]].path.name
                    st.image(picture(files[digests[i]]), width=112, alt=f"{name}, distance {distances[i]:.3g}")
                    st.caption(f"{plain(name)} · {wording.number(distances[i])}")
                    st.checkbox("Leave out", key=_key(digests[i]))
        chosen = [digests[i] for i in order if st.session_state.get(_key(digests[i]))]
        _actions(dataset, row, chosen)


@st.cache_resource(show_spinner=False, max_entries=8, hash_funcs=resources.BY_STATE)
def _distances(row: DetectorRow) -> NDArray[np.float64]:
    """Left-out score of every training image."""
    return left_out_scores(resources.detector(row))


def _with_regions(row: DetectorRow) -> Callable[[ImageFile], str]:
    maps, limit = _maps(row)
    return with_regions(maps, limit)


@st.cache_resource(show_spinner=False, max_entries=8, hash_funcs=resources.BY_STATE)
def _maps(row: DetectorRow) -> tuple[dict[str, NDArray[np.float64]], float]:
    """Maps of the training images by digest, each from a fit without it, and the middle of their colours."""
    detector = resources.detector(row)
    point, tuning = detector.working_point, detector.tuning
    maps = dict(zip(detector.training.digests, detector.left_out_region_maps(tuning), strict=True))
    return maps, detector.usual_limit(tuning, point.target_fpr if point else DEFAULT_TARGET_FPR)


def _actions(dataset: DatasetRow, row: DetectorRow, chosen: Collection[str]) -> None:
    without = set(settings_of(row).without)
    with st.container(horizontal=True):
        label = f"Leave out {len(chosen)} and refit" if chosen else "Leave out and refit"
        off = person.changing(disabled=not chosen)
        if st.button(label, key="leave_out", icon=":material/filter_alt_off:", **off):
            more = without | set(chosen)
            _refit(dataset, row, more, f"Fit {dataset.name} without {len(more)}")
        back = f"Bring back all {len(without)} left out"
        if without and st.button(back, key="bring_back", icon=":material/undo:", **person.changing()):
            _refit(dataset, row, (), f"Fit {dataset.name} with all images")


def _refit(dataset: DatasetRow, row: DetectorRow, without: Collection[str], title: str) -> None:
    """Open the fit without these images, which may be there already."""
    settings = settings_without(row, without)
    if earlier := find_fit(resources.store(), dataset, settings):
        opened.open_detector(earlier)
    else:
        tasks.ask(title, Fit(dataset.id, settings))
    st.rerun()


def _key(digest: str) -> str:
    return f"leave_out_{digest[:16]}"
