"""What a table says, and whether the paper says the same."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from gad_core.paper.findings import CONTRASTS, Contrast, difference, findings
from gad_core.paper.published import published

KEYS = ["row", "column", "metric"]


def frame(rows: list[tuple[str, str, str, str, float]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=[*KEYS, "category", "value"])


def as_ours(table: str) -> pd.DataFrame:
    """The paper's own means, as if they had been measured on one category."""
    return (
        published(table).rename(columns={"mean": "value"}).assign(category="all fifteen")[[*KEYS, "category", "value"]]
    )


@pytest.mark.parametrize("table", CONTRASTS)
def test_the_papers_own_figures_agree_with_the_paper(table):
    found = findings(table, as_ours(table), published(table))
    assert len(found) == len(CONTRASTS[table]) + (3 if table == "VI" else 0)
    assert all(one.agrees is True for one in found)  # a plain value, as JSON holds it


@pytest.mark.parametrize("table", CONTRASTS)
def test_figures_turned_upside_down_disagree(table):
    ours = as_ours(table).assign(value=lambda own: -own["value"])
    found = [one for one in findings(table, ours, published(table)) if "promise" not in one.text]
    assert found
    assert not any(one.agrees for one in found)
    assert all(one.text.startswith("Not as in the paper") for one in found)


@pytest.mark.parametrize(
    ("contrast", "table", "points"),
    [
        (Contrast("row", "Mahalanobis, NPCA 1 %", "oc-SVM, all levels"), "I", 95.8 - 78.1),  # B4, which both have
        (Contrast("row", "Mahalanobis, NPCA 1 %", "Auto-encoder, CCA"), "I", 95.8 - 81.8),  # nothing in common
        (CONTRASTS["VIII"][0], "VIII", 97.2 - 93.9),
        (CONTRASTS["VIII"][1], "VIII", 97.2 - 94.9),
        (CONTRASTS["IX"][0], "IX", 96.7 - 92.9),
        (CONTRASTS["V"][3], "V", 95.8 - 94.8),
    ],
)
def test_points_of_the_papers_figures(contrast, table, points):
    assert difference(contrast, as_ours(table)).mean == pytest.approx(points)


def test_the_difference_is_paired_by_category_and_clear_as_the_t_test_has_it():
    rng = np.random.default_rng(3)
    contrast = CONTRASTS["II"][0]
    for scatter in (2.0, 30.0):
        own, by_category = [], []
        for place in range(6):
            base = rng.normal(70, 15)
            first, second = base + rng.normal(6, scatter, 3), base + np.zeros(3)
            by_category.append(first.mean() - second.mean())
            for level in range(3):
                own += [(str(level + 1), "Mahalanobis", "AUROC", f"part {place}", first[level])]
                own += [(str(level + 1), "SED", "AUROC", f"part {place}", second[level])]
            own += [("sum", "Mahalanobis", "AUROC", f"part {place}", 0.0)]  # not one of the levels
        found = difference(contrast, frame(own))
        assert (found.n, found.mean) == (6, pytest.approx(np.mean(by_category)))
        assert found.sem == pytest.approx(stats.sem(by_category))
        assert found.clear == (stats.ttest_1samp(by_category, 0).pvalue < 0.05)
        (text,) = [one.text for one in findings("II", frame(own), published("II")) if "Mahalanobis" in one.text]
        assert ("not clear from 6 categories" in text) == (not found.clear)


def test_names_are_compared_part_by_part():
    own = frame(
        [("1 sigma", f"b0, {name}", "FPR", "nut", value) for name, value in (("NPCA 1 %", 9), ("NPCA 0.1 %", 1))]
    )
    assert difference(Contrast("column", "NPCA 1 %", "NPCA 0.1 %", "FPR"), own).mean == 8
    assert np.isnan(difference(Contrast("column", "NPCA 1 %", "1 %", "FPR"), own).mean)


def test_what_was_not_measured_is_not_spoken_of():
    assert findings("II", frame([("7", "Mahalanobis", "AUROC", "nut", 90.0)]), published("II")) == ()


def test_promises_are_equation_six_s():
    own = frame([("2 sigma", "lite0, all", "FPR", "nut", 3.0), ("3 sigma", "lite0, all", "FPR", "nut", 12.0)])
    two, three = findings("VI", own, published("VI"))
    assert "2 sigma promise 4.6 % of normal images, 3.0 % lie beyond" in two.text
    assert not two.agrees  # the paper's lie above
    assert three.agrees
