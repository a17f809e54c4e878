"""All chosen ones beside each other: the numbers that matter now, and a table of how well each tells defects."""

import pandas as pd
import streamlit as st

from gad_core import figures, wording
from gad_core.decision.detector_comparison import FIXED_FPR, FIXED_TPR, Compared, compare_pair, winner
from pages.shared import charts
from pages.shared.text import plain
from pages.views.compare.candidates import Field, Member

_NONE = "–"


def numbers(field: Field) -> None:
    """The best by AUROC, the images, and whether the best is known to be the best."""
    best = max(field.compared, key=lambda one: one.area.value)
    area = best.area
    with st.grid(3, min_column_width=220):
        st.metric(
            "Highest AUROC",
            wording.percent(area.value),
            plain(f"{wording.interval(area.low, area.high)} · {best.name}"),
            help="Area under the ROC on the test images that all of them have scored, with a 95 % interval.",
            **charts.QUIET,
        )
        st.metric(
            "Compared",
            str(len(field.members)),
            "at their own settings",
            help="Detectors at the tuning that their file holds; baselines as their sentence below says.",
            **charts.QUIET,
        )
        st.metric(
            "Test images",
            str(len(field.files)),
            f"{int((~field.anomalous).sum())} good, {int(field.anomalous.sum())} defective",
            help="Those that every one of them could read.",
            **charts.QUIET,
        )


def beside(field: Field) -> None:
    """A chart of the areas and a table of all."""
    compared, words = field.compared, sentence(field)
    with charts.panel("AUROC side by side", words, loud=True):
        areas = {one.name: one.area for one in compared}
        charts.show(figures.areas_beside(areas), key="areas_beside", alt=words)
    with charts.panel(
        "What each catches",
        f"With {wording.percent(FIXED_FPR)} of the good test images flagged, and with {wording.percent(FIXED_TPR)} of "
        "the defects caught: thresholds from these images, so that only the order counts.",
    ):
        rows = [_row(one, member) for one, member in zip(compared, field.members, strict=True)]
        known = [name for name in rows[0] if any(row[name] != _NONE for row in rows)]
        st.table(pd.DataFrame(rows)[known], border="horizontal", hide_index=True, alt=words)


def sentence(field: Field) -> str:
    """Who is best, and whether that could be chance; nobody where intervals overlap."""
    compared = field.compared
    if len(compared) == 1:
        return f"{compared[0].name} alone: choose or run another one to compare it with."
    if best := winner(compared):
        return f"{best.name} is the best: its interval lies above those of all others."
    order = sorted(zip(compared, field.members, strict=True), key=lambda pair: -pair[0].area.value)
    (first, own), (second, other) = order[:2]
    if first.area.value == second.area.value:
        return f"No winner: {first.name} and {second.name} have the same AUROC."
    found = compare_pair(own.scores, other.scores, field.anomalous).delong
    points = f"{100 * found.value:.1f} points [{100 * found.low:.1f}, {100 * found.high:.1f}]"
    chance = "which may be chance" if found.by_chance else "more than chance for this pair alone"
    return (
        f"No winner, for intervals overlap. Next to each other, {first.name} is {points} above {second.name} "
        f"(paired DeLong, p = {found.p_value:.2g}), {chance}."
    )


def _row(one: Compared, member: Member) -> dict[str, str]:
    explained, located = member.explanation, member.located
    return {
        "": plain(one.name),
        "AUROC": charts.unbroken(wording.percent(one.area.value), wording.interval(one.area.low, one.area.high)),
        "caught at 5 %": charts.cell(one.tpr),
        "flagged at 95 % caught": charts.cell(one.fpr),
        "flagged at the adopted threshold": charts.cell(member.adopted) if member.adopted else _NONE,
        "explanation score": f"{explained.mean:.1f} (n = {explained.n})" if explained else _NONE,
        "pixel AUROC": wording.percent(located.pixel_auroc) if located else _NONE,
    }
