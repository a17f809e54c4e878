"""How many images are enough: what fewer would have given, and how many a target takes."""

import pandas as pd
import streamlit as st

from gad_core import figures, wording
from gad_core.decision.assurance import needed_for_assurance
from gad_core.decision.planner import MIN_IMAGES, Size, certifiable_with, learning_curve
from gad_core.decision.working_point import needed_normals
from gad_core.figures.planning import Quantity
from gad_core.gaussian.tuning import Tuning
from pages.shared import charts, frame, resources
from pages.shared.resources import TestImages

_VIEWS: dict[str, Quantity] = {"AUROC": "auroc", "FPR": "left_out_fpr", "Shrinkage": "shrinkage"}
_TARGETS = (0.001, 0.003, 0.01, 0.03, 0.05, 0.1)
_TARGET = 0.05


def planner(test: TestImages) -> None:
    """The learning curve of this data set, and the images that each target takes."""
    with st.grid(2, min_column_width=420):
        _curve(test)
        _needed(test.detector.n_train)


@frame.fragment
def _curve(test: TestImages) -> None:
    if test.detector.n_train < MIN_IMAGES:
        return
    drawn = f"_curve_{test.state.detector.id}"
    finding = "Fits of random subsets of these images, five times each size, say whether more would help."
    if not st.session_state.get(drawn):
        with charts.panel("Learning curve", finding):
            st.button(
                "Draw the learning curve",
                key="draw_curve",
                icon=":material/show_chart:",
                on_click=st.session_state.__setitem__,
                args=(drawn, True),
            )
        return
    sizes = sizes_of(test, test.detector.tuning)
    labelled = sizes[-1].auroc is not None
    with charts.cornered("Learning curve", _finding(sizes)) as corner:
        names = [name for name in _VIEWS if labelled or name != "AUROC"]
        what = _VIEWS[charts.switch(corner, names, key="curve_view")]
        figure = figures.learning_curves(sizes, what=what, target_fpr=_TARGET)
        charts.show(figure, key=f"learning_{what}", alt=_finding(sizes))


def _needed(n_train: int) -> None:
    rows = [
        {
            "target": wording.percent(target),
            "on average": needed_normals(target),
            "95 % confident": needed_for_assurance(target),
            "at every target": needed_for_assurance(target, simultaneous=True),
            "checked, half flagged": certifiable_with(target, target / 2),
        }
        for target in _TARGETS
    ]
    lowest = next((target for target in _TARGETS if needed_normals(target) <= n_train), None)
    finding = f"{n_train} good parts support targets from {wording.percent(lowest)} on." if lowest else ""
    words = (
        "For a threshold that keeps its target on average, with 95 % confidence, or so at every target at once; the "
        "last column checks an existing one that flags half as many as allowed."
    )
    with charts.panel("Good parts needed by target", f"{finding} {words}"):
        st.dataframe(pd.DataFrame(rows), hide_index=True, key="needed", alt=finding)


def _finding(sizes: tuple[Size, ...]) -> str:
    first, last = sizes[-2], sizes[-1]
    if first.auroc and last.auroc:
        gain = 100 * (sum(last.auroc) / len(last.auroc) - sum(first.auroc) / len(first.auroc))
        return f"From {first.n} to {last.n} good parts the AUROC changes by {gain:+.1f} points on average."
    shrinkage = [sum(size.shrinkage) / len(size.shrinkage) for size in (first, last)]
    return f"From {first.n} to {last.n} good parts the shrinkage goes from {shrinkage[0]:.2f} to {shrinkage[1]:.2f}."


@st.cache_data(show_spinner="Fitting subsets …", max_entries=16, hash_funcs=resources.BY_STATE)
def sizes_of(test: TestImages, tuning: Tuning) -> tuple[Size, ...]:
    """The learning curve at one tuning."""
    detector = test.detector
    return learning_curve(
        detector.training.features,
        detector.slices,
        tuning,
        regions=detector.regions,
        test_features=test.features,
        anomalous=test.images.labels,
        target_fpr=_TARGET,
    )
