"""Measures of the map that is shown, each beside what a shuffled map gives."""

from dataclasses import dataclass
from html import escape

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from gad_core import wording
from gad_core.attribution.attribution_map import Attribution
from gad_core.attribution.measures import Measures, measure_map
from gad_core.data.datasets import ImageFile
from pages.shared import charts, downloads
from pages.views.attributions.maps import Array

_TITLE = "Measures of the map"


@dataclass(frozen=True)
class Measure:
    """How one measure is told."""

    title: str
    meaning: str
    definition: str  # with its source
    share: bool = True  # told in percent

    def words(self, value: float | None) -> str:
        """The measure as people read it; a dash where it is not defined."""
        if value is None:
            return "–"
        return wording.percent(value) if self.share else f"{value:.2f}"


#: By the name of the field of `Measures`.
MEASURES = {
    "mass": Measure(
        "Mass in the mask",
        "of what raises the distance lies in the mask",
        "Relevance mass accuracy: the positive values of the map within the mask over all positive ones; the map is "
        "rectified first, as its definition asks for relevance that is not negative. Source: Arras, Osman & Samek "
        "2022, Information Fusion 81.",
    ),
    "rank": Measure(
        "Ranks in the mask",
        "of the most relevant pixels, as many as the mask has, lie in it",
        "Relevance rank accuracy: of the K highest pixels of the signed map, the share within the mask, which has K. "
        "Source: Arras, Osman & Samek 2022, Information Fusion 81.",
    ),
    "pointing": Measure(
        "Pointing game",
        "hit if the most relevant pixel lies in the mask",
        "Whether the highest pixel of the map lies in the mask, without a margin around it. Source: Zhang et al. 2018, "
        "IJCV 126.",
    ),
    "gini": Measure(
        "Sparseness",
        "0: every pixel says as much; near 1: a few say everything",
        "Gini index of the map's absolute values. Shuffling the pixels leaves it as it is, so that chance has no level "
        "of its own. Source: Chalasani et al. 2020, ICML.",
        share=False,
    ),
    "regions": Measure(
        "Agreement with the regions",
        "1: regions far from normal are those where the map adds up to most",
        "Spearman rank correlation of the regions' standardised distances (the heat map) with the sums of the map over "
        "the regions' cells. The map shows what moves the score, which pools the highest regions alone; the heat map "
        "shows all of them.",
        share=False,
    ),
}


def measures(attribution: Attribution, file: ImageFile, mask: NDArray[np.bool_] | None, regions: Array | None) -> None:
    """A row a measure: value, chance, and what it says; `regions` (rows, columns) is the heat map, if there is one."""
    measured = measure_map(attribution.total, mask, grid=regions)
    known = {name: told for name, told in MEASURES.items() if getattr(measured, name) is not None}
    with charts.cornered(_TITLE, _finding(measured, file)) as corner:
        with corner:
            downloads.row(f"{file.path.stem}-measures", key="download_measures", csv=lambda: table(measured))
        rows = "".join(_row(measured, name, told) for name, told in known.items())
        st.html(f'<table class="gad-table"><tbody>{rows}</tbody></table>')


def _row(measured: Measures, name: str, told: Measure) -> str:
    """What the measure is, its value, chance, and what the value says; as HTML, where all rows are one element."""
    chance = measured.chance(name)
    usual = "the same shuffled" if chance is None else f"chance {told.words(chance)}"
    definition = f'<span class="gad-help" role="note" tabindex="0" aria-label="{escape(told.definition)}">?</span>'
    return (
        f'<tr><th scope="row">{told.title}&nbsp;{definition}</th><td>{value_of(name, getattr(measured, name))}</td>'
        f'<td class="quiet">{usual}</td><td class="words">{told.meaning}</td></tr>'
    )


def value_of(name: str, value: float) -> str:
    """A measure's value; the pointing game of one image is hit or missed."""
    if name == "pointing" and value in (0.0, 1.0):
        return "hit" if value else "missed"
    return MEASURES[name].words(value)


def table(measured: Measures) -> bytes:
    """The measures as CSV."""
    values = measured.to_json().items()
    return downloads.csv([{"measure": name, "value": value, "chance": measured.chance(name)} for name, value in values])


def _finding(measured: Measures, file: ImageFile) -> str:
    """What they come to, in a sentence."""
    if measured.area is None:
        why = "its mask is empty or covers everything" if file.mask else "it has no mask"
        return f"How sparse the map is, and what the regions say of it; {why}, so that no place can be right or wrong."
    if measured.mass is None:
        return "Nothing raises the distance: no pixel of the map is positive."
    times = measured.mass / measured.area
    return (
        f"The mask takes {wording.percent(measured.area)} of the image and holds {wording.percent(measured.mass)} of "
        f"what raises the distance, {times:.2g} times what a shuffled map would have there."
    )
