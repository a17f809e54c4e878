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
        finding = f"{_best_level(areas, wording.score_name(tuning))} {finding}"
    with charts.cornered("Level by level", finding) as corner:
        names = ("AUROC", "Health") if areas else ("Health",)
        if charts.switch(corner, names, key="level_view") == "AUROC":
            charts.show(
                figures.level_areas(areas, tuning.levels, own=wording.score_name(tuning)),
                key="level_areas",
                alt=finding,
            )
        else:
            _health(test, tuning)


def soundness_words(test: resources.TestImages, tuning: Tuning) -> str:
    """Whether the levels of a tuning have learned a covariance, and from how much."""
    detector = test.detector
    spectra = {level: detector.gaussians[level - 1].spectrum for level in tuning.levels}
    poor = without_covariance(detector, tuning.reduction, tuning.levels)
    kept = "all components" if tuning.reduction.kind == "all" else wording.reduction(tuning.reduction)
    few = [level for level in poor if detector.n_train < spectra[level].n_features]
    if few:
        features = ", ".join(str(spectra[level].n_features) for level in few)
        return (
            f"No covariance was learned at {wording.levels(few)} with {kept}: n is too small (n = {detector.n_train} "
            f"for D = {features}), and distances there are as good as Euclidean."
        )
    if poor:
        return (
            f"No covariance was learned at {wording.levels(poor)} with {kept}: too few components are kept, or they "
            f"vary too much alike, for n = {detector.n_train}; distances there are as good as Euclidean."
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
                "in the sum": "yes" if level in tuning.levels else "",
                "features D": str(spectrum.n_features),
                "n / D": f"{spectrum.n / spectrum.n_features:.2f}",
                "dimensions kept": str(spectrum.dimension(tuning.reduction)),
                "null dimensions": str(spectrum.n_null),
                "shrinkage": f"{spectrum.shrinkage(tuning.reduction):.3f}",
            }
        )
    alt = "Features, images for each, components and shrinkage of every level"
    st.table(pd.DataFrame(rows), border="horizontal", hide_index=True, alt=alt)  # unlike a data frame, its words wrap


def _best_level(areas: dict[str, Auroc], name: str) -> str:
    """Which level discriminates best by itself, said with the warning that it was chosen here."""
    best = max((name for name in areas if name != "sum"), key=lambda name: areas[name].value)
    alone = f"level {best} alone with {100 * areas[best].value:.1f} %"
    verb, has = ("tell", "have") if name == "regions" else ("tells", "has")
    if areas["sum"].value >= areas[best].value:
        return (
            f"The {name} {verb} defects apart best, with {100 * areas['sum'].value:.1f} %; of the single levels, "
            f"{alone}, chosen on these images."
        )
    return f"Best on these images, and chosen on them: {alone}; the {name} {has} {100 * areas['sum'].value:.1f} %."
