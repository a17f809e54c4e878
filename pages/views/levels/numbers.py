"""The numbers that matter at a tuning: how well it discriminates, and how many dimensions it rests on."""

import streamlit as st

from gad_core import wording
from gad_core.decision.reduction_map import ReductionMap
from gad_core.decision.soundness import without_covariance
from gad_core.gaussian.tuning import Tuning
from pages.shared import charts, resources


def numbers(test: resources.TestImages, tuning: Tuning, cells: ReductionMap | None) -> None:
    """The numbers that matter at this tuning."""
    kept = [test.detector.gaussians[level - 1].spectrum.dimension(tuning.reduction) for level in tuning.levels]
    shrinkage = [test.detector.gaussians[level - 1].spectrum.shrinkage(tuning.reduction) for level in tuning.levels]
    with st.grid(5, min_column_width=150):
        if cells:
            area = resources.level_areas(test, tuning)["sum"]
            st.metric(
                f"AUROC of the {wording.score_name(tuning)}",
                f"{100 * area.value:.1f} %",
                f"{wording.interval(area.low, area.high)} · {area.n_normal} + {area.n_anomalous}",
                **charts.QUIET,
                help=f"The chance that a defect scores above a good part; {area.interval} 95 % interval.",
            )
            best = cells.best
            st.metric(
                "Best single level",
                f"{100 * best.area:.1f} %",
                f"split-half {100 * best.split_half:.1f} %",
                **charts.QUIET,
                help=f"Level {best.level}, {wording.reduction(best.reduction)}: chosen on these test images, which "
                "flatters it. Split-half: chosen on one half, measured on the other, 20 splits both ways.",
            )
        if found := resources.localisation(test, tuning):
            st.metric(
                "Defects located",
                f"{100 * found.aupro:.1f} %",
                f"pixel AUROC {100 * found.pixel_auroc:.1f} %",
                **charts.QUIET,
                help=f"AUPRO: mean overlap of the region map with each masked defect, up to 30 % false positives; "
                f"{found.n_masks} masks. {test.detector.regions} regions are coarse: small defects are found, "
                "their outline is not.",
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
            "no covariance learned"
            if without_covariance(test.detector, tuning.reduction, tuning.levels)
            else "highest",
            **charts.QUIET,
            help="Ledoit-Wolf: how far the covariance is pulled towards a sphere because images are few; the highest "
            "of the levels in the sum. Near 1 nothing but the mean is learned.",
        )
