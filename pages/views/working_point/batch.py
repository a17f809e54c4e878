"""The test images judged together: of those flagged, how many are good at most, and how many are."""

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from gad_core import wording
from gad_core.decision.false_discovery import Batch, flag_batch
from gad_core.decision.rates import Rate, rate
from pages.shared import charts
from pages.shared.text import plain
from pages.views.working_point.view import View

_TITLE = "Judged as a batch"
_RATES = (1, 2, 5, 10, 20)  # percent


def batch(view: View) -> None:
    """What Benjamini-Hochberg flags of the test images, beside what the threshold flags."""
    if not len(view.scores.test):
        charts.panel_without(_TITLE, "There are no test images to judge together.")
        return
    percent = int(st.session_state.get("fdr") or 10)
    found = flag_batch(view.scores, percent / 100)
    finding = _finding(view, found)
    with charts.cornered(_TITLE, finding) as corner:
        corner.selectbox(
            "Good among the flagged, at most",
            _RATES,
            index=_RATES.index(10),
            format_func="at most {} % good".format,
            key="fdr",
            persist_state="session",
            label_visibility="collapsed",
            width=180,
        )
        st.table(_table(view, found), hide_index=True, border="horizontal", alt=finding)
        st.caption(
            ":material/info: A threshold keeps its share of the good parts, whatever comes. A batch keeps its share of "
            "the flagged parts: it flags the more freely the more defects there are. Benjamini-Hochberg on conformal "
            f"p-values of {found.n_normal} good parts; {_kept(found)}."
        )


def _kept(found: Batch) -> str:
    """How far the promise goes."""
    if found.exact:
        return "a theorem, on average over batches, for they were kept apart"
    return "about kept, for the theorem asks for good parts that were kept apart and stand alone"


def _finding(view: View, found: Batch) -> str:
    """What was promised and what came of it."""
    if found.too_few:
        return f"{found.too_few[0].upper()}{found.too_few[1:]}."
    flagged, n = int(found.flagged.sum()), len(found.flagged)
    promise = f"At most {wording.percent(found.fdr)} of the flagged parts should be good, on average"
    if not flagged:
        return f"{promise}; of {n} test parts none is far enough out to be flagged so."
    good = _good_among(view, found.flagged)
    return (
        f"{promise}; of {n} test parts {flagged} are flagged, and {good.count} of these are good: {wording.rate(good)}."
    )


def _table(view: View, found: Batch) -> pd.DataFrame:
    ways = {f"batch, at most {100 * found.fdr:.3g} % good": found.flagged}
    if view.threshold is not None:
        ways["the threshold"] = view.scores.test > view.threshold
    rows = []
    for way, flagged in ways.items():
        caught = rate(int(flagged[view.anomalous].sum()), int(view.anomalous.sum())) if view.anomalous.any() else None
        rows.append(
            {
                "flagged by": plain(way),
                "parts": int(flagged.sum()),
                "of these good": charts.cell(_good_among(view, flagged)) if flagged.any() else "none flagged",
                "defects caught": charts.cell(caught) if caught else "none",
            }
        )
    return pd.DataFrame(rows)


def _good_among(view: View, flagged: NDArray[np.bool_]) -> Rate:
    return rate(int((flagged & ~view.anomalous).sum()), int(flagged.sum()))
