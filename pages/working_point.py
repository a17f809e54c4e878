"""Working point: where to draw the line between good and anomalous."""

from typing import Any

import streamlit as st

from gad_core import figures, wording
from gad_core.decision.working_point import METHODS
from gad_core.features.backbones import get_backbone
from gad_core.gaussian.tuning import Tuning, presets
from gad_core.workspace.rows import DatasetRow, DetectorRow
from gad_core.workspace.steps import adopt
from pages.shared import frame, opened, point_view, resources, tasks
from pages.shared.controls import target_fpr

frame.begin()

_QUIET: dict[str, Any] = {"delta_color": "off", "delta_arrow": "off", "border": True}


def main() -> None:
    frame.heading("Working point", "Decide how many good parts may be flagged; the threshold follows.")
    tasks.cards()
    tasks.show_failure()
    detector, dataset = opened.detector(), opened.dataset()
    if detector is None or dataset is None:
        frame.empty("Fit a detector first: then every move here shows at once.", "Fit a detector", "pages/fit.py")
        return
    workbench(detector, dataset)


@st.fragment
def workbench(detector: DetectorRow, dataset: DatasetRow) -> None:
    """The controls and all that they move."""
    with st.container(border=True):
        tuning, level, method = choices(detector)
        target = target_fpr()
    bench = resources.bench(detector, dataset)
    view = point_view.look(bench, tuning, resources.scores(detector, dataset, tuning)[level], target, method)
    if isinstance(view, str):
        st.warning(view, icon=":material/block:")
        return
    numbers(view)
    if st.button("Adopt this threshold", type="primary", icon=":material/check:", key="adopt"):
        adopt(resources.store(), detector, bench.detector, tuning, level, view.chosen.point)
        st.rerun()
    with st.grid(2, min_column_width=420):
        point_view.distances(view)
        point_view.curves(view)
        point_view.promises(view, resources.promise_curves(detector, dataset, tuning, level, point_view.TARGETS))
        point_view.defect_types(view)
    point_view.comparison(view)


def choices(detector: DetectorRow) -> tuple[Tuning, str, str]:
    """Preset, level and method."""
    backbone = get_backbone(detector.backbone)
    known = presets(backbone)
    preset_box, level_box, method_box = st.columns([3, 2, 3], vertical_alignment="bottom")
    preset = preset_box.selectbox(
        "Levels and components",
        list(known),
        help="Which levels are summed, and which principal components are kept.",
        key="preset",
        bind="query-params",
        persist_state="session",
    )
    level = level_box.selectbox(
        "Level",
        ["sum", *map(str, range(1, backbone.n_levels + 1))],
        help="A single level follows chi-square in the paper's account; the sum follows no known law.",
        key="level",
        bind="query-params",
        persist_state="session",
    )
    method = method_box.selectbox(
        "Threshold by",
        sorted(METHODS, key="cross-conformal".__ne__),
        format_func=figures.METHOD_NAMES.__getitem__,
        help="Cross-conformal: the quantile of left-out good parts. Chi-square: equation 6 of the paper.",
        key="method",
        bind="query-params",
        persist_state="session",
    )
    return known[preset], level, method


def numbers(view: point_view.View) -> None:
    """The five numbers that matter."""
    point = view.chosen.point
    with st.grid(5, min_column_width=125):
        st.metric("Threshold", wording.number(point.threshold), "distance", **_QUIET, help=point.how)
        st.metric("Promised", wording.percent(view.target), "of good parts flagged", **_QUIET, help="The target.")
        for label, rate, words in (
            ("Left-out good", view.chosen.left_out, "Training images flagged by fits that did not see them."),
            ("Good test parts", view.chosen.test, "Good test images flagged: the false-positive rate."),
            ("Caught defects", view.chosen.tpr, "Defective test images flagged: the true-positive rate."),
        ):
            value = wording.percent(rate.value) if rate else "unknown"
            note = wording.rate_note(rate) if rate else "too few images"
            st.metric(label, value, note, **_QUIET, help=f"{words} In brackets the exact 95 % interval.")


main()
