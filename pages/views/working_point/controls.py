"""The choices that a threshold rests on: tuning, level and method."""

import streamlit as st

from gad_core import figures
from gad_core.decision.working_point import METHODS
from gad_core.features.registry import get_backbone
from gad_core.gaussian.tuning import Tuning
from gad_core.workspace.rows import DetectorRow
from pages.shared import tuning
from pages.shared.controls import BOUND


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


def choose_method(method: str) -> None:
    """For callbacks, which run before the control is drawn."""
    st.session_state["method"] = method
