"""Every level by itself, as Fit and Levels & NPCA show it: how well it discriminates, how sound its Gaussian is."""

import pandas as pd
import streamlit as st

from gad_core import figures
from gad_core.decision.curves import Auroc, auroc
from gad_core.decision.evaluation import LevelScores
from gad_core.gaussian.tuning import Tuning
from pages.shared import charts, resources


def one_by_one(test: resources.TestImages, tuning: Tuning, scores: dict[str, LevelScores] | None) -> None:
    """Every level by itself: how well it discriminates where there are labels, and how sound its Gaussian is."""
    finding = "Few images for many features: shrinkage keeps the covariance sound."
    areas: dict[str, Auroc] = {}
    if scores:
        areas = {name: auroc(one.test, test.images.labels) for name, one in scores.items()}
        finding = _best_level(areas)
    with charts.panel("Level by level", finding) as corner:
        names = ("AUROC", "Health") if areas else ("Health",)
        if charts.switch(corner, names, key="level_view") == "AUROC":
            charts.show(figures.level_areas(areas, tuning.levels), key="level_areas", alt=finding)
        else:
            _health(test, tuning)


def _health(test: resources.TestImages, tuning: Tuning) -> None:
    rows = []
    for level, gaussian in enumerate(test.detector.gaussians, start=1):
        spectrum = gaussian.spectrum
        rows.append(
            {
                "level": str(level),
                "in the sum": level in tuning.levels,
                "features D": spectrum.n_features,
                "images n": spectrum.n,
                "n / D": spectrum.n / spectrum.n_features,
                "dimensions kept": spectrum.dimension(tuning.reduction),
                "shrinkage": spectrum.shrinkage(tuning.reduction),
                "null dimensions": spectrum.n_null,
            }
        )
    table = pd.DataFrame(rows).style.format({"n / D": "{:.2f}", "shrinkage": "{:.3f}"})
    st.dataframe(table, hide_index=True, key="health", alt="Images, features and shrinkage of every level")


def _best_level(areas: dict[str, Auroc]) -> str:
    """Which level discriminates best by itself, said with the warning that it was chosen here."""
    best = max((name for name in areas if name != "sum"), key=lambda name: areas[name].value)
    return f"Level {best} alone tells defects apart best ({100 * areas[best].value:.1f} %), chosen on these images."
