"""The measures of all maps of a run: their means beside what shuffled maps give."""

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from gad_core import wording
from gad_core.attribution.category import Explained
from gad_core.attribution.measures import MeasureSummary, summarise_measures
from gad_core.workspace.rows import DatasetRow
from pages.shared import charts, downloads
from pages.views.attributions.measured import MEASURES

_TITLE = "Measures of the maps"


def measures(dataset: DatasetRow, images: Sequence[Explained]) -> None:
    """A row a measure over the masked images; nothing for a run that was made before there were measures."""
    found = summarise_measures([image.measures for image in images])
    if not found:
        return
    finding = _finding(found)
    with charts.cornered(_TITLE, finding) as corner:
        with corner:
            downloads.row(f"{dataset.name}-measures", key="download_category_measures", csv=lambda: table(found))
        rows = [
            {
                "measure": told.title,
                "images": found[name].n,
                "mean ± standard error": _mean(name, found[name]),
                "by chance": _chance(name, found[name]),
                "what it says": told.meaning,
            }
            for name, told in MEASURES.items()
            if name in found
        ]
        st.dataframe(pd.DataFrame(rows), hide_index=True, key="category_measures", alt=finding)


def table(found: Mapping[str, MeasureSummary]) -> bytes:
    """The means as CSV."""
    return downloads.csv([{"measure": name, **vars(summary)} for name, summary in found.items()])


def _finding(found: Mapping[str, MeasureSummary]) -> str:
    mass = found.get("mass")
    if mass is None or mass.chance is None:
        return "No mask leaves an outside to compare with."
    return (
        f"On average {wording.percent(mass.mean)} of what raises the distance lies in the mask, where shuffled maps "
        f"have {wording.percent(mass.chance)} (n = {mass.n})."
    )


def _mean(name: str, summary: MeasureSummary) -> str:
    words = MEASURES[name].words
    return f"{words(summary.mean)} ± {words(summary.sem)}" if summary.n > 1 else words(summary.mean)


def _chance(name: str, summary: MeasureSummary) -> str:
    return "the same" if summary.chance is None else MEASURES[name].words(summary.chance)
