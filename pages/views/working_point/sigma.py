"""Table VI on the open data set: what chi-square promises and what comes, with and without augmented copies."""

import pandas as pd
import streamlit as st

from gad_core.decision.sigma_table import LEVEL, SIGMAS, SigmaColumn, sigma_table
from gad_core.decision.working_point import sigma_fpr
from gad_core.workspace.rows import DatasetRow, DetectorRow
from gad_core.workspace.steps import augmented_twin
from pages.shared import charts, frame, resources


@frame.fragment
def promised_and_achieved(detector: DetectorRow, dataset: DatasetRow) -> None:
    """Rates at one to five sigma for three reductions of one level, for this fit and for its twin."""
    twin = augmented_twin(resources.store(), detector)
    finding = "Chi-square thresholds at n sigma (Table VI): the good and the defective test parts that they flag, in %."
    with charts.panel("Rates at n sigma", finding):
        n_levels = resources.detector(detector).n_levels
        level = st.segmented_control(
            "Level",
            range(1, n_levels + 1),
            default=min(LEVEL, n_levels),
            required=True,
            key="sigma_level",
            persist_state="session",
        )
        rows = sorted(filter(None, (detector, twin)), key=_passes)
        with st.grid(len(rows), min_column_width=420):
            for row in rows:
                _show(row, dataset, int(level or LEVEL))
        if twin is None:
            st.caption(
                ":material/info: Fit once more with augmented copies, or without, and both stand here side by side."
            )


def _show(row: DetectorRow, dataset: DatasetRow, level: int) -> None:
    columns = columns_of(resources.test_images(row, dataset), level)
    passes = _passes(row)
    words = f"**{passes} augmented copies of each good part**" if passes else "**The good parts as they are**"
    areas = ", ".join(f"{column.name} {100 * column.auroc.value:.1f}" for column in columns if column.auroc)
    with st.container():
        st.markdown(words + (f" · AUROC {areas}" if areas else ""))
        table = {
            "sigma": [f"{n}σ" for n in SIGMAS],
            "promised": [f"{100 * sigma_fpr(n):.2g} %" for n in SIGMAS],
        }
        for column in columns:
            for name, rates in (
                ("FPR", [point.test for point in column.rates]),
                ("TPR", [point.tpr for point in column.rates]),
            ):
                table[f"{column.name} {name}"] = [f"{100 * rate.value:.1f}" if rate else "–" for rate in rates]
        st.dataframe(pd.DataFrame(table), hide_index=True, key=f"sigma_{row.id}", alt=words.strip("*"))


@st.cache_resource(show_spinner="Counting …", max_entries=32, hash_funcs=resources.BY_STATE)
def columns_of(test: resources.TestImages, level: int) -> tuple[SigmaColumn, ...]:
    """Rates at chi-square thresholds, for every reduction of the table."""
    return sigma_table(test.projected, test.images.labels, level=level)


def _passes(row: DetectorRow) -> int:
    augmented = resources.summary(row).settings.augmented
    return augmented.passes if augmented else 0
