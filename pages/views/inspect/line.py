"""What the threshold achieves on the line, as far as people told."""

import pandas as pd
import streamlit as st

from gad_core import wording
from gad_core.decision.point_settings import DEFAULT_TARGET_FPR
from gad_core.workspace.rows import DetectorRow
from pages.shared import charts, frame, resources


def rates(detector: DetectorRow) -> None:
    """The sentence, and promise and achievement side by side."""
    line, point = resources.line(detector), resources.summary(detector).working_point
    if not line.rows:
        charts.panel_without("Rates on the line", "No part was inspected as this detector judges now.")
        return
    found = line.achieved
    finding = frame.sentence(found.sentence(line.rows[0].created.date()))
    with charts.panel("Rates on the line", finding, loud=True):
        if found.false_alarms is None:
            return
        target = point.target_fpr if point else DEFAULT_TARGET_FPR
        rows = [
            {"of good parts": "promised", "flagged": wording.percent(target)},
            {"of good parts": f"on the line, n = {found.false_alarms.n}", "flagged": charts.cell(found.false_alarms)},
        ]
        if found.open and found.at_most is not None:
            words = {"of good parts": "should all open ones be good", "flagged": wording.percent(found.at_most)}
            rows.append(words)
        st.table(pd.DataFrame(rows), hide_index=True, border="horizontal", alt=finding)
        st.caption(
            f":material/info: {_verdict(found.false_alarms.low, found.false_alarms.high, found.at_most, target)}"
        )


def _verdict(low: float, high: float, at_most: float | None, target: float) -> str:
    """Whether the promise holds, as far as the numbers say."""
    if low > target:
        return "More good parts are flagged than promised: the interval lies above the promise. Recalibrate below."
    if at_most is not None and at_most <= target:
        return "The promise holds on the parts judged so far, even if every open one should be good."
    if high <= target:
        return "The promise holds, as far as the judged parts go; the open ones may change that."
    return "The promise lies within the interval: nothing speaks against it yet. More judged parts make it narrower."
