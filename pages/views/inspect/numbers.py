"""The numbers that matter of the inspected parts."""

import streamlit as st

from gad_core import figures, wording
from gad_core.decision.rates import rate
from gad_core.workspace.rows import DetectorRow
from pages.shared import resources
from pages.shared.charts import QUIET


def numbers(detector: DetectorRow) -> None:
    """Threshold, parts, flagged, false alarms, missed defects; rates with their n and interval."""
    summary, line = resources.summary(detector), resources.line(detector)
    point, known, n = summary.working_point, line.achieved, len(line.rows)
    flagged = sum(line.flagged)
    with st.grid(5, min_column_width=150):
        st.metric(
            "Threshold",
            wording.number(point.threshold) if point else "not adopted",
            f"{figures.METHOD_NAMES[point.method].lower()} at {wording.percent(point.target_fpr)}"
            if point
            else "5.0 % by default",
            help="Adopted on Working point. A part above it is flagged; with a review band, a person reviews what lies "
            "between the two thresholds.",
            **QUIET,
        )
        st.metric(
            "Parts inspected",
            f"{n:,}",
            f"{line.others:,} more by another reading" if line.others else f"{known.judged:,} judged by a person",
            help="Judged as this detector judges now. Parts that another fit or another tuning of it has judged are "
            "not counted: their scores mean something else.",
            **QUIET,
        )
        st.metric(
            "Flagged",
            wording.percent(flagged / n) if n else "none yet",
            wording.rate_note(rate(flagged, n)) if n else "no part yet",
            help="Share of all parts above the threshold, good or not.",
            **QUIET,
        )
        alarms = known.false_alarms
        st.metric(
            "False alarms",
            wording.percent(alarms.value) if alarms else "none known",
            wording.rate_note(alarms) if alarms else "judge some parts",
            help="Flagged parts that a person called good, among good parts; parts that passed and that nobody judged "
            "count as good. Exact 95 % interval (Clopper-Pearson).",
            **QUIET,
        )
        st.metric(
            "Missed defects",
            f"{known.missed.count} of {known.missed.n}" if known.missed else "not known",
            "passed and judged" if known.missed else "judge some that passed",
            help="Parts that passed and that a person called defective, of all that passed and were judged.",
            **QUIET,
        )
