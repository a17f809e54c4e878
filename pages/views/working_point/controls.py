"""The choices that a threshold rests on: tuning, level and method."""

import streamlit as st

from gad_core import figures, wording
from gad_core.decision.point_settings import PointSettings
from gad_core.decision.working_point import METHODS
from gad_core.features.registry import get_backbone
from gad_core.workspace.rows import DetectorRow
from pages.shared import controls, settings, tuning


def choices(detector: DetectorRow) -> PointSettings:
    """Tuning, level, method and target."""
    backbone = get_backbone(detector.backbone)
    tuning_box, level_box, method_box = st.columns([3, 2, 3], vertical_alignment="bottom")
    with tuning_box.popover("Levels & components", icon=":material/tune:", width="stretch", key="tuning"):
        tuning.controls(detector)
    level_box.selectbox(
        "Level",
        ["sum", *map(str, range(1, backbone.n_levels + 1))],
        help="A single level follows chi-square in the paper's account; the sum has no known distribution.",
        key="level",
    )
    method_box.selectbox(
        "Threshold by",
        sorted(METHODS, key="cross-conformal".__ne__),
        format_func=figures.METHOD_NAMES.__getitem__,
        help="Cross-conformal: the quantile of left-out good parts. Chi-square: equation 6 of the paper.",
        key="method",
    )
    controls.target_fpr()
    settings.remember(detector)
    chosen = settings.current(detector)
    st.caption(f":material/tune: {wording.tuning(chosen.tuning)}")
    return chosen


def choose_method(method: str) -> None:
    """For callbacks, which run before the control is drawn."""
    st.session_state["method"] = method
