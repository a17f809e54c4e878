"""The printed figures agree with each other and with the paper's text, as far as rounding lets them."""

from importlib import resources

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from gad_core.errors import GadError
from gad_core.paper.published import TABLES, published

#: Figures are rounded to 0.1: half of that, and a little for the rounding of the categories before their mean.
ROUNDING = 0.06
SIGMAS = (1, 2, 3, 4, 5)


def by_row_and_column(table, metric="AUROC", value="mean"):
    figures = published(table).query("metric == @metric")
    return figures.pivot(index="row", columns="column", values=value)


def figure(table, row, column):
    """Mean and sem of the one AUROC in this row and column."""
    found = published(table).query("row == @row and column == @column and metric == 'AUROC'")
    return tuple(found[["mean", "sem"]].to_numpy().squeeze(axis=0))


@pytest.fixture
def categories():
    """AUROC (15, 10) of Table XIII, without its mean."""
    return by_row_and_column("XIII").drop(index="mean")


@pytest.mark.parametrize(
    ("table", "page", "n"),
    [
        ("I", 5, 19),
        ("II", 5, 10 * 3),
        ("III", 6, 6 * 3),
        ("IV", 7, 10 * 8),
        ("V", 7, 10 * 6),
        ("VI", 7, 5 + 5 * 4 * 2 + 4),
        ("VIII", 8, 2 * 5),
        ("IX", 8, 2),
        ("X", 9, 6 * 3),
        ("XIII", 12, 16 * 10),
    ],
)
def test_a_table_has_every_figure_once_and_stands_on_one_page(table, page, n):
    figures = published(table)
    assert list(figures.columns) == ["table", "page", "row", "column", "metric", "mean", "sem"]
    assert len(figures) == n
    assert not figures.duplicated(["row", "column", "metric"]).any()
    assert set(figures["table"]) == {f"Table {table}"}
    assert set(figures["page"]) == {page}


@pytest.mark.parametrize("table", TABLES)
def test_means_are_percentages_and_errors_are_numbers_or_missing(table):
    figures = published(table)
    assert figures["mean"].dtype == figures["sem"].dtype == np.float64
    assert figures["mean"].between(0, 100).all()
    assert (figures["sem"].dropna() > 0).all()


def test_every_file_of_figures_is_a_known_table():
    files = {file.name for file in (resources.files("gad_core.paper") / "data").iterdir()}
    assert files == {f"table_{table.lower()}.csv" for table in TABLES}


@pytest.mark.parametrize("table", ["VII", "ii", "Table I", ""])
def test_another_name_is_answered_with_the_known_tables(table):
    with pytest.raises(GadError, match=r"ask for one of I, II, III, IV, V, VI, VIII, IX, X, XIII$"):
        published(table)


def test_only_spade_comes_without_an_error_in_table_i():
    figures = published("I")
    assert list(figures.loc[figures["sem"].isna(), "row"]) == ["SPADE"]


def test_the_mean_row_of_table_xiii_is_the_mean_of_its_categories(categories):
    printed = by_row_and_column("XIII").loc["mean"]
    np.testing.assert_allclose(categories.mean(), printed[categories.columns], atol=ROUNDING)


def test_the_sem_row_of_table_xiii_is_that_of_its_categories(categories):
    printed = by_row_and_column("XIII", value="sem").loc["mean"]
    np.testing.assert_allclose(stats.sem(categories), printed[categories.columns], atol=ROUNDING)


def test_the_mean_row_of_table_xiii_is_table_i():
    ours = published("XIII").query("row == 'mean'").set_index("column")[["mean", "sem"]]
    compared = published("I")
    compared.index = pd.Index(compared["row"] + ", " + compared["column"])
    pd.testing.assert_frame_equal(ours, compared.loc[ours.index, ["mean", "sem"]], check_names=False)


def test_table_xiii_has_the_toothbrushes_that_only_a_segmenting_auto_encoder_ranks_perfectly(categories):
    assert categories.loc["toothbrush"].idxmax() == "Auto-encoder, CCA, resnet18"
    assert categories.loc["toothbrush"].max() == 100


@pytest.mark.parametrize("value", ["mean", "sem"])
def test_one_experiment_is_the_same_in_tables_ii_iv_and_v(value):
    levels = by_row_and_column("II", value=value)["Mahalanobis"]
    assert list(levels.index) == [*"123456789", "sum"]
    assert levels.equals(by_row_and_column("IV", value=value)["tf_efficientnet_b4"])
    assert levels.equals(by_row_and_column("V", value=value)["all"])


@pytest.mark.parametrize(
    ("table", "row", "column", "quoted"),
    [
        ("II", "7", "Mahalanobis", (96.7, 1.0)),
        ("II", "sum", "Mahalanobis", (94.8, 1.6)),
        ("III", "4", "resnet34", (90.4, 3.6)),
        ("III", "sum", "resnet34", (88.2, 4.0)),
    ],
)
def test_figures_that_section_v_a_quotes_are_those_of_the_tables(table, row, column, quoted):
    assert figure(table, row, column) == quoted


def test_pca_loses_at_every_level_as_section_v_b_says():
    levels = by_row_and_column("V")
    assert (levels["PCA 99 %"] < levels["all"]).all()
    assert (levels["PCA 95 %"] < levels["PCA 99 %"]).all()


# Section V-C says "0.01% NPCA" where the head of Table VI says "NPCA 1%": the file follows the table.
def test_pca_lowers_false_positives_and_npca_raises_them_as_section_v_c_says():
    fpr = by_row_and_column("VI", "FPR")
    assert (fpr["tf_efficientnet_b0, PCA 99 %"] < fpr["tf_efficientnet_b0, all"]).all()
    assert (fpr["tf_efficientnet_b0, NPCA 1 %"] > fpr["tf_efficientnet_b0, all"]).all()


def test_targets_of_table_vi_are_the_two_tails_beyond_n_sigma():
    targets = by_row_and_column("VI", "FPR").loc[[f"{n} sigma" for n in SIGMAS], "target"]
    half_a_digit = np.array([0.05, 0.05, 0.05, 0.0005, 0.000005])
    assert (np.abs(targets - 200 * stats.norm.sf(SIGMAS)) <= half_a_digit).all()


@pytest.mark.parametrize("metric", ["FPR", "TPR"])
def test_rates_of_table_vi_fall_with_every_sigma(metric):
    rates = by_row_and_column("VI", metric).loc[[f"{n} sigma" for n in SIGMAS]]
    assert (rates.diff().dropna() < 0).all(axis=None)


def test_rates_of_table_vi_are_those_of_rankings_better_than_chance():
    fpr = by_row_and_column("VI", "FPR").drop(columns="target")
    assert (by_row_and_column("VI", "TPR") > fpr).all(axis=None)


@pytest.mark.parametrize("row", ["Fine-tuned classifier", "Mahalanobis, all levels"])
def test_auroc_of_table_viii_falls_with_every_share_of_wrong_labels(row):
    shares = by_row_and_column("VIII").loc[row, ["0 %", "1 %", "5 %", "10 %", "20 %"]]
    assert (shares.diff().dropna() < 0).all()


def test_a_held_out_type_costs_the_classifier_area_as_section_v_d_says():
    areas = by_row_and_column("IX").loc["Fine-tuned classifier"]
    assert areas["held-out type"] < areas["seen types"]


# "Distance" is the mean over categories of a convex function, which is never below the function of the means.
def test_distances_of_table_x_are_at_least_those_of_the_mean_point():
    figures = published("X").pivot(index="row", columns="column", values="mean")
    of_means = np.hypot(100 - figures["AUROC"], 100 - figures["Explanation score"])
    assert (figures["Distance"] >= of_means - ROUNDING).all()


def test_rows_are_names_even_where_they_are_numbers():
    assert set(published("III")["row"]) == {"1", "2", "3", "4", "5", "sum"}
    assert all(isinstance(row, str) for table in TABLES for row in published(table)["row"])
