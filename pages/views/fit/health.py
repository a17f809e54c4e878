"""How sound a fit is: its numbers, the files that it lacks, level by level, and whether the images are enough."""

import streamlit as st

from gad_core import wording
from gad_core.workspace.rows import DatasetRow, DetectorRow
from pages.shared import frame, level_panel, resources
from pages.shared.charts import QUIET
from pages.shared.refusals import refusals
from pages.views.fit import planner, presets


def health(row: DetectorRow, dataset: DatasetRow) -> None:
    """How sound each level's Gaussian is, and how well it tells defects apart where there are labels."""
    test = resources.test_images(row, dataset)
    tuning = test.detector.tuning
    scores = resources.scores(test, tuning) if test.has_both_kinds else None
    _numbers(test)
    unread = test.detector.refused
    refusals(unread, f"{len(unread)} files could not be read at the fit", key="refused_fit", expanded=True)
    refusals(test.refused, f"{len(test.refused)} test images could not be read", key="refused_test")
    frame.onward("Next: set the working point", "pages/working_point.py")
    level_panel.one_by_one(test, tuning, scores)
    presets.comparison(row, test, dataset)
    planner.planner(test)


def _numbers(test: resources.TestImages) -> None:
    detector = test.detector
    copies = detector.settings.augmented
    with st.grid(4, min_column_width=150):
        st.metric(
            "Good parts fitted",
            detector.n_train,
            f"{copies.passes} copies of each" if copies else None,
            **QUIET,
            help="Normal images behind mean and covariance.",
        )
        st.metric(
            "Levels",
            detector.n_levels,
            **QUIET,
            help="Feature maps of the network, each averaged over space.",
        )
        st.metric(
            "Left-out folds",
            detector.n_folds,
            **QUIET,
            help="Fits without a part of the images, to score that part.",
        )
        if test.has_both_kinds:
            area = resources.level_areas(test, detector.tuning)["sum"]
            st.metric(
                f"AUROC of the {wording.score_name(detector.tuning)}",
                f"{100 * area.value:.1f} %",
                wording.interval(area.low, area.high),
                **QUIET,
                help=f"{wording.tuning(detector.tuning)}; {area.interval} interval.",
            )
