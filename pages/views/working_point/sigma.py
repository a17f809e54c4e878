"""Table VI on the open data set: what chi-square promises and what comes, with and without augmented copies."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from gad_core import figures, wording
from gad_core.decision.rates import Rate
from gad_core.decision.sigma_table import LEVEL, SIGMAS, SigmaColumn, sigma_table
from gad_core.decision.working_point import sigma_fpr
from gad_core.workspace.rows import DatasetRow, DetectorRow
from gad_core.workspace.steps import augmented_twin
from pages.shared import charts, resources

_LEVEL = "sigma_level"
_SIGMA = 3  # of the sentence: a rate that a factory might ask for


def promised_and_achieved(detector: DetectorRow, dataset: DatasetRow, test: resources.TestImages) -> None:
    """Rates at one to five sigma for three reductions of one level, for this fit and, beside it, for its twin."""
    twin = augmented_twin(resources.store(), detector)
    n_levels = resources.detector(detector).n_levels
    level = int(st.session_state.get(_LEVEL) or min(LEVEL, n_levels))
    fits = {detector: test} | ({twin: resources.test_images(twin, dataset)} if twin else {})
    fits = {row: fits[row] for row in sorted(fits, key=_passes)}
    finding = _finding(columns_of(fits[detector], level), level)
    with charts.cornered("What sigma promises", finding) as corner:
        corner.selectbox(
            "Level",
            range(1, n_levels + 1),
            index=min(LEVEL, n_levels) - 1,
            format_func="level {}".format,
            key=_LEVEL,
            persist_state="session",
            label_visibility="collapsed",
            width=130,
        )
        with st.grid(2, min_column_width=380):
            for row, images in fits.items():
                with st.container(gap="xsmall"):
                    st.markdown(f":small[{_name(row)}, level {level}]")
                    charts.show(chart_of(images, level), key=f"sigma_chart_{row.id}", alt=finding)
            if twin is None:
                with st.container(gap="xsmall"):
                    _table(detector, columns_of(fits[detector], level))
                    st.caption(
                        ":material/info: Fit once more with augmented copies, or without, and both stand here side by "
                        "side."
                    )
        if twin:
            with st.expander("As a table (Table VI)", icon=":material/table:", key="sigma_tables"):
                for row, images in fits.items():
                    st.markdown(f":small[{_name(row)}]")
                    _table(row, columns_of(images, level))


def _finding(columns: Sequence[SigmaColumn], level: int) -> str:
    """The distance between promise and test at the sigma that the paper names first."""
    at = SIGMAS.index(_SIGMA)
    of_test = any(column.rates[at].test for column in columns)
    rates = [column.rates[at].test if of_test else column.rates[at].left_out for column in columns]
    words = [
        f"{wording.rate(rate)} with {'all components' if column.name == 'all' else column.name}"
        for column, rate in zip(columns, rates, strict=True)
        if rate
    ]
    parts = f"{next(filter(None, rates)).n} {'good test' if of_test else 'left-out good'} parts"
    return (
        f"At {_SIGMA}σ and level {level}, chi-square promises that {_share(_SIGMA)} of good parts are flagged; of "
        f"{parts} it flags {', '.join(words)}."
    )


def _name(row: DetectorRow) -> str:
    passes = _passes(row)
    return f"**{passes} augmented copies of each good part**" if passes else "**The good parts as they are**"


def _table(row: DetectorRow, columns: Sequence[SigmaColumn]) -> None:
    table = {"sigma": [f"{n}σ" for n in SIGMAS], "promised": [_share(n) for n in SIGMAS]}
    for column in columns:
        table[column.name] = [f"{_cell(point.test)} / {_cell(point.tpr)}" for point in column.rates]
    words = "Good test parts flagged / defects caught, in percent, at one to five sigma by reduction"
    st.caption(f"{words}:")
    st.dataframe(pd.DataFrame(table), hide_index=True, key=f"sigma_{row.id}", alt=words)


def _share(sigma: int) -> str:
    return f"{np.format_float_positional(100 * sigma_fpr(sigma), precision=2, fractional=False, trim='-')} %"


def _cell(rate: Rate | None) -> str:
    return f"{100 * rate.value:.1f}" if rate else "none"


@st.cache_resource(show_spinner="Counting …", max_entries=32, hash_funcs=resources.BY_STATE)
def columns_of(test: resources.TestImages, level: int) -> tuple[SigmaColumn, ...]:
    """Rates at chi-square thresholds, for every reduction of the table."""
    return sigma_table(test.projected, test.images.labels, level=level)


@st.cache_resource(show_spinner=False, max_entries=32, hash_funcs=resources.BY_STATE)
def chart_of(test: resources.TestImages, level: int) -> charts.Drawn:
    """The same as a chart: it stands among charts that are drawn anew at every move of a slider."""
    return charts.drawn(figures.sigma_rates(columns_of(test, level)))


def _passes(row: DetectorRow) -> int:
    augmented = resources.summary(row).settings.augmented
    return augmented.passes if augmented else 0
