"""Two thresholds: accept, review, reject."""

from dataclasses import replace

import pandas as pd
import streamlit as st

from gad_core import wording
from gad_core.decision.costs import Band, BandRates, band_rates
from gad_core.decision.rates import Rate
from gad_core.gaussian.tuning import WorkingPoint
from pages.shared import charts
from pages.shared.controls import BOUND
from pages.views.working_point.view import View

_OF = "_review_of"  # in the session: the detector that the controls belong to


def control(target_fpr: float, adopted: WorkingPoint | None) -> float | None:
    """The share of good parts above which parts are rejected, or none: then nobody reviews; at first as adopted."""
    own = adopted.reject_fpr if adopted else None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        on = st.toggle(
            "Let a person review",
            value=own is not None,
            key="review",
            help="A second, stricter threshold: a person reviews what lies between the two.",
            **BOUND,
        )
        if not on:
            return None
        percent = st.number_input(
            "Reject at, % of good parts",
            0.001,
            50.0,
            max(round(100 * own if own is not None else 20 * target_fpr, 4), 0.001),
            format="%.4g",
            key="reject",
            help="The stricter threshold; the looser one is that of the target above.",
            persist_state="session",
        )
    return float(percent) / 100


def follow(detector_id: str, adopted: WorkingPoint | None) -> None:
    """Another detector comes with its own review band; before the controls are drawn."""
    shown, st.session_state[_OF] = st.session_state.get(_OF), detector_id
    if shown not in {None, detector_id}:
        show(adopted)


def show(adopted: WorkingPoint | None) -> None:
    """Set the controls to an adopted threshold's; for callbacks."""
    st.session_state["review"] = adopted is not None and adopted.reject_fpr is not None
    if adopted and adopted.reject_fpr is not None:
        st.session_state["reject"] = round(100 * adopted.reject_fpr, 4)


def with_band(point: WorkingPoint, band: Band | str | None, reject_fpr: float | None) -> WorkingPoint:
    """The threshold with the review band beside it, if there is one."""
    if not isinstance(band, Band):
        return point
    return replace(point, reject_above=band.reject_above, reject_fpr=reject_fpr)


def review(view: View) -> None:
    """What a person has to look at between the two thresholds; nothing while nobody reviews."""
    if isinstance(view.review, str):
        charts.panel_without("Review band", view.review)
    elif view.review:
        band = view.review
        words = (
            f"Accepted up to {wording.number(band.accept_below)}, rejected above {wording.number(band.reject_above)}; "
            "a person reviews what lies between."
        )
        rates = band_rates(view.scores.test, view.anomalous, band)
        with charts.panel("Review band", words):
            st.table(_table(rates), hide_index=True, border="horizontal", alt=words)


def _table(rates: BandRates) -> pd.DataFrame:
    def words(three: tuple[Rate, Rate, Rate] | None) -> list[str]:
        return [charts.cell(rate) for rate in three] if three else ["none"] * 3

    names = ("accepted", "reviewed", "rejected")
    return pd.DataFrame(
        [
            {"parts": kind} | dict(zip(names, words(three), strict=True))
            for kind, three in (("good test", rates.good), ("defects", rates.bad))
        ]
    )
