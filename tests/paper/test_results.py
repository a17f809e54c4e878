"""From rows to a table: means of folds, then mean and standard error of the categories."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from gad_core.paper.results import summarise

KEYS = ["row", "column", "metric"]


def test_means_are_over_folds_first_and_standard_errors_over_categories():
    rng = np.random.default_rng(0)
    values = {category: rng.normal(90, 3, folds) for category, folds in (("nut", 5), ("pill", 2), ("wood", 3))}
    tidy = pd.DataFrame(
        [("7", "L2", "AUROC", category, fold, v) for category, own in values.items() for fold, v in enumerate(own)],
        columns=[*KEYS, "category", "fold", "value"],
    )
    paper = pd.DataFrame(
        [("8", "L2", "AUROC", 83.2, 3.7), ("7", "L2", "AUROC", 82.9, 4.3)], columns=[*KEYS, "mean", "sem"]
    )
    summary = summarise(tidy, paper)
    assert summary["row"].tolist() == ["8", "7"]  # in the paper's order, with what is the paper's alone
    (own,) = summary[summary["row"] == "7"].to_dict("records")
    means = [own.mean() for own in values.values()]
    assert own["mean"] == pytest.approx(np.mean(means))
    assert own["sem"] == pytest.approx(stats.sem(means))
    assert (own["n"], own["paper_mean"], own["paper_sem"]) == (3, 82.9, 4.3)


def test_one_category_has_no_standard_error():
    tidy = pd.DataFrame([("7", "L2", "AUROC", "nut", 0, 80.0)], columns=[*KEYS, "category", "fold", "value"])
    summary = summarise(tidy, pd.DataFrame(columns=[*KEYS, "mean", "sem"], dtype=object))
    assert summary["mean"].tolist() == [80.0]
    assert summary["sem"].isna().all()
