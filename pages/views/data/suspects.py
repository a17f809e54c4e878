"""Training images that the others do not expect: ranked by left-out distance, left out with one click, brought back."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import streamlit as st
from scipy import stats

from gad_core import wording
from gad_core.data.datasets import ImageSet
from gad_core.gaussian.levels import sum_levels
from gad_core.workspace.rows import DatasetRow, DetectorRow
from gad_core.workspace.steps import fit_dataset
from pages.shared import charts, opened, resources, tasks
from pages.shared.gallery import thumbnail

_SHOWN = 8
_FAR = 3.0  # robust standard deviations of log distance from which an image is proposed


def suspects(dataset: DatasetRow, row: DetectorRow) -> None:
    """The training images farthest from the fits that did not see them."""
    detector = resources.detector(row)
    tuning, digests = detector.tuning, detector.training.digests
    distances = sum_levels(detector.left_out_distances(tuning.reduction, distance=tuning.distance), tuning.levels)
    logs = np.log(np.maximum(distances, np.finfo(float).tiny))
    spread = max(float(stats.median_abs_deviation(logs, scale="normal")), 1e-6)
    deviations = (logs - np.median(logs)) / spread
    files = {file.digest: file for file in resources.dataset(dataset).train}
    order = [i for i in np.argsort(-distances)[:_SHOWN] if digests[i] in files]
    far = int((deviations > _FAR).sum())
    finding = (
        f"{far} of {len(distances)} training images lie more than {_FAR:g} robust standard deviations out, scored by "
        "fits that did not see them: a defect among the good parts would be here."
    )
    with charts.panel("Suspicious training images", finding):
        with st.container(horizontal=True, gap="small", key="suspects"):
            for i in order:
                with st.container(width=126, gap="xxsmall"):
                    name = files[digests[i]].path.name
                    st.image(thumbnail(files[digests[i]]), width=112, alt=f"{name}, distance {distances[i]:.3g}")
                    st.caption(f"{name} · {wording.number(distances[i])}")
                    st.checkbox("Leave out", key=_key(digests[i]))
        chosen = [digests[i] for i in order if st.session_state.get(_key(digests[i]))]
        _actions(dataset, row, chosen)


def _actions(dataset: DatasetRow, row: DetectorRow, chosen: list[str]) -> None:
    without = set(row.settings.get("without", ()))
    with st.container(horizontal=True):
        label = f"Leave out {len(chosen)} and refit" if chosen else "Leave out and refit"
        if st.button(label, key="leave_out", icon=":material/filter_alt_off:", disabled=not chosen):
            _refit(dataset, row, without | set(chosen), f"Fit {dataset.name} without {len(without) + len(chosen)}")
        if without and st.button(f"Bring back all {len(without)} left out", key="bring_back", icon=":material/undo:"):
            _refit(dataset, row, set(), f"Fit {dataset.name} with all images")


def _refit(dataset: DatasetRow, row: DetectorRow, without: set[str], title: str) -> None:
    for earlier in resources.store().detectors.all():
        same = (earlier.dataset_id, earlier.backbone) == (dataset.id, row.backbone)
        same &= earlier.settings.get("apart", 0) == row.settings.get("apart", 0)
        same &= earlier.settings.get("augment") == row.settings.get("augment")
        if same and set(earlier.settings.get("without", ())) == without and earlier.created > dataset.modified:
            opened.open_detector(earlier)
            st.rerun()
    options: dict[str, Any] = {
        "backbone": row.backbone,
        "cache": resources.feature_cache(),
        "seed": row.settings.get("seed", 0),
        "apart": row.settings.get("apart", 0),
    }
    fitted = resources.detector(row)
    training, options["augment"] = fitted.training, fitted.augmented
    if training.groups:
        options["grouped"] = partial(_in_groups, dict(zip(training.digests, training.groups, strict=True)))
    work = partial(fit_dataset, resources.store(), dataset.id, without=frozenset(without), **options)
    tasks.submit("fit", title, work)
    st.rerun()


def _in_groups(groups: Mapping[str, str | None], images: ImageSet) -> ImageSet:
    """The images in the groups that they were fitted in, by digest."""
    return replace(images, files=tuple(replace(file, group=groups.get(file.digest)) for file in images))


def _key(digest: str) -> str:
    return f"leave_out_{digest[:16]}"
