"""Controls that several pages share; each keeps its value in the tab and in the link."""

from typing import Any

import streamlit as st

from gad_core.decision.working_point import sigma_fpr
from pages.shared import settings

#: Kept in the link and in the tab.
BOUND: dict[str, Any] = {"bind": "query-params", "persist_state": "session"}

#: Target rates in percent: log-spaced, with those of 1 to 4 standard deviations.
STEPS = tuple(
    sorted(
        {0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40, 50}
        | {round(100 * sigma_fpr(n), 4) for n in (1, 2, 3, 4)}
    )
)
_SIGMAS = {round(100 * sigma_fpr(n), 4): f"{n}σ" for n in (1, 2, 3, 4)}


def target_fpr() -> float:
    """The target false-positive rate in (0, 1): a logarithmic slider and a box for any other value."""
    slider, box = st.columns([4, 1], vertical_alignment="bottom")
    state = st.session_state
    percent = box.number_input(
        "Target, %",
        min_value=0.001,
        max_value=50.0,
        step=0.1,
        format="%.4g",
        key="fpr",
        on_change=settings.keep,
    )
    if state.get("fpr_step") != _nearest(percent):
        # The box, and so the link, says what holds, and the slider follows. It is not set otherwise: the answer to an
        # earlier move, or to a job's end, would take back one that the browser has not sent yet.
        state["fpr_step"] = _nearest(percent)

    def move_box() -> None:
        state["fpr"] = float(state["fpr_step"])
        settings.keep()

    slider.select_slider(
        "Target false-positive rate",
        options=STEPS,
        format_func=step_name,
        key="fpr_step",
        on_change=move_box,
        help="The share of good parts that you accept to be flagged. nσ marks are the tails of a normal distribution.",
    )
    return float(percent) / 100


def step_name(percent: float) -> str:
    """How a step of the slider is written."""
    sigma = _SIGMAS.get(percent)
    return f"{percent:.3g} %" + (f" ({sigma})" if sigma else "")


def _nearest(percent: float) -> float:
    return min(STEPS, key=lambda step: abs(step - percent))
