"""The strip above the charts: tuning, level and method; the production and its review band."""

import streamlit as st

from gad_core import figures, wording
from gad_core.decision.working_point import METHODS
from gad_core.features.registry import get_backbone
from gad_core.gaussian.tuning import SUM
from gad_core.workspace.rows import DetectorRow
from pages.shared import frame, resources, settings, tuning
from pages.views.working_point import outcomes, review
from pages.views.working_point.outcomes import Production


def choices(detector: DetectorRow) -> tuple[Production, float | None]:
    """Tuning, level and method; behind one button the production and the rate to reject at, if parts are reviewed."""
    backbone = get_backbone(detector.backbone)
    with st.grid(4, min_column_width=185, vertical_alignment="bottom") as strip:
        own = wording.score_name(tuning.in_popover(strip, detector))
        st.selectbox(
            "Level",
            [SUM, *map(str, range(1, backbone.n_levels + 1))],
            format_func=lambda level: own if level == SUM else level,
            help="Of the whole score, or of one level alone. Chi-square predicts a threshold for either.",
            key="level",
            on_change=settings.keep,
        )
        st.selectbox(
            "Threshold by",
            sorted(METHODS, key="cross-conformal".__ne__),
            format_func=figures.METHOD_NAMES.__getitem__,
            help="Cross-conformal: the quantile of left-out good parts, on average right. 95 % confident: at most the "
            "target, in 95 of 100 calibrations. At every target: so whichever target you choose after looking. "
            "Chi-square: equation 6 of the paper.",
            key="method",
            on_change=settings.keep,
        )
        shift = st.popover("Shift & review", icon=":material/payments:", width="stretch", wrap=True, key="shift")
    settings.remember(detector)
    chosen = settings.current(detector)
    with shift:
        production = outcomes.controls()
        own_point = resources.summary(detector).working_point
        review.follow(detector.id, own_point)
        reject = review.control(chosen.target_fpr, own_point)
    st.caption(f":material/tune: {wording.tuning(chosen.tuning)}")
    return production, reject


def choose_method(method: str) -> None:
    """For callbacks, which run before the control is drawn."""
    st.session_state["method"] = method
    settings.keep()
    frame.redraw()
