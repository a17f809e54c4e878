"""Every level by itself, as Fit and Levels & NPCA show it: how well it discriminates, how sound its Gaussian is."""

import pandas as pd
import streamlit as st

from gad_core import figures, wording
from gad_core.decision.curves import Auroc
from gad_core.decision.evaluation import LevelScores
from gad_core.decision.soundness import without_covariance
from gad_core.gaussian.tuning import Tuning
from pages.shared import charts, resources


def one_by_one(test: resources.TestImages, tuning: Tuning, scores: dict[str, LevelScores] | None) -> None:
    """Every level by itself: how well it discriminates where there are labels, and how sound its Gaussian is."""
    finding = soundness_words(test, tuning)
    areas: dict[str, Auroc] = {}
    if scores:
        areas = resources.level_areas(test, tuning)
        finding = f"{_best_level(areas)} {finding}"
    with charts.panel("Level by level", finding) as corner:
        names = ("AUROC", "Health") if areas else ("Health",)
        if charts.switch(corner, names, key="level_view") == "AUROC":
            charts.show(figures.level_areas(areas, tuning.levels), key="level_areas", alt=finding)
        else:
            _health(test, tuning)


def soundness_words(test: resources.TestImages, tuning: Tuning) -> str:
    """Whether the levels of a tuning have learned a covariance, and from how much."""
    detector = test.detector
    spectra = {level: detector.gaussians[level - 1].spectrum for level in tuning.levels}
    poor = without_covariance(detector, tuning.reduction, tuning.levels)
    if poor:
        features = ", ".join(str(spectra[level].n_features) for level in poor)
        return (
            f"No covariance was learned at {wording.levels(poor)}: n is too small (n = {detector.n_train} for "
            f"D = {features}), and distances there are as good as Euclidean."
        )
    most = max(spectra, key=lambda level: spectra[level].shrinkage(tuning.reduction))
    return (
        f"Shrinkage is at most {spectra[most].shrinkage(tuning.reduction):.3f}, at level {most} (n = "
        f"{detector.n_train} for D = {spectra[most].n_features}): a covariance was learned at every level of the sum."
    )


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
    alone = f"level {best} alone with {100 * areas[best].value:.1f} %"
    if areas["sum"].value >= areas[best].value:
        return (
            f"The sum tells defects apart best, with {100 * areas['sum'].value:.1f} %; of the single levels, {alone}, "
            "chosen on these images."
        )
    return f"Best on these images, and chosen on them: {alone}; the sum has {100 * areas['sum'].value:.1f} %."
