"""How many images are enough: what fewer would have given, and how many a target takes."""

import pandas as pd
import streamlit as st

from gad_core import figures, wording
from gad_core.decision.planner import MIN_IMAGES, Size, certifiable, certifiable_with, learning_curve
from gad_core.decision.working_point import needed_normals
from gad_core.gaussian.tuning import Tuning
from gad_core.workspace.rows import DatasetRow, DetectorRow
from pages.shared import charts, resources
from pages.shared.resources import TestImages

_VIEWS = {"AUROC": "auroc", "FPR": "left_out_fpr", "Shrinkage": "shrinkage"}
_TARGETS = (0.001, 0.003, 0.01, 0.03, 0.05, 0.1)
_TARGET = 0.05


def planner(row: DetectorRow, dataset: DatasetRow) -> None:
    """The learning curve of this data set, and the images that each target takes."""
    with st.grid(2, min_column_width=420):
        _curve(row, dataset)
        _needed(row.n_train)


@st.fragment
def _curve(row: DetectorRow, dataset: DatasetRow) -> None:
    if row.n_train < MIN_IMAGES:
        return
    test = resources.test_images(row, dataset)
    drawn = f"_curve_{row.id}"
    finding = "Fits of random subsets of these images, five times each size, say whether more would help."
    if not st.session_state.get(drawn):
        with charts.panel("Are the images enough?", finding):
            st.button(
                "Draw the learning curve",
                key="draw_curve",
                icon=":material/show_chart:",
                on_click=st.session_state.__setitem__,
                args=(drawn, True),
            )
        return
    sizes = _sizes(test, row.id, dataset.id, str(dataset.modified), test.detector.tuning)
    labelled = sizes[-1].auroc is not None
    with charts.panel("Are the images enough?", _finding(sizes)) as corner:
        names = [name for name in _VIEWS if labelled or name != "AUROC"]
        what = _VIEWS[charts.switch(corner, names, key="curve_view")]
        figure = figures.learning_curves(sizes, what=what, target_fpr=_TARGET)
        charts.show(figure, key=f"learning_{what}", alt=_finding(sizes))


def _needed(n_train: int) -> None:
    rows = [
        {
            "target": wording.percent(target),
            "threshold from": needed_normals(target),
            "certified, 0 flagged": certifiable(target),
            "certified, half flagged": certifiable_with(target, target / 2),
        }
        for target in _TARGETS
    ]
    lowest = next((target for target in _TARGETS if needed_normals(target) <= n_train), None)
    finding = f"{n_train} good parts support targets from {wording.percent(lowest)} on." if lowest else ""
    certified = "Certified: below the target at 95 % confidence, where none or half as many as allowed were flagged."
    with charts.panel("Good parts that a target takes", f"{finding} {certified}"):
        st.dataframe(pd.DataFrame(rows), hide_index=True, key="needed", alt=finding)


def _finding(sizes: tuple[Size, ...]) -> str:
    first, last = sizes[-2], sizes[-1]
    if first.auroc and last.auroc:
        gain = 100 * (sum(last.auroc) / len(last.auroc) - sum(first.auroc) / len(first.auroc))
        return f"From {first.n} to {last.n} good parts the AUROC changes by {gain:+.1f} points on average."
    shrinkage = [sum(size.shrinkage) / len(size.shrinkage) for size in (first, last)]
    return f"From {first.n} to {last.n} good parts the shrinkage goes from {shrinkage[0]:.2f} to {shrinkage[1]:.2f}."


@st.cache_data(show_spinner="Fitting subsets …", max_entries=16)
def _sizes(_test: TestImages, detector_id: str, dataset_id: str, modified: str, tuning: Tuning) -> tuple[Size, ...]:
    detector, labels = _test.detector, _test.images.labels
    return learning_curve(
        detector.training.features,
        detector.slices,
        tuning,
        test_features=_test.features,
        anomalous=labels,
        target_fpr=_TARGET,
    )
