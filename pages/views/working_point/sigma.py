"""Table VI on the open data set: what chi-square promises and what comes, with and without augmented copies."""

from datetime import datetime

import pandas as pd
import streamlit as st

from gad_core.decision.sigma_table import LEVEL, SIGMAS, SigmaColumn, sigma_table
from gad_core.decision.working_point import sigma_fpr
from gad_core.workspace.rows import DatasetRow, DetectorRow
from pages.shared import charts, resources


@st.fragment
def promised_and_achieved(detector: DetectorRow, dataset: DatasetRow) -> None:
    """Rates at one to five sigma for three cuts of one level, for this fit and for its twin."""
    other = _twin(detector)
    finding = "Chi-square thresholds at n sigma (Table VI): the good and the defective test parts that they flag, in %."
    with charts.panel("What sigma promises", finding):
        n_levels = resources.detector(detector).n_levels
        level = st.segmented_control(
            "Level",
            range(1, n_levels + 1),
            default=min(LEVEL, n_levels),
            required=True,
            key="sigma_level",
            persist_state="session",
        )
        rows = sorted(filter(None, (detector, other)), key=_passes)
        with st.grid(len(rows), min_column_width=420):
            for row in rows:
                _show(row, dataset, int(level or LEVEL))
        if other is None:
            st.caption(
                ":material/info: Fit once more with augmented copies, or without, and both stand here side by side."
            )


def _show(row: DetectorRow, dataset: DatasetRow, level: int) -> None:
    columns = _columns(row.id, row, dataset, dataset.modified, level)
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
                ("FPR", [one.test for one in column.achieved]),
                ("TPR", [one.tpr for one in column.achieved]),
            ):
                table[f"{column.name} {name}"] = [f"{100 * rate.value:.1f}" if rate else "–" for rate in rates]
        st.dataframe(pd.DataFrame(table), hide_index=True, key=f"sigma_{row.id}", alt=words.strip("*"))


@st.cache_resource(show_spinner="Counting …", max_entries=32)
def _columns(
    detector_id: str, _row: DetectorRow, _dataset: DatasetRow, modified: datetime, level: int
) -> tuple[SigmaColumn, ...]:
    test = resources.test_images(_row, _dataset)
    return sigma_table(test.projected, test.images.labels, level=level)


def _passes(row: DetectorRow) -> int:
    return int((row.settings.get("augment") or {"passes": 0})["passes"])


def _twin(detector: DetectorRow) -> DetectorRow | None:
    """The newest fit to the same data set that differs in having copies, or none."""
    for row in resources.store().detectors.all():
        same = (row.dataset_id, row.backbone) == (detector.dataset_id, detector.backbone)
        if same and bool(_passes(row)) != bool(_passes(detector)):
            return row
    return None
