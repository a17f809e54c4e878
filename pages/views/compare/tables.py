"""The paper's tables on the open data set, beside the paper's own figures."""

import pandas as pd
import streamlit as st

from gad_core import figures
from gad_core.features.backbones import BACKBONES
from gad_core.figures.paper import with_error
from gad_core.paper.results import Result
from gad_core.paper.tables import TABLES
from gad_core.workspace.experiments import find_table
from gad_core.workspace.requests import PaperTable
from gad_core.workspace.rows import DatasetRow
from pages.shared import charts, opened, person, resources, tasks
from pages.shared.text import plain

_PLACE = "paper_tables"


def tables(dataset: DatasetRow) -> None:
    """One table, chosen; made on demand."""
    with charts.panel(
        "The paper's tables on these images",
        "Mean over the folds; hollow marks are the paper's own figures, on MVTec AD with other networks.",
    ):
        name = st.selectbox(
            "Table", list(TABLES), key="paper_table", format_func=lambda key: f"Table {key}: {TABLES[key].title}"
        )
        tasks.cards(_PLACE)
        tasks.show_failure(_PLACE)
        result = _found(dataset, name)
        if result is None:
            st.button(
                f"Make Table {name}",
                key="make_table",
                icon=":material/science:",
                on_click=_ask,
                args=(dataset, name),
                **person.changing(),
            )
            st.caption("It runs beside everything else and can be cancelled; what is done is not done again.")
            return
        _shown(result)


def _shown(result: Result) -> None:
    summary = result.summary
    for finding in result.findings:
        icon = ":orange-badge[:material/error: differs]" if finding.agrees is False else ":gray-badge[agrees]"
        st.markdown(f"{icon if finding.agrees is not None else ''} {plain(finding.text)}")
    for metric in dict.fromkeys(summary["metric"]):
        figure = figures.table_chart(summary, metric=metric)
        alt = f"Table {result.table.name}, {metric}: ours and the paper's figures"
        charts.show(figure, key=f"table_{result.table.name}_{metric}", alt=alt)
    with st.expander("All numbers", key="table_numbers"):
        st.dataframe(_numbers(summary), hide_index=True, key="table_frame", alt="Ours and the paper's figures")
    for words in result.departures:
        st.caption(plain(f"Not as in the paper: {words}."))


def _numbers(summary: pd.DataFrame) -> pd.DataFrame:
    rows = summary.to_dict("records")
    return pd.DataFrame(
        {
            "row": [row["row"] for row in rows],
            "column": [row["column"] for row in rows],
            "metric": [row["metric"] for row in rows],
            "here": [with_error(row["mean"], row["sem"]) for row in rows],
            "paper": [with_error(row["paper_mean"], row["paper_sem"]) for row in rows],
        }
    )


def _ask(dataset: DatasetRow, name: str) -> None:
    tasks.ask(f"Table {name} on {dataset.name}", PaperTable(dataset.id, name, _backbone()), place=_PLACE)


def _backbone() -> str:
    detector = opened.detector()
    return detector.backbone if detector else BACKBONES[0].name


def _found(dataset: DatasetRow, name: str) -> Result | None:
    return find_table(resources.store(), dataset, resources.dataset(dataset), name, backbone=_backbone())
