"""The five numbers that matter at a working point."""

import streamlit as st

from gad_core import wording
from gad_core.decision.assurance import rate_at_most
from pages.shared import charts
from pages.shared.text import plain
from pages.views.working_point.view import View


def numbers(view: View, finding: str) -> None:
    """Threshold, promise, and what left-out parts, test parts and defects say; each "none" where there is none.

    `finding` says what chi-square promises and what comes.
    """
    chosen = view.chosen
    with st.grid(5, min_column_width=170):
        st.metric(
            "Threshold",
            wording.number(chosen.point.threshold) if chosen else "none",
            view.missing.note if view.missing else "distance",
            **charts.QUIET,
            help=plain(view.missing.why if view.missing else chosen and chosen.point.how),
        )
        _promised(view, finding)
        for label, rate, images, lacking, words in (
            (
                "Left-out good",
                chosen and chosen.left_out,
                len(view.scores.left_out),
                "left-out parts",
                f"Training images flagged by fits without them.{_at_most(view)}",
            ),
            (
                "Good test parts",
                chosen and chosen.test,
                int((~view.anomalous).sum()),
                "good test parts",
                "Good test images flagged: the false-positive rate.",
            ),
            (
                "Caught defects",
                chosen and chosen.tpr,
                int(view.anomalous.sum()),
                "defects to test",
                "Defective test images flagged: the true-positive rate.",
            ),
        ):
            if rate:
                value, note = wording.percent(rate.value), wording.rate_note(rate)
            elif not images:
                value, note = "none", f"no {lacking}"
            else:
                value, note = ("unknown", f"too few {lacking}: {images}") if chosen else ("none", "without a threshold")
            st.metric(label, value, note, **charts.QUIET, help=f"{words} In brackets the exact 95 % interval.")


def _at_most(view: View) -> str:
    """How high the true rate may be, for a person who has looked at many thresholds."""
    if view.threshold is None:
        return ""
    bound = rate_at_most(view.scores.left_out, view.threshold, simultaneous=True)
    return (
        f" Whichever threshold you choose after looking: at this one about {wording.percent(bound)} at most, 95 % sure."
    )


def _promised(view: View, finding: str) -> None:
    """The target, and what comes of it at the threshold that chi-square predicts for it."""
    note, words = "of good parts flagged", "The share of good parts that you accept to be flagged."
    if view.predicted and view.predicted.left_out:
        note = f"chi-square flags {wording.percent(view.predicted.left_out.value)}"
        words += f" {plain(finding)}"
    st.metric("Promised", wording.percent(view.settings.target_fpr), note, **charts.QUIET, help=words)
