"""Controls that several pages share; each keeps its value in the tab and in the link."""

from typing import Any

import streamlit as st

from gad_core.decision.working_point import sigma_fpr
from pages.shared import live, settings

#: Kept in the link and in the tab.
BOUND: dict[str, Any] = {"bind": "query-params", "persist_state": "session"}


def _even(low: float, high: float, step: float) -> list[float]:
    return [round(low + step * i, 4) for i in range(round((high - low) / step) + 1)]


#: Target rates in percent: log-spaced, with those of 1 to 4 standard deviations.
STEPS = tuple(
    sorted(
        {0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40, 50}
        | {round(100 * sigma_fpr(n), 4) for n in (1, 2, 3, 4)}
    )
)
_SIGMAS = {round(100 * sigma_fpr(n), 4): f"{n}σ" for n in (1, 2, 3, 4)}
#: Where the slider can stand, the closer together the more images know of it; and what is written below it.
STOPS = frozenset({*STEPS, *_even(0.01, 0.1, 0.01), *_even(0.1, 1, 0.01), *_even(1, 10, 0.1), *_even(10, 50, 0.5)})
_TICKS = {step: f"{step:g} %" for step in (1, 10, 50)} | {step: name for step, name in _SIGMAS.items() if step > 0.1}


def stops(percent: float) -> tuple[float, ...]:
    """Where the slider can stand: two digits of every target from 0.01 to 50 %, the steps, and the present target."""
    return tuple(sorted({*STOPS, round(percent, 6)}))


def target_slider(columns: str, stops: tuple[float, ...], at: int) -> None:
    """The target false-positive rate: a logarithmic slider with a box for any other value (`fpr` in the session)."""

    def released(percent: float) -> None:
        st.session_state["fpr"] = round(min(max(percent, 0.001), 50.0), 6)
        settings.keep()

    live.slider(
        key="target",
        label="Target false-positive rate",
        help_text="The share of good parts that you accept to be flagged. nσ marks are the tails of a normal "
        "distribution.",
        columns=columns,
        stops=stops,
        at=at,
        ticks=[(stops.index(step), words) for step, words in _TICKS.items()],
        on_release=released,
    )


def step_name(percent: float) -> str:
    """How a step of the slider is written."""
    sigma = _SIGMAS.get(percent)
    return f"{percent:.3g} %" + (f" ({sigma})" if sigma else "")
