"""Tables of the paper as charts: ours and the paper's, curves where there is an order."""

import pandas as pd
import plotly.graph_objects as go
import pytest

from gad_core.figures import table_chart
from gad_core.paper.published import published
from gad_core.paper.results import summarise

KEYS = ["row", "column", "metric"]


def summary(table: str, lower: float = 5.0) -> pd.DataFrame:
    """The paper's own figures, and ours so many points lower on each of two categories."""
    paper = published(table)
    ours = paper.rename(columns={"mean": "value"})[[*KEYS, "value"]].assign(fold=0)
    ours["value"] -= lower
    tidy = pd.concat([ours.assign(category="nut"), ours.assign(category="pill", value=ours["value"] - 2)])
    return summarise(tidy, paper)


def by_name(figure) -> dict[str, dict]:
    return {trace.name: trace for trace in figure.data}


@pytest.mark.parametrize("table", ["I", "II", "III", "IV", "V", "VI", "VIII", "IX", "X", "XIII"])
def test_every_figure_of_every_table_is_drawn_and_valid(table):
    rows = summary(table)
    for metric in rows["metric"].unique():
        figure = table_chart(rows, metric=metric)
        go.Figure(figure.to_dict())  # validates
        drawn = sum(len(trace.x) for trace in figure.data if trace.name.startswith("paper: "))
        assert drawn >= rows.loc[rows["metric"] == metric, "paper_mean"].notna().sum()


def test_label_noise_is_a_curve_over_the_share_of_mislabelled_images():
    traces = by_name(table_chart(summary("VIII"), metric="AUROC"))
    ours = traces["Fine-tuned classifier"]
    assert ours.x == ("0 %", "1 %", "5 %", "10 %", "20 %")
    assert ours.y == pytest.approx([97.2 - 6, 96.9 - 6, 95.8 - 6, 95.6 - 6, 93.9 - 6])
    assert ours.mode == "lines+markers"
    paper = traces["paper: Fine-tuned classifier"]
    assert paper.y == pytest.approx([97.2, 96.9, 95.8, 95.6, 93.9])
    assert paper.marker.symbol == "diamond-open"


def test_the_papers_marks_stand_at_the_papers_figures():
    paper = by_name(table_chart(summary("I"), metric="AUROC"))["paper: tf_efficientnet_b4"]
    assert dict(zip(paper.y, paper.x, strict=True))["Mahalanobis, NPCA 1 %"] == 95.8


def test_levels_rise_and_the_sum_stands_last():
    ours = by_name(table_chart(summary("II"), metric="AUROC"))["Mahalanobis"]
    assert ours.x == (*map(str, range(1, 10)), "sum")


def test_the_papers_marks_have_a_name_only_where_none_of_ours_has_their_colour():
    traces = by_name(table_chart(summary("II"), metric="AUROC"))
    assert not traces["paper: SED"].showlegend
    alone = summary("II").assign(mean=float("nan"))
    assert by_name(table_chart(alone, metric="AUROC"))["paper: SED"].showlegend
