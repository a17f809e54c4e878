"""Working point: where to draw the line between good and anomalous."""

import streamlit as st

from gad_core import figures, wording
from gad_core.decision.working_point import METHODS
from gad_core.features.backbones import get_backbone
from gad_core.gaussian.tuning import Tuning
from gad_core.workspace.rows import DatasetRow, DetectorRow
from gad_core.workspace.steps import adopt
from pages.shared import (
    charts,
    error_view,
    frame,
    opened,
    outcome_view,
    point_view,
    resources,
    sigma_view,
    tasks,
    tuning,
)
from pages.shared.controls import BOUND, target_fpr

frame.begin()


def main() -> None:
    frame.heading("Working point", "Decide how many good parts may be flagged; the threshold follows.")
    tasks.cards()
    tasks.show_failure()
    detector, dataset = opened.detector(), opened.dataset()
    if detector is None or dataset is None:
        frame.empty("Fit a detector first: then every move here shows at once.", "Fit a detector", "pages/fit.py")
        return
    workbench(detector, dataset)
    sigma_view.promised_and_achieved(detector, dataset)


@st.fragment
def workbench(detector: DetectorRow, dataset: DatasetRow) -> None:
    """The controls and all that they move."""
    error_view.leave()
    with st.container(border=True):
        chosen, level, method = choices(detector)
        target = target_fpr()
        with st.expander("Parts per shift and costs", icon=":material/payments:", key="production"):
            shift = outcome_view.controls()
    test = resources.test_images(detector, dataset)
    view = point_view.look(test, chosen, resources.scores(detector, dataset, chosen)[level], target, method)
    if isinstance(view, str):
        st.warning(view, icon=":material/block:")
        return
    numbers(view)
    if st.button("Adopt this threshold", type="primary", icon=":material/check:", key="adopt"):
        adopt(resources.store(), detector, test.detector, chosen, level, view.chosen.point)
        st.rerun()
    with st.grid(2, min_column_width=420):
        point_view.distances(view, error_view.pick_bar)
        point_view.curves(view, error_view.pick_threshold)
        point_view.promises(view, resources.promise_curves(detector, dataset, chosen, level, point_view.TARGETS))
        point_view.defect_types(view)
        outcome_view.outcomes(view, shift)
        outcome_view.review(view)
        outcome_view.qq(view)
    point_view.comparison(view, _choose_method)
    error_view.pictures(view, dataset)


def choices(detector: DetectorRow) -> tuple[Tuning, str, str]:
    """Tuning, level and method."""
    backbone = get_backbone(detector.backbone)
    tuning_box, level_box, method_box = st.columns([3, 2, 3], vertical_alignment="bottom")
    with tuning_box.popover("Levels & components", icon=":material/tune:", width="stretch", key="tuning"):
        chosen = tuning.tuning(backbone)
    level = level_box.selectbox(
        "Level",
        ["sum", *map(str, range(1, backbone.n_levels + 1))],
        help="A single level follows chi-square in the paper's account; the sum follows no known law.",
        key="level",
        **BOUND,
    )
    method = method_box.selectbox(
        "Threshold by",
        sorted(METHODS, key="cross-conformal".__ne__),
        format_func=figures.METHOD_NAMES.__getitem__,
        help="Cross-conformal: the quantile of left-out good parts. Chi-square: equation 6 of the paper.",
        key="method",
        **BOUND,
    )
    st.caption(f":material/tune: {tuning.words(chosen)}")
    return chosen, level, method


def _choose_method(method: str) -> None:
    """For callbacks, which run before the control is drawn."""
    st.session_state["method"] = method


def numbers(view: point_view.View) -> None:
    """The five numbers that matter."""
    point = view.chosen.point
    with st.grid(5, min_column_width=125):
        st.metric("Threshold", wording.number(point.threshold), "distance", **charts.QUIET, help=point.how)
        st.metric("Promised", wording.percent(view.target), "of good parts flagged", **charts.QUIET, help="The target.")
        for label, rate, words in (
            ("Left-out good", view.chosen.left_out, "Training images flagged by fits that did not see them."),
            ("Good test parts", view.chosen.test, "Good test images flagged: the false-positive rate."),
            ("Caught defects", view.chosen.tpr, "Defective test images flagged: the true-positive rate."),
        ):
            value = wording.percent(rate.value) if rate else "unknown"
            note = wording.rate_note(rate) if rate else "too few images"
            st.metric(label, value, note, **charts.QUIET, help=f"{words} In brackets the exact 95 % interval.")


main()
