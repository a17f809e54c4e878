"""Levels & NPCA: which levels to sum, and which principal components to keep."""

import streamlit as st

from gad_core import figures, wording
from gad_core.decision.curves import auroc
from gad_core.decision.evaluation import LevelScores
from gad_core.decision.reduction_map import ReductionMap, whitened_energy
from gad_core.features.backbones import get_backbone
from gad_core.gaussian.tuning import Tuning
from gad_core.workspace.rows import DatasetRow, DetectorRow
from pages.shared import charts, frame, opened, reduction_view, resources, tasks
from pages.shared.tuning import tuning as tuning_controls

frame.begin()


def main() -> None:
    frame.heading("Levels & NPCA", "Decide where the detector looks: which levels, and which of their components.")
    tasks.cards()
    tasks.show_failure()
    detector, dataset = opened.detector(), opened.dataset()
    if detector is None or dataset is None:
        frame.empty("Fit a detector first: then every cut of it is a matter of a click.", "Fit one", "pages/fit.py")
        return
    workbench(detector, dataset)


@st.fragment
def workbench(detector: DetectorRow, dataset: DatasetRow) -> None:
    """The controls and all that they move."""
    with st.container(border=True):
        chosen = tuning_controls(get_backbone(detector.backbone))
    test = resources.test_images(detector, dataset)
    found = resources.scores(detector, dataset, chosen)
    cells = resources.reduction_map(detector, dataset, chosen.distance)
    level = reduction_view.shown_level(chosen)
    numbers(test, chosen, found, cells)
    reduction_view.heat_map(detector, dataset, chosen, cells)
    with st.grid(2, min_column_width=420):
        spectrum(test, chosen, level)
        energy(test, level, chosen)
    reduction_view.one_by_one(test, chosen, found if cells else None)
    frame.onward("Next: set the working point", "pages/working_point.py")


def numbers(
    test: resources.TestImages, chosen: Tuning, found: dict[str, LevelScores], cells: ReductionMap | None
) -> None:
    """The numbers that matter at this tuning."""
    kept = [test.detector.gaussians[level - 1].spectrum.dimension(chosen.reduction) for level in chosen.levels]
    shrinkage = [test.detector.gaussians[level - 1].spectrum.shrinkage(chosen.reduction) for level in chosen.levels]
    with st.grid(4, min_column_width=150):
        if cells:
            area = auroc(found["sum"].test, test.images.labels)
            st.metric(
                "AUROC of the sum",
                f"{100 * area.value:.1f} %",
                f"{wording.interval(area.low, area.high)} · {area.n_normal} + {area.n_anomalous}",
                **charts.QUIET,
                help=f"The chance that a defect scores above a good part; {area.interval} 95 % interval.",
            )
            best = cells.best
            st.metric(
                "Best single cell",
                f"{100 * best.area:.1f} %",
                f"honest {100 * best.split_half:.1f} %",
                **charts.QUIET,
                help=f"Level {best.level}, {best.reduction}: chosen on these test images, so it flatters itself. Honest: "
                "chosen on one half of the images, measured on the other, 20 splits both ways.",
            )
        st.metric(
            "Dimensions kept",
            f"{sum(kept):,}",
            f"of {sum(g.spectrum.n_features for g in test.detector.gaussians):,} at all levels",
            **charts.QUIET,
            help="Components behind the distance, over the levels in the sum; `all` counts the null space as well.",
        )
        st.metric(
            "Shrinkage",
            wording.number(max(shrinkage)),
            "highest of the levels",
            **charts.QUIET,
            help="Ledoit-Wolf: how far the covariance is pulled towards a sphere because images are few.",
        )


def spectrum(test: resources.TestImages, chosen: Tuning, level: int) -> None:
    """How strong each component of a level is, and where the cut lies."""
    law = test.detector.gaussians[level - 1].spectrum
    kept = law.components(chosen.reduction)
    finding = (
        f"Level {level}: {kept.stop - kept.start} of {len(law.eigenvalues)} components kept, "
        f"{law.n_null} of {law.n_features} dimensions are null."
    )
    with charts.panel("Eigenvalue spectrum", finding) as corner:
        reduction_view.level_switch(corner, chosen)
        figure = figures.eigenvalue_spectrum(law.eigenvalues, kept=kept, n_features=law.n_features)
        charts.show(figure, key="spectrum", alt=finding)


def energy(test: resources.TestImages, level: int, chosen: Tuning) -> None:
    """Where in the spectrum defects stand out."""
    labels, seen = test.images.labels, test.projected.test[level - 1]
    normal = whitened_energy(test.detector, level, seen[~labels]) if not labels.all() else None
    defects = whitened_energy(test.detector, level, seen[labels]) if labels.any() else None
    if normal is None and defects is None:
        return
    finding = reduction_view.energy_finding(normal, defects, level)
    with charts.panel("Where defects stand out", finding):
        law = test.detector.gaussians[level - 1].spectrum
        figure = figures.component_energy(normal, defects, kept=law.components(chosen.reduction))
        charts.show(figure, key="energy", alt=finding)


main()
