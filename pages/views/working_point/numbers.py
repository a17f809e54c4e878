"""The five numbers that matter at a working point."""

import streamlit as st

from gad_core import wording
from pages.shared import charts
from pages.views.working_point.thresholds import View


def numbers(view: View) -> None:
    """The five numbers that matter."""
    point = view.chosen.point
    with st.grid(5, min_column_width=125):
        st.metric("Threshold", wording.number(point.threshold), "distance", **charts.QUIET, help=point.how)
        st.metric(
            "Promised",
            wording.percent(view.settings.target_fpr),
            "of good parts flagged",
            **charts.QUIET,
            help="The target.",
        )
        for label, rate, words in (
            ("Left-out good", view.chosen.left_out, "Training images flagged by fits without them."),
            ("Good test parts", view.chosen.test, "Good test images flagged: the false-positive rate."),
            ("Caught defects", view.chosen.tpr, "Defective test images flagged: the true-positive rate."),
        ):
            value = wording.percent(rate.value) if rate else "unknown"
            note = wording.rate_note(rate) if rate else "too few images"
            st.metric(label, value, note, **charts.QUIET, help=f"{words} In brackets the exact 95 % interval.")
